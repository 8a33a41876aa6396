"""Configuration of a benchmark: which methods on which recordings; one YAML file, read-only afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from odah.benchmark.datasets.bmlmovi import EXCLUDED
from odah.benchmark.methods.multi_step.settings import MultiStepSettings
from odah.errors import InputError
from odah.names import OPENSIM_COORDINATES
from odah.sections import NonNegative, Positive, Section

_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.,+ -]*$")]
_Views = Annotated[tuple[str, ...], Field(min_length=1, max_length=2)]


class _DataConfig(Section):
    """views: pairs of cameras (or single ones), by name; each is judged for itself. actions, subjects: only
    those; all if empty."""

    path: Path
    views: tuple[_Views, ...] = ()
    actions: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()


class OdahDataConfig(_DataConfig):
    """One of our own datasets. cameras: as they are, or as a calibration would say. Without views its first
    two."""

    kind: Literal["odah"] = "odah"
    split: Literal["train", "val", "test"] = "test"
    cameras: Literal["true", "calibrated"] = "true"


class OpenCapDataConfig(_DataConfig):
    """OpenCap's LabValidation folder; without views Cam1 and Cam3, 45 degrees to either side."""

    kind: Literal["opencap"] = "opencap"


class BmlMoviDataConfig(_DataConfig):
    """BMLmovi's folder; without views PG1 and PG2. excluded: motions that are left out, by default those that
    the ODAH paper leaves out."""

    kind: Literal["bmlmovi"] = "bmlmovi"
    excluded: tuple[str, ...] = EXCLUDED


DataConfig = Annotated[OdahDataConfig | OpenCapDataConfig | BmlMoviDataConfig, Field(discriminator="kind")]


class EstimatorConfig(Section):
    """Our network. checkpoint: a file or `compact`. yolo: weights that find the person where a dataset has no
    masks; None for BlazePose."""

    kind: Literal["estimator"] = "estimator"
    checkpoint: str = "compact"
    is_frame_only: bool = False
    yolo: Path | None = None
    device: Literal["auto", "cpu", "gpu"] = "auto"


class MeanPoseConfig(Section):
    """dataset: one of ours, whose split train is averaged: a folder, or the name of one of `datasets`.

    view: its camera that stands for the first one.
    """

    kind: Literal["mean_pose"] = "mean_pose"
    dataset: Path
    view: str | None = None


class TrueKeypointsConfig(Section):
    """The truth, projected, with noise. noise_mm: standard deviation along each axis of the picture, at the
    keypoint's depth. noise_px: in the full picture. correlation_time: s, of the noise of one keypoint from
    frame to frame; 0: none."""

    source: Literal["truth"] = "truth"
    keypoint_set: str = "body_25"
    noise_mm: NonNegative = 0.0
    noise_px: NonNegative = 0.0
    correlation_time: NonNegative = 0.0


class BlazePoseKeypointsConfig(Section):
    """From the videos, by the network that comes with MediaPipe."""

    source: Literal["blazepose"] = "blazepose"


class JsonKeypointsConfig(Section):
    """JSON files as OpenPose writes them, one a frame. pattern: a view's folder under `path`, with
    {recording}, {subject}, {action} and {view}."""

    source: Literal["json"] = "json"
    path: Path
    pattern: str = "{recording}/{view}"
    keypoint_set: str = "halpe_26"


KeypointsConfig = Annotated[
    TrueKeypointsConfig | BlazePoseKeypointsConfig | JsonKeypointsConfig, Field(discriminator="source")
]


class MultiStepConfig(Section):
    """Keypoints, triangulation, filter, scaling, inverse kinematics."""

    kind: Literal["multi_step"] = "multi_step"
    keypoints: KeypointsConfig = TrueKeypointsConfig()
    settings: MultiStepSettings = MultiStepSettings()


class Pose2SimConfig(Section):
    """Pose2Sim itself, in its own environment. python: of that; if None ODAH_POSE2SIM_PYTHON names it.
    augment: with OpenCap's marker enhancer. settings: sections of its Config.toml with values that are not to
    be the shipped ones. time_limit: s, of a recording."""

    kind: Literal["pose2sim"] = "pose2sim"
    python: Path | None = None
    keypoints: KeypointsConfig = TrueKeypointsConfig()
    augment: bool = False
    settings: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    time_limit: Positive = 1800.0


class FolderConfig(Section):
    """Motions that were estimated elsewhere; see `odah.benchmark.methods.folder`."""

    kind: Literal["folder"] = "folder"
    path: Path


MethodConfig = Annotated[
    EstimatorConfig | MeanPoseConfig | MultiStepConfig | Pose2SimConfig | FolderConfig,
    Field(discriminator="kind"),
]


class BenchmarkConfig(Section):
    """A benchmark, whole. Methods and datasets by the names that tables give them.

    without_coordinates: angles that the main table and the plots leave out, as what some method cannot tell.
    seed: of bootstraps and of drawn noise.
    """

    name: _Name
    seed: Annotated[int, Field(ge=0)] = 0
    without_coordinates: tuple[str, ...] = ()
    datasets: Annotated[dict[_Name, DataConfig], Field(min_length=1)]
    methods: Annotated[dict[_Name, MethodConfig], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_are_known(self) -> BenchmarkConfig:
        unknown = [name for name in self.without_coordinates if name not in OPENSIM_COORDINATES]
        if unknown:
            raise InputError("without_coordinates", repr(unknown[0]), "coordinates of the full-body model")
        for name, data in self.datasets.items():
            for views in data.views:
                if len(set(views)) < len(views):
                    raise InputError(f"datasets.{name}.views", f"{list(views)}", "two different cameras")
            if len(set(data.views)) < len(data.views):
                raise InputError(f"datasets.{name}.views", "the same cameras twice", "each pair once")
        return self
