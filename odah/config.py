"""Configuration of a dataset: one YAML file, validated field by field, read-only afterwards."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from odah.clothing.clothing_config import ClothingConfig
from odah.errors import InputError
from odah.names import BMLMOVI_ACTIONS
from odah.scene.camera_config import CameraConfig
from odah.scene.config import LightConfig, RoomConfig
from odah.scene.crops import CropConfig
from odah.sections import NonNegative, Positive, PositiveRange, Section, Share, load_sections


class Recording(Section):
    """One recorded motion. Paths are relative to `motion.root`, or else to the config file.

    subject: recordings of one person share a name, and with it model, body and clothes; by default
        each recording is a person of its own.
    osim: the model a `.mot`/`.sto` belongs to.
    up, unit, rate: say what the file leaves open or has wrong (BVH, C3D).
    """

    path: str
    subject: str | None = None
    action: str | None = None
    start: NonNegative = 0.0
    duration: Positive | None = None
    gender: Literal["male", "female", "neutral"] | None = None
    osim: str | None = None
    up: Literal["y", "z"] | None = None
    unit: Positive | None = None
    rate: Positive | None = None
    licence: str | None = None


class MotionConfig(Section):
    """Where motion comes from: a source, further built-in actions, further recordings; see
    docs/motion_sources.md."""

    source: Literal["builtin", "bmlmovi", "cmu", "opensim"] | None = None
    """All built-in actions, or the collection of recordings that lies in `root`."""
    root: str | None = None
    """Folder of the source's files and of `recordings`."""
    takes: Annotated[int, Field(ge=1)] = 21
    """Most takes of a person of a collection; those that come first are taken."""
    licence: str | None = None
    """Of a source whose files tell none, such as one's own results of OpenSim."""
    actions: tuple[str, ...] = ()
    """Built-in actions; each synthetic person performs all of them."""
    recordings: tuple[Recording, ...] = ()

    @property
    def builtin_actions(self) -> tuple[str, ...]:
        """What the synthetic people do; nothing if there are none."""
        return self.actions or (BMLMOVI_ACTIONS if self.source == "builtin" else ())

    @field_validator("actions")
    @classmethod
    def _known(cls, actions: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(action.strip().lower().replace(" ", "_") for action in actions)
        for name in names:
            if name not in BMLMOVI_ACTIONS:
                known = ", ".join(BMLMOVI_ACTIONS)
                raise ValueError(f"built-in actions ({known}), of which {name!r} is none")
        return names

    @field_validator("recordings", mode="before")
    @classmethod
    def _plain_paths(cls, recordings: Any) -> Any:
        if isinstance(recordings, list | tuple):
            return [{"path": entry} if isinstance(entry, str) else entry for entry in recordings]
        return recordings

    @model_validator(mode="after")
    def _something(self) -> MotionConfig:
        if self.source is None and not self.actions and not self.recordings:
            raise ValueError("names neither actions nor recordings nor a source")
        if self.source not in (None, "builtin") and self.root is None:
            raise ValueError(f"needs `root`, the folder of the source {self.source!r}")
        return self


class SubjectsConfig(Section):
    """The synthetic people who perform the built-in actions; statures and BMI are sampled in range."""

    count: Annotated[int, Field(ge=1, le=100_000)] = 2
    """Of synthetic people, and the most of a collection: those with most takes first, then by name."""
    height: PositiveRange = (1.50, 1.95)
    bmi: PositiveRange = (18.0, 32.0)
    age: PositiveRange = (18.0, 75.0)
    female_share: Share = 0.5
    split: tuple[NonNegative, NonNegative, NonNegative] = (0.75, 0.107, 0.143)
    """Shares of subjects in train, val and test; the paper's 42/6/8 of 56."""
    bmi_variants: tuple[Annotated[float, Field(ge=-12, le=12, allow_inf_nan=False)], ...] = ()
    """Each clip shows its subject with a body mass index changed by one of these, kg/m^2; none: unchanged."""


class SubsetConfig(Section):
    """A part of the train split: its first `subjects` in an order of the seed's, at most `clips` of theirs.

    Clips of val and test belong to every subset."""

    subjects: Annotated[int, Field(ge=1)]
    clips: Annotated[int, Field(ge=1)]


class ClipConfig(Section):
    duration: Positive = 10.0
    rate: Annotated[float, Field(gt=0, le=1000)] = 60.0


class VideoConfig(Section):
    width: Annotated[int, Field(ge=32, le=8192, multiple_of=2)] = 1080
    height: Annotated[int, Field(ge=32, le=8192, multiple_of=2)] = 720
    crf: Annotated[int, Field(ge=0, le=51)] = 23
    """H264 quality: 0 lossless to 51."""
    crop: CropConfig | None = None
    """Square pictures that show only the person; without, full frames of width x height."""

    @property
    def crop_size(self) -> int | None:
        """Side of the square pictures, px."""
        return None if self.crop is None else self.crop.size


class RenderConfig(Section):
    engine: Literal["auto", "eevee", "cycles", "workbench"] = "auto"
    samples: Annotated[int, Field(ge=1, le=4096)] = 4
    threads: Annotated[int, Field(ge=0)] = 0
    """0: as many as the machine has."""
    labels: tuple[Literal["parts", "depth", "normals"], ...] = ("parts",)
    """Videos beside the person masks: body parts, depth, normals."""
    device: Literal["auto", "cpu", "gpu"] = "auto"
    """Of Cycles."""
    allow_software_gl: bool = False
    """Whether EEVEE and Workbench may draw with an OpenGL that runs on the CPU."""
    workers: Annotated[int, Field(ge=0, le=1024)] = 0
    """Clips made side by side, each with a Blender of its own; 0: as suits the machine."""
    workers_per_gpu: Annotated[int, Field(ge=1, le=64)] = 4
    timeout: Positive = 600.0
    """Longest wait for one frame, s."""
    start_timeout: Positive = 900.0
    """Longest wait for Blender's start and its first frame, before which shaders are compiled, s."""
    retries: Annotated[int, Field(ge=0, le=100)] = 1
    """How often a clip is tried again after Blender crashed or hung."""
    clips_per_worker: Annotated[int, Field(ge=1)] = 50
    """Clips after which Blender is started afresh."""


class GenerateConfig(Section):
    """A dataset, whole: same config and seed, same labels, on any machine."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
    motion: MotionConfig
    seed: Annotated[int, Field(ge=0)] = 0
    body: str = "open"
    """"open", or the path of an SMPLX_*.npz file, relative to the config file."""
    registration: str | None = None
    """Path of what `odah regressor fit` wrote for a body other than the open one."""
    subjects: SubjectsConfig = SubjectsConfig()
    subsets: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")], SubsetConfig] = Field(
        default_factory=dict
    )
    """By name; each must hold the smaller ones."""
    clip: ClipConfig = ClipConfig()
    clothing: ClothingConfig = ClothingConfig()
    video: VideoConfig = VideoConfig()
    cameras: CameraConfig = CameraConfig()
    room: RoomConfig = RoomConfig()
    light: LightConfig = LightConfig()
    render: RenderConfig = RenderConfig()

    @field_validator("subsets")
    @classmethod
    def _nested(cls, subsets: dict[str, SubsetConfig]) -> dict[str, SubsetConfig]:
        ordered = sorted(subsets.items(), key=lambda item: (item[1].subjects, item[1].clips))
        for (smaller, inner), (larger, outer) in pairwise(ordered):
            if inner.clips > outer.clips:
                told = f"{larger!r} has more subjects than {smaller!r} but fewer clips"
                raise ValueError(f"subsets that hold one another, but {told}")
        return dict(ordered)

    @model_validator(mode="after")
    def _can_be_filmed(self) -> GenerateConfig:
        stress = self.cameras.stress
        if self.video.crop is not None and any(stress.distortion):
            raise InputError(
                "cameras.stress.distortion", f"{list(stress.distortion)} beside video.crop",
                "one of the two, for a crop has no lens",
            )  # fmt: skip
        if stress.rolling_shutter * self.clip.rate > 1:
            raise InputError(
                "cameras.stress.rolling_shutter", f"{stress.rolling_shutter:g} s",
                f"at most the {1 / self.clip.rate:.4f} s of a frame",
            )  # fmt: skip
        return self


def load_config(path: str | Path) -> GenerateConfig:
    """Read and check a generate config.

    Raises:
        InputError: missing file, bad YAML, unknown or missing key, value out of range.
    """
    return load_sections(path, GenerateConfig)
