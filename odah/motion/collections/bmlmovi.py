"""BMLmovi, the MoVi recordings in AMASS: 90 people, 21 takes each (Ghorbani et al. 2021).

Files are numbered, and the order of actions differs from person to person. Which it was is told by the
`motions_list` of the person's `F_v3d_Subject_N.mat`, which MoVi gives out apart from AMASS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from odah.errors import InputError
from odah.motion.collections.scan import folder_files
from odah.motion.collections.take import Take
from odah.workers import Failure, in_processes

LICENCE = "AMASS and MoVi, non-commercial research only; amass.is.tue.mpg.de/license"
LAYOUT = "AMASS files such as Subject_11_F_MoSh/Subject_11_F_7_poses.npz (or _stageii.npz)"
_TAKE = re.compile(r"Subject_(\d+)_F_(\d+)_(poses|stageii)\.npz")
_LIST = re.compile(r"F_v3d_Subject_(\d+)\.mat")
_WORDS = {
    "phone": "phone_talking", "photo": "taking_photos", "picture": "taking_photos", "watch": "checking_watch",
    "clap": "hand_clapping", "wav": "hand_waving", "point": "pointing", "scratch": "scratching_head",
    "throw": "throwing_and_catching", "catch": "throwing_and_catching", "crawl": "crawling",
    "vertical": "vertical_jumping", "jump": "jumping", "jog": "jogging", "run": "running", "walk": "walking",
    "side": "sideways", "kick": "kicking", "stretch": "stretching", "leg": "crossing_legs_while_sitting",
    "arm": "crossing_arms", "sit": "sit_down", "random": "freestyle", "free": "freestyle",
}  # fmt: skip
"""What MoVi's words for an action have in them -> the action's name here; the first that fits counts."""
_DEEPEST = 3
"""Structs in structs in which a list of motions is looked for."""


def find_takes(root: Path) -> list[Take]:
    """The takes below `root` by subject and number, in SMPL-X where there is a choice; actions are "take 07".

    Raises:
        InputError: no such folder, or no take in it.
    """
    files: dict[tuple[int, int], Path] = {}
    for folder, names in folder_files(root, LAYOUT):
        for name in names:
            if (match := _TAKE.fullmatch(name)) is not None:
                key = int(match[1]), int(match[2])
                path = Path(folder, name)
                if key not in files or (_is_smplx(path) and not _is_smplx(files[key])):
                    files[key] = path
    if not files:
        raise InputError(root, "no take of BMLmovi", LAYOUT)
    return [
        Take(path, f"bmlmovi_{who:02d}", f"take {k:02d}", name=f"{k:02d}", licence=LICENCE)
        for (who, k), path in sorted(files.items())
    ]


def with_actions(takes: Sequence[Take], root: Path) -> list[Take]:
    """The takes with their actions' names, where the person's `F_v3d_Subject_N.mat` lies below `root`.

    Raises:
        InputError: such a file has no readable list of motions.
    """
    lists = {
        f"bmlmovi_{int(match[1]):02d}": Path(folder, name)
        for folder, names in folder_files(root, LAYOUT)
        for name in names
        if (match := _LIST.fullmatch(name)) is not None
    }
    wanted = sorted({take.subject for take in takes} & lists.keys())
    motions = dict(zip(wanted, read_motions_lists([lists[subject] for subject in wanted]), strict=True))
    return [_named(take, motions.get(take.subject, ())) for take in takes]


def _is_smplx(path: Path) -> bool:
    return path.stem.endswith("_stageii")


def _named(take: Take, motions: Sequence[str]) -> Take:
    number = int(take.name or 0)
    return replace(take, action=motions[number - 1]) if 1 <= number <= len(motions) else take


def read_motions_lists(paths: Sequence[Path]) -> list[tuple[str, ...]]:
    """Of each file what its person did, take by take: of `BMLMOVI_ACTIONS`, or in MoVi's words if none fits.

    Read in another process, for scipy's reader does not survive every damaged file. Nothing is unpickled.

    Raises:
        InputError: not a MATLAB file up to version 7.2, or without a list of motions.
    """
    found: list[tuple[str, ...]] = [()] * len(paths)
    for k, motions in in_processes(_motions_list, paths, 1):
        if isinstance(motions, Failure):
            raise InputError(paths[k], "no readable motions_list", "a F_v3d_Subject_N.mat of MoVi")
        found[k] = tuple(action_name(motion) for motion in motions)
    return found


def _motions_list(path: Path) -> list[str]:
    from scipy.io import loadmat

    lists = (found for value in loadmat(path, squeeze_me=True).values() for found in _lists_in(value))
    return [str(motion) for motion in next(lists)]


def _lists_in(value: object, depth: int = 0) -> Iterator[list[object]]:
    """Every `motions_list` within nested MATLAB structs."""
    if not isinstance(value, np.ndarray) or value.dtype.names is None or depth > _DEEPEST:
        return
    for fields in value.ravel()[:1]:
        for name in value.dtype.names:
            if name == "motions_list":
                yield np.ravel(fields[name]).tolist()
            else:
                yield from _lists_in(fields[name], depth + 1)


def action_name(motion: str) -> str:
    """MoVi's words for an action as one of `BMLMOVI_ACTIONS`, if they tell which."""
    lowered = motion.lower()
    return next((name for word, name in _WORDS.items() if word in lowered), motion.strip())
