"""Sequences for training: pictures of the person in every view, cameras and labels, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import numpy as np
import torch
import torch.utils.data

import odah.dataset.forks  # noqa: F401  before a loader forks
from odah.dataset.label_rows import BY_FRAME
from odah.dataset.packed import entry_folder, packed_folder, packed_window
from odah.dataset.person_pictures import Window, video_window
from odah.dataset.reader import Dataset
from odah.dataset.squares import CropSettings, crop_intrinsics, in_crops
from odah.errors import InputError

Cameras = Literal["true", "calibrated"]


class SequenceDataset(torch.utils.data.Dataset[dict[str, Any]]):
    """Runs of `length` frames of a dataset's clips, in a fixed order; `docs/reading.md` lists what one holds.

    A clip gives the runs that begin at every `stride`-th frame and one that ends with it, so that each frame
    is in a run if `stride` is at most `length`. One that is shorter gives one run, filled up with its last
    frame; `is_frame` is false there.

    Nothing is open between samples and nothing is drawn at random: any process may ask for any sample.

    Attributes:
        num_padded: clips that are shorter than `length`.
    """

    def __init__(
        self,
        dataset: Dataset,
        length: int = 64,
        stride: int | None = None,
        *,
        size: int = 256,
        scale: float = 1.1,
        views: Sequence[str] | None = None,
        cameras: Cameras = "true",
        packed: bool | str | Path = False,
    ) -> None:
        """
        Args:
            length, stride: frames; runs follow each other without overlap if `stride` is None.
            size: side of the pictures, px. scale: the square's side over the longer side of the person's box.
            views: names of cameras, in the order wanted; all if None.
            cameras: those that took the pictures, or what a calibration would say of them.
            packed: read the cache that `odah pack` wrote: True for that inside the dataset, or its folder.

        Raises:
            InputError: no clips, no such view, lengths that are not positive, a clip that is not packed as it
                is now, a damaged clip.json.
        """
        stride = length if stride is None else stride
        for name, value in (("length", length), ("stride", stride)):
            if value < 1:
                raise InputError(f"sequences, {name}", f"{value}", "at least 1 frame")
        if cameras not in get_args(Cameras):
            raise InputError("sequences, cameras", repr(cameras), f"{' or '.join(get_args(Cameras))}")
        if not len(dataset):
            raise InputError(dataset.paths.root, "no clips", "at least one")
        # Clips that appear meanwhile must not shift the others' places.
        self._dataset = replace(dataset, chosen=dataset.clip_ids)
        self._length, self._cameras = length, cameras
        self._settings = CropSettings(size, scale)
        self._views = _known_views(dataset, views)
        self._places = [dataset.views.index(view) for view in self._views]
        counts = [clip.num_frames for clip in dataset]
        self._entries = _entries(dataset, packed, self._settings)
        starts = [_starts(count, length, stride) for count in counts]
        self._clip_of = np.repeat(np.arange(len(starts)), [len(each) for each in starts])
        self._starts = np.concatenate(starts)
        self._stops = np.minimum(self._starts + length, np.array(counts)[self._clip_of])
        self.num_padded = sum(count < length for count in counts)

    def seen_by(self, views: Sequence[str]) -> SequenceDataset:
        """The same runs in other views.

        Raises:
            InputError: no such view.
        """
        other = copy(self)
        other._views = _known_views(self._dataset, views)
        other._places = [self._dataset.views.index(view) for view in other._views]
        return other

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One run, as tensors, with the clip's name and the number of its first frame.

        Raises:
            InputError: a file that is missing or damaged. IndexError: no such run.
        """
        if torch.utils.data.get_worker_info() is not None and cv2.getNumThreads() > 1:
            cv2.setNumThreads(1)  # the workers are as many as there are cores
        place, start = int(self._clip_of[index]), int(self._starts[index])
        clip, stop = self._dataset[place], int(self._stops[index])
        if self._entries is None:
            window = video_window(clip, self._views, start, stop, self._settings)
        else:
            window = packed_window(self._entries[place], self._places, start, stop, self._settings.size)
        return {**self._tensors(window), "clip_id": clip.clip_id, "first_frame": start}

    def _tensors(self, window: Window) -> dict[str, torch.Tensor]:
        rows, size, places = window.rows, self._settings.size, self._places
        suffix = "_calibrated" if self._cameras == "calibrated" else ""
        by_view = {name: rows[name][:, places].swapaxes(0, 1) for name in ("is_in_picture", "is_visible")}
        full = rows["keypoints"][:, places].swapaxes(0, 1)
        keypoints = in_crops(full, window.squares, size)
        is_inside = np.all((keypoints >= -0.5) & (keypoints <= size - 0.5), axis=-1)
        first = rows[0]
        frames = {
            "images": window.images,
            "masks": window.masks,
            "squares": window.squares,
            "is_person": window.is_person,
            "K": crop_intrinsics(first["K" + suffix][places], window.squares, size),
            "keypoints": np.nan_to_num(keypoints, nan=-1.0),
            **{name: flags & is_inside for name, flags in by_view.items()},
        }
        order = np.minimum(np.arange(self._length), len(rows) - 1)
        is_short = len(rows) < self._length
        arrays = {name: array[:, order] if is_short else array for name, array in frames.items()}
        arrays |= {name: rows[name][order] for name in BY_FRAME}
        arrays["is_frame"] = np.arange(self._length) < len(rows)
        arrays["T_cam_world"] = first["T_cam_world" + suffix][places]
        arrays["distortion"] = first["distortion"][places]
        arrays |= {name: first[name].copy() for name in ("T_world_ground", "scale_factors")}
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}


def _known_views(dataset: Dataset, views: Sequence[str] | None) -> tuple[str, ...]:
    wanted = dataset.views if views is None else tuple(views)
    unknown = [view for view in wanted if view not in dataset.views]
    if unknown or not wanted:
        found = repr(unknown[0]) if unknown else "none"
        raise InputError("sequences, views", found, f"some of {', '.join(dataset.views)}")
    return wanted


def _entries(dataset: Dataset, packed: bool | str | Path, settings: CropSettings) -> list[Path] | None:
    """By clip the folder of its entry in the cache."""
    if packed is False:
        return None
    folder = packed_folder(dataset) if packed is True else Path(packed)
    entries = [entry_folder(folder, clip, settings) for clip in dataset]
    missing = [entry.name for entry in entries if not entry.is_dir()]
    if missing:
        found = f"nothing for {len(missing)} of {len(entries)} clips as they are now, such as {missing[0]}"
        given = f" --size {settings.size}" * (settings.size != CropSettings.size)
        given += f" --scale {settings.scale:g}" * (settings.scale != CropSettings.scale)
        given += "" if packed is True else f" --out {folder}"
        expected = f"all of them; run: odah pack {dataset.paths.root}{given}"
        raise InputError(entries[0].parent, found, expected)
    return entries


def _starts(num_frames: int, length: int, stride: int) -> np.ndarray:
    """First frames of a clip's runs."""
    last = max(num_frames - length, 0)
    starts = np.arange(0, last + 1, stride)
    return starts if starts[-1] == last or stride > length else np.append(starts, last)
