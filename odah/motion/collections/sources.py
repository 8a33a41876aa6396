"""The collections that a config can name, and which of their people and takes are used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from odah.motion.collections import bmlmovi, cmu
from odah.motion.collections.opensim_results import scan_results
from odah.motion.collections.scan import natural_key
from odah.motion.collections.take import Take

Tell = Callable[[str], None]
"""Takes lines for the user."""


def _results(root: Path, tell: Tell) -> list[Take]:
    found = scan_results(root)
    if found.passed_over:
        tell(f"{root}: passed over {found.sentence}")
    return list(found.takes)


_FINDERS: Mapping[str, Callable[[Path, Tell], list[Take]]] = {
    "bmlmovi": lambda root, _: bmlmovi.find_takes(root),
    "cmu": lambda root, _: cmu.find_takes(root),
    "opensim": _results,
}


def collection_takes(
    source: str, root: Path, people: int, takes: int, tell: Tell = lambda line: None
) -> list[Take]:
    """The first `takes` of at most so many `people`: of those with most takes, then by name.

    tell: hears of files that look like takes and are none.

    Raises:
        InputError: `root` is no folder of the collection.
    """
    chosen = _chosen(_FINDERS[source](root, tell), people, takes)
    return bmlmovi.with_actions(chosen, root) if source == "bmlmovi" else chosen


def _chosen(found: list[Take], people: int, takes: int) -> list[Take]:
    by_subject: dict[str, list[Take]] = {}
    for take in found:
        by_subject.setdefault(take.subject, []).append(take)
    ranked = sorted(by_subject, key=lambda subject: (-len(by_subject[subject]), natural_key(subject)))
    people_taken = sorted(ranked[:people], key=natural_key)
    return [take for subject in people_taken for take in by_subject[subject][:takes]]
