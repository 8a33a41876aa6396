"""Reading clips back."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from odah.dataset.schema import CROPPED_ONLY, LABEL_SHAPES, DatasetPaths, PictureKind, open_folder
from odah.dataset.writer import read_info, read_record
from odah.errors import InputError


def read_labels(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a `labels.npz`, checked for presence and shape (never unpickled).

    Raises:
        InputError: unreadable, an array missing, or of another shape.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            labels = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        raise InputError(path, "no readable arrays", "a labels.npz") from None
    sizes: dict[str, int] = {}
    for name, shape in LABEL_SHAPES.items():
        if name not in labels:
            if name in CROPPED_ONLY:
                continue
            raise InputError(f"{path}: {name}", "nothing", "an array")
        _check_shape(f"{path}: {name}", labels[name].shape, shape, sizes)
    return labels


def _check_shape(
    where: str, found: tuple[int, ...], expected: tuple[str | int, ...], sizes: dict[str, int]
) -> None:
    fits = len(found) == len(expected) and all(
        size == (sizes.setdefault(letter, size) if isinstance(letter, str) else letter)
        for size, letter in zip(found, expected, strict=False)
    )
    if not fits:
        known = tuple(sizes.get(str(letter), letter) for letter in expected)
        raise InputError(where, f"shape {found}", f"shape {known}")


@dataclass(frozen=True)
class Clip:
    """A finished clip on disk; files are read when asked for."""

    folder: Path

    @property
    def clip_id(self) -> str:
        return self.folder.name

    @cached_property
    def record(self) -> dict[str, Any]:
        """`clip.json`: plan, scene, sources, error budget, hashes."""
        return read_record(self.folder / "clip.json")

    @cached_property
    def labels(self) -> dict[str, np.ndarray]:
        return read_labels(self.folder / "labels.npz")

    def video(self, view: str) -> Path:
        return self.folder / f"{view}.mp4"

    def picture(self, view: str, kind: PictureKind) -> Path:
        """The video of masks, body parts, depth or normals that belongs to a view's pictures."""
        return self.folder / f"{view}_{kind}.mkv"

    def video_keypoints(self, v: int, crop_size: int | None) -> np.ndarray:
        """(T, J, 2) joints in pixels of the v-th view's video, which may show crops of `crop_size` px."""
        keypoints = self.labels["keypoints"][v]
        return keypoints if crop_size is None else in_crops(keypoints, self.labels["crops"][v], crop_size)


def in_crops(pixels: np.ndarray, crops: np.ndarray, size: int) -> np.ndarray:
    """Pixels (T, P, 2) of the full pictures in those of their crops.

    crops: (T, 3) left, top and side of each square, px, measured from the full picture's edge. size: px.
    """
    corner, side = crops[:, None, :2], crops[:, None, 2:]
    return (pixels + 0.5 - corner) * (size / side) - 0.5


@dataclass(frozen=True)
class Dataset:
    """An opened dataset folder."""

    paths: DatasetPaths
    info: dict[str, Any]

    @property
    def views(self) -> tuple[str, ...]:
        """Names of the cameras, in the labels' order."""
        return tuple(self.info["views"])

    @property
    def crop_size(self) -> int | None:
        """Side of the square pictures, px, where they show only the person; None for full frames."""
        return self.info["crop_size"]

    @cached_property
    def clips(self) -> list[Clip]:
        """Finished clips in name order; temporary folders start with a dot and are not listed."""
        folders = sorted(self.paths.clips.iterdir()) if self.paths.clips.is_dir() else []
        return [Clip(folder) for folder in folders if folder.is_dir() and not folder.name.startswith(".")]


def open_dataset(path: str | Path) -> Dataset:
    """Open a dataset folder.

    Raises:
        InputError: not a dataset, or of another schema version.
    """
    paths = open_folder(path)
    return Dataset(paths, read_info(paths))
