"""Our own network as a method, with or without its part over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from odah.benchmark.model_motion import motion_of
from odah.benchmark.recording import Motion, Recording, View
from odah.dataset.schema import file_hash
from odah.errors import InputError
from odah.estimator.checkpoint import Checkpoint
from odah.estimator.devices import DeviceName, device_named
from odah.estimator.network.two_view import TwoViewNetwork
from odah.estimator.predict.blazepose import BlazePoseSegmenter
from odah.estimator.predict.crops import Cropper, PersonCrop
from odah.estimator.predict.given_masks import GivenMasks
from odah.estimator.predict.infer import infer
from odah.estimator.predict.masks import find_person
from odah.estimator.predict.motion import EstimatedMotion
from odah.estimator.predict.outputs import MODEL_FILE, estimate_of, write_estimate
from odah.estimator.predict.segmenters import YoloSegmenter
from odah.estimator.predict.videos import examine
from odah.estimator.rates import frames_at_rate
from odah.motion.types import Source


@dataclass(frozen=True, eq=False)
class Estimator:
    """A trained network on the videos of a recording, as `odah predict` uses it.

    weights: digest of the checkpoint's file. is_frame_only: each frame for itself, from one window. yolo:
    weights of the network that finds the person in videos without masks; None for BlazePose.
    """

    name: str
    checkpoint: Checkpoint
    weights: str
    is_frame_only: bool = False
    yolo: Path | None = None
    device: DeviceName = "auto"

    @property
    def facts(self) -> Mapping[str, Any]:
        """See `Method`."""
        return {
            "kind": "estimator", "weights": self.weights,
            "is_frame_only": self.is_frame_only, "masks": self._masker(),
        }  # fmt: skip

    def estimate(self, recording: Recording, views: Sequence[str], folder: Path) -> Motion:
        """See `Method`; writes model.osim, kinematics.mot, markers.trc and angles.csv."""
        chosen = [recording.views[name] for name in views]
        motion = self._motion(recording, chosen)
        times = np.arange(recording.num_frames) / recording.rate
        estimate, _ = estimate_of(motion, times, recording.rate, recording.mass)
        write_estimate(folder, estimate, Source(recording.name, "odah benchmark"), tuple(views))
        model = folder / MODEL_FILE
        return motion_of(estimate.model, estimate.coordinates, times, model, estimate.scale_factors)

    def _motion(self, recording: Recording, views: Sequence[View]) -> EstimatedMotion:
        data = self.checkpoint.config.data
        # A recording slower than the network's rate is seen as it is, as `odah predict` sees slow videos.
        rate = None if data.rate is None else min(data.rate, recording.rate)
        watched = frames_at_rate(recording.num_frames, recording.rate, rate)
        seen = [_Seen(view, masked, watched, data.size) for view, masked in self._masked(views)]
        prediction = infer(
            self._network(),
            data,
            zip(*seen, strict=True),
            len(watched),
            [view.camera for view in views],
            recording.T_world_ground,
            hop=data.length if self.is_frame_only else None,
        )
        for view, seen_in in zip(views, seen, strict=True):
            if not any(seen_in.is_there):
                raise InputError(view.video, f"nobody in any of {len(watched)} frames", "a person")
        return EstimatedMotion.of(
            prediction, watched / recording.rate, np.array([view.is_there for view in seen])
        )

    def _masked(self, views: Sequence[View]) -> list[tuple[View, Any]]:
        """Each view with what gives its pictures and masks."""
        if all(view.mask is not None for view in views):
            return [(view, GivenMasks(view.mask)) for view in views if view.mask is not None]
        videos = [examine(view.video) for view in views]
        if any(view.crops is not None for view in views):
            raise InputError(
                views[0].video, "crops without masks", "masks, for people are found in full pictures"
            )
        segmenter = BlazePoseSegmenter() if self.yolo is None else YoloSegmenter(self.yolo)
        frames = np.stack([view.frames for view in views])
        found, _ = find_person(videos, [view.camera for view in views], segmenter, frames=frames)
        return list(zip(views, found, strict=True))

    def _masker(self) -> str:
        return "blazepose" if self.yolo is None else f"yolo {file_hash(self.yolo)}"

    def _network(self) -> TwoViewNetwork:
        network = self.checkpoint.network
        if self.is_frame_only and network.temporal is not None:
            config = self.checkpoint.config
            alone = config.network.model_copy(update={"temporal": None})
            network = TwoViewNetwork(alone, config.data)
            weights = self.checkpoint.network.state_dict()
            network.load_state_dict({name: weights[name] for name in network.state_dict()})
        return network.eval().to(device_named(self.device))


@dataclass(frozen=True, eq=False)
class _Seen:
    """Iterating gives the crops of one view; is_there grows with them."""

    view: View
    masked: Any
    watched: np.ndarray
    size: int
    is_there: list[bool] = field(default_factory=list)

    def __iter__(self) -> Iterator[PersonCrop]:
        view, video = self.view, examine(self.view.video)
        cropper = Cropper(view.camera, self.size)
        shown = repeat(None) if view.crops is None else map(tuple, view.crops[self.watched].tolist())
        numbers = view.frames[self.watched].tolist()
        for (image, mask), square in zip(self.masked(video, numbers), shown, strict=False):
            crop = cropper(image, mask, square)
            self.is_there.append(crop.is_person)
            yield crop
