"""A shirt's collar: a band that stands around the neck, folded over, open in front."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from scipy.ndimage import gaussian_filter1d

from odah.clothing.drape import Obstacle, pushed_out
from odah.clothing.rest_body import RestBody
from odah.clothing.surface import Surface, boundary_edges, boundary_loops

_STAND, _FALL, _TIP = 0.030, 0.044, 0.070
"""Height of the band, and length of what is folded over at the back and at the tips, m."""
_OPEN, _TIP_AT = np.deg2rad([5.0, 24.0])
"""Angles from straight ahead where the collar begins, and where its tips are, rad."""
_LEAN = 0.010
"""How far the band leans towards the neck, m."""
_CLEARANCES = (0.005, 0.006, 0.009, 0.013, 0.016)
"""m from the skin in the T-pose, a ring each: half the band, its top, the fold, half the fall, its edge."""

_WITH_NECK = 0.6
"""How far the collar follows the skin inside it rather than the shirt."""
_EVENED = 12
"""Rounds in which weights are smoothed along a ring."""


@dataclass(frozen=True)
class Collar:
    """vertices (R * n, 3): rings from the neckline outwards; weights: (R * n, 55) for skinning; rim: (R * n,)
    the neckline vertex of each; faces over the numbers of a surface to which the vertices are appended."""

    vertices: np.ndarray
    weights: np.ndarray
    rim: np.ndarray
    faces: np.ndarray

    def joined(self, surface: Surface) -> Surface:
        return Surface(
            np.concatenate([surface.vertices, self.vertices]),
            np.concatenate([surface.faces, self.faces]),
            np.concatenate([surface.weights, self.weights]),
        )


def _neckline(surface: Surface, neck: np.ndarray) -> np.ndarray:
    """The rim around the neck, in the order in which its edges run."""
    loops = boundary_loops(surface.faces)
    rim = min(loops, key=lambda loop: np.linalg.norm(surface.vertices[loop].mean(0) - neck))
    following = dict(boundary_edges(surface.faces).tolist())
    ordered = [int(rim[0])]
    while len(ordered) < len(rim):
        ordered.append(following[ordered[-1]])
    return np.array(ordered)


def _smooth_step(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def collar_on(surface: Surface, rest: RestBody, body: Obstacle) -> Collar:
    """The collar of a shirt in the T-pose, sewn to its neckline."""
    neck = rest.joint("neck")
    up = rest.joint("head") - neck
    up /= np.linalg.norm(up)
    rim = _neckline(surface, neck)
    base = gaussian_filter1d(surface.vertices[rim], 2.0, axis=0, mode="wrap")
    out = base - neck
    out -= (out @ up)[:, None] * up
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    angle = np.abs(np.arctan2(out[:, 0], out[:, 2]))[:, None]
    opens = _smooth_step((angle - _OPEN) / (_TIP_AT - _OPEN))
    stand = _STAND * (0.72 + 0.28 * _smooth_step((angle - _TIP_AT) / 1.5)) * opens + 0.002
    at_tip = np.exp(-(((angle - _TIP_AT) / 0.45) ** 2))
    over = ((_FALL + (_TIP - _FALL) * at_tip) * opens - stand).clip(0.001)
    down = 0.55 + 0.40 * _smooth_step(1 - angle / 1.2)
    lean = np.sqrt(1 - down**2)
    top = base + stand * up - _LEAN * opens * out
    rings = [
        0.5 * (base + top),
        top,
        top + 0.003 * opens * up + 0.005 * out,
        base + 0.45 * stand * up + (0.002 + 0.005 * opens) * out,
        base + (0.004 + 0.004 * opens + lean * over) * out - down * over * up,
    ]
    rings = [
        gaussian_filter1d(pushed_out(ring, body, gap), 1.5, axis=0, mode="wrap")
        for ring, gap in zip(rings, _CLEARANCES, strict=True)
    ]
    n, count = len(rim), surface.num_vertices
    a, b = np.arange(n), (np.arange(n) + 1) % n
    numbers = [rim, *(count + k * n + a for k in range(len(rings)))]
    faces = []
    for low, high in pairwise(numbers):
        faces += [
            np.stack([low[b], low[a], high[a]], 1),
            np.stack([low[b], high[a], high[b]], 1),
        ]
    vertices, all_rims = np.concatenate(rings), np.tile(rim, len(rings))
    weights = _carried(surface.weights[all_rims], vertices, rest)
    return Collar(vertices, weights, all_rims, np.concatenate(faces))


def _carried(at_rim: np.ndarray, vertices: np.ndarray, rest: RestBody) -> np.ndarray:
    """(R * n, 55) weights between those of the shirt at the neckline and those of the neck inside: a collar
    is stiff, but the neck that bends takes it along."""
    nearest = rest.trunk_and_limbs[rest.tree.query(vertices)[1]]
    inside, along = rest.weights[nearest], along_rings(len(vertices))
    for _ in range(_EVENED):
        inside = 0.5 * inside + 0.5 * (along @ inside)
    return (1 - _WITH_NECK) * at_rim + _WITH_NECK * inside


def along_rings(count: int) -> sp.csr_matrix:
    """(count, count) mean of the two neighbours in the same ring: a collar is smoothed along itself only."""
    rings = len(_CLEARANCES)
    n = count // rings
    ring = 0.5 * (sp.eye(n, k=1) + sp.eye(n, k=-1) + sp.eye(n, k=n - 1) + sp.eye(n, k=1 - n))
    return sp.csr_matrix(sp.block_diag([ring] * rings))


def kept_gaps() -> tuple[float, ...]:
    """m that each ring keeps from the skin when posed."""
    return tuple(0.8 * clearance for clearance in _CLEARANCES)
