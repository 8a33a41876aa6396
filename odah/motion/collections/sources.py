"""The collections that a config can name, and which of their people and takes are used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from odah.motion.collections import bmlmovi, cmu
from odah.motion.collections.opensim_results import find_results
from odah.motion.collections.scan import natural_key
from odah.motion.collections.take import Take

_FINDERS: Mapping[str, Callable[[Path], list[Take]]] = {
    "bmlmovi": bmlmovi.find_takes,
    "cmu": cmu.find_takes,
    "opensim": find_results,
}


def collection_takes(source: str, root: Path, people: int, takes: int) -> list[Take]:
    """The first `takes` of at most so many `people`: of those with most takes, then by name.

    Raises:
        InputError: `root` is no folder of the collection.
    """
    chosen = _chosen(_FINDERS[source](root), people, takes)
    return bmlmovi.with_actions(chosen, root) if source == "bmlmovi" else chosen


def _chosen(found: list[Take], people: int, takes: int) -> list[Take]:
    by_subject: dict[str, list[Take]] = {}
    for take in found:
        by_subject.setdefault(take.subject, []).append(take)
    ranked = sorted(by_subject, key=lambda subject: (-len(by_subject[subject]), natural_key(subject)))
    people_taken = sorted(ranked[:people], key=natural_key)
    return [take for subject in people_taken for take in by_subject[subject][:takes]]
