"""Which joints the pictures show, by the part of the body in each joint's pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from odah.render.parts import OCCLUDED, OUTSIDE, PART_NUMBER, joint_visibility


def seen_joints(part_at_joint: np.ndarray, joint_names: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays of `labels.npz` that tell which joints the pictures show.

    part_at_joint: (V, T, J) uint8 part of the body in each joint's pixel, 255 outside the picture.
    """
    return {
        "part_at_joint": part_at_joint,
        "is_in_picture": part_at_joint != OUTSIDE,
        "is_visible": np.stack([joint_visibility(parts, joint_names) for parts in part_at_joint]),
    }


def joints_inside_mask(part_at_joint: np.ndarray) -> float:
    """Share of joints (V, T, J) in the pictures, not behind things of the room, that are on the person."""
    counts = (part_at_joint != OUTSIDE) & (part_at_joint != OCCLUDED)
    return float(np.mean(part_at_joint[counts] != PART_NUMBER["background"])) if counts.any() else 1.0
