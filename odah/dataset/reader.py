"""Opening a dataset: its clips by name, split and subset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from odah.dataset.clip import Clip
from odah.dataset.clip_labels import ClipLabels, read_labels
from odah.dataset.records import read_info
from odah.dataset.schema import SPLITS, DatasetPaths, open_folder
from odah.dataset.squares import in_crops
from odah.errors import InputError

__all__ = ["Clip", "ClipLabels", "Dataset", "in_crops", "open_dataset", "read_labels"]


@dataclass(frozen=True)
class Dataset:
    """An opened dataset folder, or the clips of it that were chosen.

    `for clip in dataset` holds one clip at a time; `dataset.clips` keeps what was read of each.

    info: `dataset.json`. chosen: names of clips; None for all.
    """

    paths: DatasetPaths
    info: dict[str, Any]
    chosen: tuple[str, ...] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Dataset, (self.paths, self.info, self.chosen)  # without the clips and what was read of them

    @property
    def views(self) -> tuple[str, ...]:
        """Names of the cameras, in the labels' order."""
        return tuple(self.info["views"])

    @property
    def crop_size(self) -> int | None:
        """Side of the square pictures, px, where they show only the person; None for full frames."""
        return self.info["crop_size"]

    @property
    def rate(self) -> float:
        """Frames a second."""
        return self.info["rate"]

    @cached_property
    def clip_ids(self) -> tuple[str, ...]:
        """Names of finished clips in order; temporary folders start with a dot and are not listed."""
        if self.chosen is not None:
            return self.chosen
        folders = self.paths.clips.iterdir() if self.paths.clips.is_dir() else ()
        return tuple(
            sorted(folder.name for folder in folders if folder.is_dir() and not folder.name.startswith("."))
        )

    @cached_property
    def clips(self) -> list[Clip]:
        """The clips in name order."""
        return list(self)

    def __len__(self) -> int:
        return len(self.clip_ids)

    def __iter__(self) -> Iterator[Clip]:
        return map(self._clip, self.clip_ids)

    def __getitem__(self, key: str | int) -> Clip:
        """A clip by its name or its place.

        Raises:
            InputError: no clip of that name. IndexError: no such place.
        """
        if isinstance(key, int):
            return self._clip(self.clip_ids[key])
        if key not in self:
            raise InputError(self.paths.clips, f"no clip {key!r}", f"one of {len(self)} clips")
        return self._clip(key)

    def __contains__(self, clip_id: object) -> bool:
        return clip_id in self._known

    def split(self, name: str) -> Dataset:
        """The clips of one split: train, val or test.

        Raises:
            InputError: no split is called so; a damaged clip.json.
        """
        if name not in SPLITS:
            raise InputError("split", repr(name), f"one of {', '.join(SPLITS)}")
        return self.where(lambda clip: clip.split == name)

    def subset(self, name: str) -> Dataset:
        """The clips of one of the config's subsets, such as small.

        Raises:
            InputError: no clip belongs to it; a damaged clip.json.
        """
        known: set[str] = set()
        chosen = self.where(lambda clip: known.update(clip.subsets) or name in clip.subsets)
        if not len(chosen):
            there = f"one of {', '.join(sorted(known))}" if known else "a dataset whose config has subsets"
            raise InputError(f"{self.paths.root}: subset", repr(name), there)
        return chosen

    def where(self, belongs: Callable[[Clip], bool]) -> Dataset:
        """The clips for which `belongs` is true."""
        return Dataset(self.paths, self.info, tuple(clip.clip_id for clip in self if belongs(clip)))

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.clip_ids)

    def _clip(self, clip_id: str) -> Clip:
        return Clip(self.paths.clip(clip_id), self.paths, self.info)


def open_dataset(path: str | Path) -> Dataset:
    """Open a dataset folder.

    Raises:
        InputError: not a dataset, or of another schema version.
    """
    paths = open_folder(path)
    return Dataset(paths, read_info(paths))
