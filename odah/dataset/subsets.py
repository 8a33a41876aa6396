"""Subsets of the train split, each of which holds the smaller ones; the paper's small, medium and large."""

from __future__ import annotations

from collections.abc import Mapping

from odah.config import SubsetConfig
from odah.dataset.schema import seeded_rng


def subset_members(
    train: Mapping[str, str], subsets: Mapping[str, SubsetConfig], seed: int
) -> dict[str, frozenset[str]]:
    """By subset the names of its train clips; the orders that decide are told by the seed alone.

    train: subject by name of clip. subsets: from small to large, as the config has them. Each takes all of
    the one before, then further clips of its subjects until it has as many as it asks for.
    """
    subjects = _shuffled(list(dict.fromkeys(train.values())), seed, "subset subjects")
    order = _shuffled([*train], seed, "subset clips")
    members: dict[str, frozenset[str]] = {}
    chosen: frozenset[str] = frozenset()
    for name, subset in subsets.items():
        allowed = set(subjects[: subset.subjects])
        more = [clip for clip in order if clip not in chosen and train[clip] in allowed]
        chosen |= set(more[: max(0, subset.clips - len(chosen))])
        members[name] = chosen
    return members


def _shuffled(names: list[str], seed: int, purpose: str) -> list[str]:
    return [names[int(k)] for k in seeded_rng(seed, purpose).permutation(len(names))]
