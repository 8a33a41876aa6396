"""From a config to recordings and methods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from odah.benchmark.methods.multi_step.keypoints import KeypointSource
from odah.benchmark.methods.multi_step.method import MultiStep
from odah.benchmark.methods.multi_step.projected_truth import Noise, ProjectedTruth
from odah.benchmark.recording import Recording
from odah.dataset.reader import open_dataset
from odah.dataset.schema import file_hash
from odah.errors import InputError
from odah.estimator.checkpoint import checkpoint_file, load_checkpoint

Seen = tuple[Recording, tuple[str, ...]]
"""A recording and the one or two cameras of it that are used."""

_AnyData = OdahDataConfig | OpenCapDataConfig | BmlMoviDataConfig
_AnyMethod = EstimatorConfig | MeanPoseConfig | MultiStepConfig | FolderConfig


def open_recordings(
    config: BenchmarkConfig, folders: Mapping[str, Path], *, strict: bool = False
) -> tuple[list[Seen], list[str]]:
    """All recordings of all datasets, each as often as pairs of views are wanted; and what has to be said.

    folders: of datasets by their names, instead of the config's. strict: refuse a dataset that lacks
    something.

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
        recordings, told = _read(data, folder, strict)
        chosen = [replace(each, dataset=name) for each in recordings if _is_chosen(each, data)]
        if not chosen:
            expected = "other actions or subjects in the config"
            raise InputError(folder, f"none of {len(recordings)} recordings is chosen", expected)
        notes += [f"{name}: {note}" for note in told]
        for recording in chosen:
            seen += _seen(recording, data, notes, strict)
    return seen, notes


def open_methods(config: BenchmarkConfig) -> list[Method]:
    """The methods, in the config's order.

    Raises:
        InputError: a file that is missing or cannot be read.
    """
    return [_method(name, method, config.seed) for name, method in config.methods.items()]


def _read(data: _AnyData, folder: Path, strict: bool) -> tuple[list[Recording], list[str]]:
    if isinstance(data, OdahDataConfig):
        return read_odah_dataset(folder, data.split, cameras=data.cameras, strict=strict)
    if isinstance(data, OpenCapDataConfig):
        return read_opencap(folder, strict=strict)
    return read_bmlmovi(folder, cache=data.truth, strict=strict)


def _is_chosen(recording: Recording, data: _AnyData) -> bool:
    return recording.action in (data.actions or (recording.action,)) and recording.subject in (
        data.subjects or (recording.subject,)
    )


def _seen(recording: Recording, data: _AnyData, notes: list[str], strict: bool) -> Iterator[Seen]:
    for views in data.views or (_usual_views(recording, data),):
        missing = [view for view in views if view not in recording.views]
        if not missing:
            yield recording, views
            continue
        told = f"{recording.dataset}, {recording.name}: no camera {missing[0]}"
        if strict:
            raise InputError(told, f"{', '.join(recording.views)}", "the config's views")
        notes.append(f"{told}, so it is left out")


def _usual_views(recording: Recording, data: _AnyData) -> tuple[str, ...]:
    if isinstance(data, OpenCapDataConfig):
        return "Cam1", "Cam3"
    return tuple(recording.views)[:2]


def _method(name: str, method: _AnyMethod, seed: int) -> Method:
    if isinstance(method, EstimatorConfig):
        file = checkpoint_file(method.checkpoint)
        weights = file_hash(file)
        return Estimator(
            name, load_checkpoint(file), weights, method.is_frame_only, method.yolo, method.device
        )
    if isinstance(method, MeanPoseConfig):
        dataset = open_dataset(method.dataset)
        return MeanPoseMethod.of(name, dataset, method.view or dataset.views[0])
    if isinstance(method, FolderConfig):
        return FolderMethod(name, method.path)
    return MultiStep(name, _keypoints(method.keypoints, seed), method.settings)


def _keypoints(keypoints: KeypointsConfig, seed: int) -> KeypointSource:
    if isinstance(keypoints, TrueKeypointsConfig):
        noise = Noise(keypoints.noise_px, keypoints.noise_mm, keypoints.correlation_time, seed)
        return ProjectedTruth(keypoints.keypoint_set, noise)
    if isinstance(keypoints, JsonKeypointsConfig):
        return JsonKeypoints(keypoints.path, keypoints.pattern, keypoints.keypoint_set)
    return BlazePoseKeypoints()
