"""How cloth hangs in the T-pose: offset from the skin, falling straight from where it rests, smoothed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, map_coordinates
from scipy.spatial import KDTree

_ANGLES = 48
_ROW = 0.015
"""Height of a row of the radius table, m."""


@dataclass(frozen=True)
class Obstacle:
    """Points that cloth stays outside of, with their outward normals: (N, 3) each."""

    points: np.ndarray
    normals: np.ndarray
    tree: KDTree

    @classmethod
    def of(cls, points: np.ndarray, normals: np.ndarray) -> Obstacle:
        return cls(points, normals, KDTree(points, balanced_tree=False, compact_nodes=False))

    def clearance(self, points: np.ndarray, k: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Signed distance (m, negative inside) to the tangent planes of the k nearest points, their mean
        normal, and the distance to the nearest. Distance-weighted over k points, so it changes smoothly."""
        distance, index = self.tree.query(points, k=k)
        weight = 1 / (distance + 1e-3) ** 2
        weight /= weight.sum(1, keepdims=True)
        normals = self.normals[index]
        height = np.einsum("nkc,nkc->nk", points[:, None] - self.points[index], normals)
        normal = np.einsum("nk,nkc->nc", weight, normals)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        return np.einsum("nk,nk->n", weight, height), normal, distance[:, 0]


def pushed_out(
    points: np.ndarray, obstacle: Obstacle, gap: np.ndarray | float, reach: float = 0.06
) -> np.ndarray:
    """Points moved along the obstacle's normals until they clear it by `gap` (m).

    Points further than `reach` (m) from any obstacle point are left: they are behind another part.
    """
    height, normal, distance = obstacle.clearance(points)
    lift = np.where(distance < reach, np.clip(gap - height, 0, reach), 0.0)
    return points + lift[:, None] * normal


@dataclass(frozen=True)
class HangAxis:
    """Axis that a tube of cloth hangs around: centre (x, z) at given heights, m, heights increasing."""

    heights: np.ndarray
    centres: np.ndarray

    def polar(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Angle (rad, 0 towards +z, positive towards +x), radius (m) and centre (N, 2) of each point."""
        centre = np.stack([np.interp(points[:, 1], self.heights, c) for c in self.centres.T], 1)
        d = points[:, [0, 2]] - centre
        return np.arctan2(d[:, 0], d[:, 1]), np.linalg.norm(d, axis=1), centre


def _radius_table(angle: np.ndarray, radius: np.ndarray, row: np.ndarray, rows: int) -> np.ndarray:
    """(rows, angles) largest radius near each cell, zero where nothing is near."""
    table = np.zeros((rows, _ANGLES))
    column = np.round((angle / (2 * np.pi)) * _ANGLES).astype(int)
    for dr in (-1, 0, 1):
        for dc in (-1, 0, 1):
            np.maximum.at(
                table, (np.clip(row.round().astype(int) + dr, 0, rows - 1), (column + dc) % _ANGLES), radius
            )
    return table


def hang(points: np.ndarray, axis: HangAxis, amount: np.ndarray, top: float, taper: float) -> np.ndarray:
    """Cloth below `top` (m) falls from the widest place above it, drawing in by `taper` m a metre.

    amount: (N,) 0 leaves a point where it is, 1 lets it hang fully.
    """
    angle, radius, centre = axis.polar(points)
    row = (top - points[:, 1]) / _ROW
    rows = int(np.ceil(row.max())) + 2
    takes_part = (row > -1) & (amount > 0.3)
    table = _radius_table(angle[takes_part], radius[takes_part], np.maximum(row[takes_part], 0), rows)
    for k in range(1, rows):
        table[k] = np.maximum(table[k], table[k - 1] - taper * _ROW)
    table = gaussian_filter1d(gaussian_filter1d(table, 1.2, axis=1, mode="wrap"), 1.0, axis=0, mode="nearest")
    padded = np.concatenate([table, table[:, :1]], 1)
    column = (angle / (2 * np.pi) * _ANGLES) % _ANGLES
    target = map_coordinates(padded, [np.clip(row, 0, rows - 1), column], order=1, mode="nearest")
    gain = amount * np.clip(target - radius, 0, 0.12) * np.clip(row * 0.4, 0, 1)
    out = points.copy()
    out[:, [0, 2]] = (
        centre + (points[:, [0, 2]] - centre) * ((radius + gain) / np.maximum(radius, 1e-6))[:, None]
    )
    return out
