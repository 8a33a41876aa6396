"""Which model of a folder tree an OpenSim motion belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from odah.errors import InputError

_COORDINATE = re.compile(rb"<Coordinate\s+name\s*=\s*[\"']([^\"'<>]+)[\"']")
_MOST = 0.8
"""Share of a motion's columns that its model has; some tables hold other columns beside."""
_FINAL = (
    re.compile(r"(^|_)final$|match_markers_and_physics$|scaled_adjusted$"),
    re.compile(r"match_markers_but_ignore_physics$|(?<!un)scaled$"),
)
_GENERIC = re.compile(r"generic|unscaled")


@dataclass(frozen=True)
class FoundModel:
    """common: the folder nearest to the motion in which, or in a folder of which, the model lies."""

    model: Path
    common: Path


class ResultModels:
    """The models below `root`; with_motions: folders that hold motions of their own."""

    def __init__(self, root: Path, models: list[Path], with_motions: set[Path]) -> None:
        self.root = root
        self._in_folder: dict[Path, list[Path]] = {}
        self._in_child: dict[Path, list[Path]] = {}
        for model in models:
            self._in_folder.setdefault(model.parent, []).append(model)
            if model.parent not in with_motions and model.parent != root:
                self._in_child.setdefault(model.parent.parent, []).append(model)
        self._coordinates: dict[Path, frozenset[str]] = {}
        self._found: dict[tuple[Path, frozenset[str]], FoundModel | None] = {}

    def of(self, motion: Path, coordinates: frozenset[str]) -> FoundModel | None:
        """The nearest model that has a motion's coordinates: in its folder, in one beside or below that,
        then likewise in each folder above, up to the root. A folder beside that holds motions of its own
        keeps its models. Of several the one that was adjusted last, as their names say.

        Raises:
            InputError: their names do not say.
        """
        key = (motion.parent, coordinates)
        if key not in self._found:
            self._found[key] = self._search(motion, coordinates)
        return self._found[key]

    def _search(self, motion: Path, coordinates: frozenset[str]) -> FoundModel | None:
        if not coordinates:
            return None
        folders = [motion.parent, *motion.parent.parents]
        for folder in folders[: folders.index(self.root) + 1]:
            for near in (self._in_folder.get(folder, []), self._in_child.get(folder, [])):
                fitting = [model for model in near if self._fits(model, coordinates)]
                if fitting:
                    return FoundModel(_preferred(fitting, motion), folder)
        return None

    def _fits(self, model: Path, coordinates: frozenset[str]) -> bool:
        if model not in self._coordinates:
            self._coordinates[model] = _coordinates_of(model)
        return len(self._coordinates[model] & coordinates) >= _MOST * len(coordinates)


def _coordinates_of(model: Path) -> frozenset[str]:
    """Names in the file's text, which need not be well-formed XML; none of one that cannot be read."""
    try:
        found = _COORDINATE.findall(model.read_bytes())
    except OSError:
        return frozenset()
    return frozenset(name.decode("utf-8", "replace") for name in found)


def _preferred(models: list[Path], motion: Path) -> Path:
    ranked = sorted(models, key=lambda model: (_rank(model), str(model)))
    best = [model for model in ranked if _rank(model) == _rank(ranked[0])]
    if len(best) > 1:
        told = " and ".join(str(model) for model in best)
        raise InputError(motion, f"the models {told}, which both have its coordinates", "one of them")
    return best[0]


def _rank(model: Path) -> int:
    stem = model.stem.lower()
    if _GENERIC.search(stem):
        return len(_FINAL) + 1
    return next((k for k, pattern in enumerate(_FINAL) if pattern.search(stem)), len(_FINAL))
