"""The dataset folder: names, versions and the plain records that its files hold."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from odah.errors import InputError

SCHEMA_VERSION = 4
CONTENT_VERSION = 1
"""To be raised whenever the same inputs make another clip, so that finished ones are made again."""
INFO_KEYS = (
    "name", "seed", "config", "rate", "views", "pictures", "crop_size", "body_parts", "coordinate_names",
    "coordinate_ranges", "body_names", "joint_names", "marker_names",
)  # fmt: skip
"""What `dataset.json` must hold beside its schema version."""
SPLITS = ("train", "val", "test")

LABEL_SHAPES: dict[str, tuple[str | int, ...]] = {
    "time": ("T",),
    "coordinates": ("T", "C"),
    "scale_factors": ("K", 3),
    "joints": ("T", "J", 3),
    "body_coms": ("T", "K", 3),
    "markers": ("T", "M", 3),
    "T_world_ground": (4, 4),
    "K": ("V", 3, 3),
    "T_cam_world": ("V", 4, 4),
    "distortion": ("V", 5),
    "K_calibrated": ("V", 3, 3),
    "T_cam_world_calibrated": ("V", 4, 4),
    "crops": ("V", "T", 3),
    "keypoints": ("V", "T", "J", 2),
    "part_at_joint": ("V", "T", "J"),
    "is_in_picture": ("V", "T", "J"),
    "is_visible": ("V", "T", "J"),
    "betas": ("B",),
    "poses": ("T", 55, 3),
    "transl": ("T", 3),
}
"""Arrays of `labels.npz`. Units: rad, m, s, px. `joints`, `body_coms` and `markers` are in OpenSim's
ground; body pose parameters are in world; the order of coordinates, joints, bodies, markers and views is in
`dataset.json`."""
CROPPED_ONLY = ("crops",)
"""Arrays that only a dataset of crops has."""
MAY_BE_NAN = ("keypoints",)
"""Where a joint is behind a camera, it has no pixel."""

BUDGET_KEYS = (
    "mesh_joint_mean_mm", "mesh_joint_p95_mm", "mesh_marker_mean_mm", "mesh_marker_p95_mm", "reprojection_px",
    "joints_inside_mask", "share_outside_views", "sliding_mesh_mm", "sliding_skeleton_mm",
    "sliding_excess_mm", "sliding_excess_p95_mm", "penetration_mean_mm", "penetration_p95_mm",
    "penetration_max_mm", "floating_p95_mm", "self_penetration_mm",
)  # fmt: skip
"""Numbers that the error budget in `clip.json` must hold; those from `sliding_mesh_mm` on since version 2."""

PictureKind = Literal["mask", "parts", "depth", "normals"]


def video_files(info: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the videos of every clip: pictures, and what labels them; info: `dataset.json`."""
    endings = (".mp4", *(f"_{kind}.mkv" for kind in info["pictures"]))
    return tuple(f"{view}{ending}" for view in info["views"] for ending in endings)


def clip_files(info: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the files of every clip beside `clip.json`."""
    return ("labels.npz", "kinematics.mot", "markers.trc", *video_files(info))


@dataclass(frozen=True)
class DatasetPaths:
    """Where things are in a dataset folder."""

    root: Path

    @property
    def info(self) -> Path:
        return self.root / "dataset.json"

    @property
    def index(self) -> Path:
        return self.root / "index.parquet"

    def split(self, name: str) -> Path:
        """The rows of the index that belong to a split."""
        return self.splits / f"{name}.parquet"

    @property
    def splits(self) -> Path:
        return self.root / "splits"

    @property
    def card(self) -> Path:
        return self.root / "README.md"

    @property
    def croissant(self) -> Path:
        return self.root / "croissant.json"

    @property
    def report(self) -> Path:
        return self.root / "report" / "index.html"

    @property
    def state(self) -> Path:
        """What runs keep here for themselves: locks and caches; readers ignore it."""
        return self.root / ".odah"

    def lock(self, name: str) -> Path:
        """The file that is locked while something that several runs share is written."""
        return self.state / f"{name}.lock"

    @property
    def hashes(self) -> Path:
        """What hashes files have that clips are made from."""
        return self.state / "hashes.json"

    @property
    def clips(self) -> Path:
        return self.root / "clips"

    def clip(self, clip_id: str) -> Path:
        return self.clips / clip_id

    @property
    def subjects(self) -> Path:
        return self.root / "subjects"

    def subject(self, subject: str) -> Path:
        return self.subjects / subject


def open_folder(path: str | Path) -> DatasetPaths:
    """The paths of an existing dataset.

    Raises:
        InputError: the folder is missing or is not a dataset.
    """
    paths = DatasetPaths(Path(path))
    if not paths.root.is_dir():
        raise InputError(path, "no such folder", "a dataset folder")
    if not paths.info.is_file():
        raise InputError(path, "a folder without dataset.json", "a dataset folder")
    return paths


def seeded_rng(seed: int, *names: str) -> np.random.Generator:
    """The one generator of a clip or subject: a function of the dataset's seed and the names alone."""
    digest = hashlib.sha256("/".join(names).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
