"""Vertex numbering and left-right correspondence.

The `smplx` package reads 21 landmarks (nose, eyes, ears, finger tips, toes, heels) as extra joints
at vertex numbers fixed in its `vertex_ids.py`. The open body puts its own such vertices there, so
that those extra joints mean the same on it.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from odah.names import FINGERS, SIDES, SMPLX_INDEX

LANDMARK_IDS: dict[str, int] = {
    "nose": 9120, "right_eye": 9929, "left_eye": 9448, "right_ear": 616, "left_ear": 6,
    "left_thumb": 5361, "left_index": 4933, "left_middle": 5058, "left_ring": 5169, "left_pinky": 5286,
    "right_thumb": 8079, "right_index": 7669, "right_middle": 7794, "right_ring": 7905,
    "right_pinky": 8022,
    "left_big_toe": 5770, "left_small_toe": 5780, "left_heel": 8846,
    "right_big_toe": 8463, "right_small_toe": 8474, "right_heel": 8635,
}  # fmt: skip
"""Vertex numbers of SMPL-X's landmarks, as in smplx/vertex_ids.py."""


def find_landmarks(vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray) -> dict[str, int]:
    """The landmarks' vertices on a T-pose mesh (N, 3) with joints (55, 3) and weights (N, 55)."""

    def carried_by(joint: str, at_least: float = 0.5) -> np.ndarray:
        return np.flatnonzero(weights[:, SMPLX_INDEX[joint]] > at_least)

    def farthest(members: np.ndarray, direction: np.ndarray) -> int:
        return int(members[np.argmax(vertices[members] @ direction)])

    x, z = np.eye(3)[0], np.eye(3)[2]
    head = carried_by("head")
    on_midline = head[np.abs(vertices[head, 0]) < 0.004]
    near_nose = np.abs(vertices[on_midline, 1] - joints[SMPLX_INDEX["head"], 1]) < 0.09
    found = {"nose": farthest(on_midline[near_nose], z)}
    for side, sign in zip(SIDES, (1, -1), strict=True):
        found[f"{side}_eye"] = farthest(carried_by(f"{side}_eye", 0.9), z)
        found[f"{side}_ear"] = farthest(head, sign * x)
        for finger in FINGERS:
            tip = carried_by(f"{side}_{finger}3")
            found[f"{side}_{finger}"] = farthest(
                tip, vertices[tip].mean(0) - joints[SMPLX_INDEX[f"{side}_{finger}3"]]
            )
        toes = carried_by(f"{side}_foot")
        across = sign * vertices[toes, 0]
        width = (across - across.min()) / np.ptp(across)
        found[f"{side}_big_toe"] = farthest(toes[width < 0.3], z)
        found[f"{side}_small_toe"] = farthest(toes[width > 0.85], z)
        found[f"{side}_heel"] = farthest(carried_by(f"{side}_ankle"), -z)
    return found


def landmark_order(num_vertices: int, landmarks: dict[str, int]) -> np.ndarray:
    """Old vertex number of each new vertex: landmarks swapped to `LANDMARK_IDS`, all others stay."""
    order = np.arange(num_vertices)
    for name, wanted in LANDMARK_IDS.items():
        current = int(np.flatnonzero(order == landmarks[name])[0])
        order[[wanted, current]] = order[[current, wanted]]
    return order


def mirror_indices(vertices: np.ndarray, tolerance: float = 1e-4) -> np.ndarray:
    """Vertex number on the other side of each vertex of a symmetric mesh (N, 3).

    Raises:
        ValueError: some vertex has no partner within `tolerance` m.
    """
    distances, partner = map(np.asarray, KDTree(vertices).query(vertices * [-1, 1, 1]))
    if distances.max() > tolerance or not np.array_equal(partner[partner], np.arange(len(vertices))):
        raise ValueError(f"mesh is not symmetric: {distances.max() * 1e3:.2f} mm")
    return partner
