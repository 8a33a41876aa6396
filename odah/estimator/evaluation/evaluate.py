"""How good a network is on a dataset, beside its own frame-only variant and the mean pose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from odah.dataset.reader import Clip, Dataset
from odah.dataset.schema import SPLITS
from odah.errors import InputError
from odah.estimator.batch import NUM_VIEWS, Prediction
from odah.estimator.checkpoint import Checkpoint
from odah.estimator.config import DataConfig
from odah.estimator.devices import DeviceName, device_named
from odah.estimator.evaluation.clip_windows import ClipWindows, Sample
from odah.estimator.evaluation.mean_pose import MeanPose, coordinates_of, label_reference, mean_pose
from odah.estimator.evaluation.scores import Scores, Table, Truth
from odah.estimator.inputs.prepare import prepare
from odah.estimator.inputs.reference import angles_in_ground, angles_in_reference, ground_reference
from odah.estimator.network.two_view import TwoViewNetwork
from odah.estimator.skeleton import PELVIS, Skeleton
from odah.estimator.windows import join_windows
from odah.names import OPENSIM_COORDINATES

Tell = Callable[[int, int], None]


def evaluate(
    checkpoint: Checkpoint,
    dataset: Dataset,
    split: str = "test",
    *,
    views: Sequence[str] | None = None,
    device: DeviceName = "auto",
    seed: int = 0,
    tell: Tell | None = None,
) -> Table:
    """The network as `odah predict` uses it, in windows that overlap; and, each frame for itself, without its
    temporal part; and the mean pose of the dataset's training split. All angles are compared in ground.

    Args:
        views: one or two cameras; the dataset's first two if None.
        seed: of the points that are drawn. tell: done and all clips.

    Raises:
        InputError: no such split or no clips in it, other coordinates than the network's, no such view or
            device.
    """
    chosen = _clips(dataset, split)
    _expect_coordinates(dataset, checkpoint)
    views = _views(dataset, views)
    data = checkpoint.config.data
    place = device_named(device)
    watcher = _Watcher(checkpoint.network.to(place).eval(), data, torch.Generator(place).manual_seed(seed))
    train = dataset.split("train")
    mean = mean_pose(train, data, views[0]) if len(train) else None
    skeleton = Skeleton()
    scores: dict[str, Scores] = {}
    num_frames = 0
    for number, clip in enumerate(chosen):
        windows = ClipWindows(dataset, clip, data, views)
        truth = _truth(clip, windows.frames, data)
        answers = watcher.answers(windows)
        if mean is not None:
            answers["mean pose"] = _still(mean, clip, data, views[0], len(windows.frames))
        for name, answer in answers.items():
            row = scores.setdefault(name, Scores(name))
            row.add(answer.angles[0], answer.scales[0], truth, skeleton)
        num_frames += len(windows.frames)
        if tell is not None:
            tell(number + 1, len(chosen))
    notes = () if mean is not None else ("no clips in the split train, so there is no mean pose",)
    rows = tuple(each.row() for each in scores.values())
    name = str(dataset.info["name"])
    return Table(rows, split, tuple(views), len(chosen), num_frames, name, notes)


@dataclass(frozen=True)
class _Watcher:
    """Runs the network over clips."""

    network: TwoViewNetwork
    data: DataConfig
    generator: torch.Generator

    def answers(self, windows: ClipWindows) -> dict[str, Prediction]:
        """By predictor its answer about a whole clip (B = 1), in ground, on the CPU."""
        parts: dict[str, list[Prediction]] = {}
        for sample in windows:
            for name, answer in self._seen(sample).items():
                parts.setdefault(name, []).append(answer)
        starts, num_frames = windows.starts, len(windows.frames)
        alone = _from_most_central(_stacked(parts["frame only"]), starts, num_frames)
        if "network" not in parts:
            return {"network": alone}
        return {"network": join_windows(_stacked(parts["network"]), starts, num_frames), "frame only": alone}

    @torch.inference_mode()
    def _seen(self, sample: Sample) -> dict[str, Prediction]:
        """What is said of one window; `frame only` takes the same features."""
        moved = {name: tensor.to(self.generator.device) for name, tensor in sample.items()}
        prepared = prepare(moved, self.data, generator=self.generator)
        features = self.network.features(prepared.pictures)
        answers = {"frame only": self.network.frame_prediction(features)}
        if self.network.temporal is not None:
            answers["network"] = self.network.sequence_prediction(features, moved["is_frame"])
        rotmats = prepared.reference.rotmats
        return {
            name: _on_cpu(replace(answer, angles=angles_in_ground(answer.angles, rotmats)))
            for name, answer in answers.items()
        }


def most_central(
    starts: Sequence[int], num_frames: int, length: int
) -> tuple[Int[Tensor, " F"], Int[Tensor, " F"]]:
    """For each frame of a sequence the window in whose middle it is most, and its place there."""
    frames, begins = torch.arange(num_frames), torch.tensor(list(starts))
    from_middle = (frames[:, None] - begins - (length - 1) / 2).abs()
    window = from_middle.argmin(dim=1)
    return window, frames - begins[window]


def _from_most_central(windows: Prediction, starts: Sequence[int], num_frames: int) -> Prediction:
    """Every frame's answer from one window: averaging several would smooth what is to be told for itself."""
    window, place = most_central(starts, num_frames, windows.angles.shape[1])
    return Prediction(windows.angles[window, place][None], windows.scales[window, place][None])


def _stacked(parts: Sequence[Prediction]) -> Prediction:
    """Of angles, scales and expected errors."""
    errors = [part.errors for part in parts if part.errors is not None]
    return Prediction(
        angles=torch.cat([part.angles for part in parts]),
        scales=torch.cat([part.scales for part in parts]),
        errors=torch.cat(errors) if errors else None,
    )


def _on_cpu(answer: Prediction) -> Prediction:
    errors = None if answer.errors is None else answer.errors.float().cpu()
    return Prediction(answer.angles.float().cpu(), answer.scales.float().cpu(), errors=errors)


def _still(mean: MeanPose, clip: Clip, data: DataConfig, view: str, num_frames: int) -> Prediction:
    reference = label_reference(clip.labels, data, clip.views.index(view))
    return mean.prediction(reference, num_frames)


def _truth(clip: Clip, frames: Int[np.ndarray, " T"], data: DataConfig) -> Truth:
    labels = clip.labels
    coordinates = coordinates_of(labels)[:, frames]
    points = torch.cat([_points(labels.joints), _points(labels.body_coms)], dim=1)[frames]
    return Truth(
        angles=angles_in_reference(coordinates, ground_reference(points[None, :, PELVIS]))[0],
        scales=_points(labels.scale_factors),
        keypoints=points - points[:, PELVIS, None],
        rate=clip.rate if data.rate is None else data.rate,
    )


def _points(array: object) -> Float[Tensor, "*B 3"]:
    return torch.as_tensor(array, dtype=torch.float32)


def _clips(dataset: Dataset, split: str) -> Dataset:
    chosen = dataset.split(split)
    if len(chosen):
        return chosen
    there = [name for name in SPLITS if len(dataset.split(name))]
    expected = f"some; there are in {' and '.join(there)}" if there else "some; make them with odah generate"
    raise InputError(dataset.paths.root, f"no clips in the split {split}", expected)


def _expect_coordinates(dataset: Dataset, checkpoint: Checkpoint) -> None:
    known = checkpoint.facts.get("coordinates") or OPENSIM_COORDINATES
    given = dataset.info["coordinate_names"]
    if list(given) != list(known):
        odd = [name for name in given if name not in known]
        found = (
            f"{odd[0]!r}"
            if odd
            else f"{len(given)} in another order"
            if len(given) == len(known)
            else f"{len(given)}"
        )
        where = f"{dataset.paths.root}/dataset.json: coordinate_names"
        raise InputError(where, found, f"the network's {len(known)}, from {known[0]} to {known[-1]}")


def _views(dataset: Dataset, views: Sequence[str] | None) -> tuple[str, ...]:
    wanted = dataset.views[:NUM_VIEWS] if views is None else tuple(views)
    if not 1 <= len(wanted) <= NUM_VIEWS or len(set(wanted)) < len(wanted):
        raise InputError(
            "--views", repr(",".join(wanted)), "one camera, or two different ones, as in front,side"
        )
    unknown = [view for view in wanted if view not in dataset.views]
    if unknown:
        raise InputError("--views", repr(unknown[0]), f"some of {', '.join(dataset.views)}")
    return wanted
