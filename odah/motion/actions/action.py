"""What a built-in action is: joint angles over time, and which parts of the body carry it when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odah.motion.types import CoordinateTrajectory

FOOT_PARTS = ("heel", "ball", "toe")
CONTACT_PARTS: tuple[str, ...] = tuple(
    f"{part}_{side}" for side in "rl" for part in (*FOOT_PARTS, "knee", "instep", "hand")
)
"""The parts of the body that an action may rest on the floor."""


@dataclass(frozen=True)
class Action:
    """One performance of a built-in action.

    trajectory: the 39 coordinates, rad and m; the pelvis stands still at its nominal height, because
        where it goes follows from the size of the subject (`odah.osim.grounding.ground_action`).
    contacts: for every part in CONTACT_PARTS, (T,) in 0..1: how firmly it rests on the floor; no
        part above 0.5 means that the body flies.
    is_seated: (T,) bool: the pelvis rests on a seat.
    """

    name: str
    seed: int
    trajectory: CoordinateTrajectory
    contacts: dict[str, np.ndarray]
    is_seated: np.ndarray

    @property
    def is_airborne(self) -> np.ndarray:
        """(T,) bool: nothing carries the body."""
        weights = np.stack(list(self.contacts.values()))
        return (weights.max(axis=0) < 0.5) & ~self.is_seated
