"""From a config to recordings and methods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from odah.benchmark.config import (
    BenchmarkConfig,
    BmlMoviDataConfig,
    EstimatorConfig,
    FolderConfig,
    JsonKeypointsConfig,
    KeypointsConfig,
    MeanPoseConfig,
    MultiStepConfig,
    OdahDataConfig,
    OpenCapDataConfig,
    Pose2SimConfig,
    TrueKeypointsConfig,
)
from odah.benchmark.datasets.bmlmovi import read_bmlmovi
from odah.benchmark.datasets.odah_dataset import read_odah_dataset
from odah.benchmark.datasets.opencap import read_opencap
from odah.benchmark.method import Method
from odah.benchmark.methods.estimator import Estimator
from odah.benchmark.methods.folder import FolderMethod
from odah.benchmark.methods.mean_pose import MeanPoseMethod
from odah.benchmark.methods.multi_step.blazepose_keypoints import BlazePoseKeypoints
from odah.benchmark.methods.multi_step.json_keypoints import JsonKeypoints
from odah.benchmark.methods.multi_step.keypoint_sets import keypoint_set
from odah.benchmark.methods.multi_step.keypoints import KeypointSource
from odah.benchmark.methods.multi_step.method import MultiStep
from odah.benchmark.methods.multi_step.projected_truth import Noise, ProjectedTruth
from odah.benchmark.methods.pose2sim import Pose2Sim, find_environment
from odah.benchmark.recording import Recording
from odah.dataset.reader import open_dataset
from odah.dataset.schema import file_hash
from odah.errors import InputError
from odah.estimator.checkpoint import checkpoint_file, load_checkpoint
from odah.estimator.devices import device_named
from odah.files import existing_file

Seen = tuple[Recording, tuple[str, ...]]
"""A recording and the one or two cameras of it that are used."""

_AnyData = OdahDataConfig | OpenCapDataConfig | BmlMoviDataConfig
_AnyMethod = EstimatorConfig | MeanPoseConfig | MultiStepConfig | Pose2SimConfig | FolderConfig


def open_recordings(
    config: BenchmarkConfig, folders: Mapping[str, Path], truth: Path, *, strict: bool = False
) -> tuple[list[Seen], list[str]]:
    """The recordings of all datasets, one for each pair of views that is wanted; and what is to be said.

    folders: of datasets by their names, instead of the config's. truth: where motions are kept that are
    solved from a dataset's markers. strict: refuse a dataset that lacks something.

    Raises:
        InputError: a dataset that cannot be read, or of which nothing is chosen; an unknown name in
            `folders`.
    """
    unknown = sorted(set(folders) - set(config.datasets))
    if unknown:
        raise InputError("--data", repr(unknown[0]), f"one of {', '.join(config.datasets)}")
    seen, notes = [], []
    for name, data in config.datasets.items():
        folder = folders.get(name, data.path)
        recordings, told = _read(data, folder, truth / name, strict)
        _expect_known(name, data, recordings)
        chosen = [replace(each, dataset=name) for each in recordings if _is_chosen(each, data)]
        notes += [f"{name}: {note}" for note in told]
        usual = _usual_views(data, folder)
        its = [
            each for recording in chosen for each in _seen(recording, data.views or (usual,), notes, strict)
        ]
        if not its:
            found = f"none of {len(recordings)} recordings is chosen" if not chosen else notes[-1]
            raise InputError(folder, found, "other actions, subjects or views in the config")
        seen += its
    return seen, notes


def open_methods(config: BenchmarkConfig, folders: Mapping[str, Path]) -> list[Method]:
    """The methods, in the config's order. folders: as in `open_recordings`.

    Raises:
        InputError: a file that is missing or cannot be read.
    """
    places = {name: folders.get(name, data.path) for name, data in config.datasets.items()}
    return [_method(name, method, config.seed, places) for name, method in config.methods.items()]


def _read(data: _AnyData, folder: Path, truth: Path, strict: bool) -> tuple[list[Recording], list[str]]:
    if isinstance(data, OdahDataConfig):
        return read_odah_dataset(folder, data.split, cameras=data.cameras, strict=strict)
    if isinstance(data, OpenCapDataConfig):
        return read_opencap(folder, subjects=data.subjects or None, strict=strict)
    return read_bmlmovi(folder, cache=truth, excluded=data.excluded, strict=strict)


def _expect_known(name: str, data: _AnyData, recordings: list[Recording]) -> None:
    """Actions and subjects that nobody has are mistakes."""
    for field, wanted, there in (
        ("actions", data.actions, {recording.action for recording in recordings}),
        ("subjects", data.subjects, {recording.subject for recording in recordings}),
    ):
        unknown = [each for each in wanted if each not in there]
        if unknown:
            raise InputError(
                f"datasets.{name}.{field}", repr(unknown[0]), f"some of {', '.join(sorted(there))}"
            )


def _is_chosen(recording: Recording, data: _AnyData) -> bool:
    is_action = not data.actions or recording.action in data.actions
    return is_action and (not data.subjects or recording.subject in data.subjects)


def _seen(
    recording: Recording, pairs: Sequence[tuple[str, ...]], notes: list[str], strict: bool
) -> Iterator[Seen]:
    for views in pairs:
        missing = [view for view in views if view not in recording.views]
        if not missing:
            yield recording, views
            continue
        told = f"{recording.dataset}, {recording.name}: no camera {missing[0]}"
        if strict:
            raise InputError(told, f"{', '.join(recording.views)}", "the config's views")
        notes.append(f"{told}, so it is left out")


def _usual_views(data: _AnyData, folder: Path) -> tuple[str, ...]:
    if isinstance(data, OpenCapDataConfig):
        return "Cam1", "Cam3"
    if isinstance(data, BmlMoviDataConfig):
        return "PG1", "PG2"
    return open_dataset(folder).views[:2]


def _method(name: str, method: _AnyMethod, seed: int, places: Mapping[str, Path]) -> Method:
    if isinstance(method, EstimatorConfig):
        file = checkpoint_file(method.checkpoint)
        weights = file_hash(file)
        device_named(method.device)
        if method.yolo is not None:
            existing_file(method.yolo, "weights of a YOLO segmenter")
        return Estimator(
            name, load_checkpoint(file), weights, method.is_frame_only, method.yolo, method.device
        )
    if isinstance(method, MeanPoseConfig):
        dataset = open_dataset(places.get(str(method.dataset), method.dataset))
        view = method.view or dataset.views[0]
        if view not in dataset.views:
            raise InputError(f"methods.{name}.view", repr(view), f"one of {', '.join(dataset.views)}")
        return MeanPoseMethod.of(name, dataset, view)
    if isinstance(method, FolderConfig):
        return FolderMethod(name, _folder(method.path))
    if isinstance(method, Pose2SimConfig):
        environment = find_environment(method.python, f"methods.{name}.python")
        source = _keypoints(method.keypoints, seed)
        return Pose2Sim(name, source, environment, method.augment, method.settings, method.time_limit)
    return MultiStep(name, _keypoints(method.keypoints, seed), method.settings)


def _keypoints(keypoints: KeypointsConfig, seed: int) -> KeypointSource:
    if isinstance(keypoints, TrueKeypointsConfig):
        noise = Noise(keypoints.noise_px, keypoints.noise_mm, keypoints.correlation_time, seed)
        return ProjectedTruth(keypoint_set(keypoints.keypoint_set).name, noise)
    if isinstance(keypoints, JsonKeypointsConfig):
        return JsonKeypoints(
            _folder(keypoints.path), keypoints.pattern, keypoint_set(keypoints.keypoint_set).name
        )
    return BlazePoseKeypoints()


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise InputError(path, "no such folder", "one of results that were made elsewhere")
    return path
