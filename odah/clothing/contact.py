"""Where cloth is relative to the skin near it, and how to clear it; smooth in the cloth's place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.spatial import KDTree

_NORMAL_SCALE = 0.06
"""Normals times this (m) join the search, so that cloth heeds skin that faces the same way."""
_REACH = 0.12
_MAX_LIFT = 0.06


@dataclass(frozen=True)
class Neighbours:
    """How much of a lift the vertices around come along with, so that no single one stands out: a share of
    their neighbours' mean, `rounds` rings far. smoothing: (N, N) that mean."""

    smoothing: sp.csr_matrix
    share: float
    rounds: int

    def along(self, lift: np.ndarray) -> np.ndarray:
        """(N, 3) the lift, and what comes with it."""
        is_lifted = (lift != 0).any(1, keepdims=True)
        for _ in range(self.rounds):
            lift = np.where(is_lifted, lift, self.share * (self.smoothing @ lift))
        return lift


@dataclass(frozen=True)
class FacingSkin:
    """For each cloth vertex the nearest skin points that face the same way: positions and normals (N, k, 3),
    distance weights (N, k), all zero where none is within reach."""

    points: np.ndarray
    normals: np.ndarray
    weights: np.ndarray

    @classmethod
    def near(
        cls, points: np.ndarray, normals: np.ndarray, obstacle: np.ndarray, obstacle_normals: np.ndarray
    ) -> FacingSkin:
        """Search in position and scaled normal together: a step to opposite skin costs as much as 12 cm."""
        space = np.concatenate([obstacle, _NORMAL_SCALE * obstacle_normals], 1)
        query = np.concatenate([points, _NORMAL_SCALE * normals], 1)
        return cls._found(space, query, obstacle, obstacle_normals, 4)

    @classmethod
    def nearest(cls, points: np.ndarray, obstacle: np.ndarray, obstacle_normals: np.ndarray) -> FacingSkin:
        """The nearest skin whichever way it faces: an arm that hangs where cloth stands off the side."""
        return cls._found(obstacle, points, obstacle, obstacle_normals, 3)

    @classmethod
    def _found(
        cls, space: np.ndarray, query: np.ndarray, obstacle: np.ndarray, obstacle_normals: np.ndarray, k: int
    ) -> FacingSkin:
        tree = KDTree(space, balanced_tree=False, compact_nodes=False)
        distance, index = tree.query(query, k=k, distance_upper_bound=_REACH)
        found = np.isfinite(distance)
        index = np.where(found, index, 0)
        weights = np.where(found, 1 / (np.where(found, distance, 1.0) + 1e-3) ** 2, 0.0)
        weights /= np.maximum(weights.sum(1, keepdims=True), 1e-12)
        return cls(obstacle[index], obstacle_normals[index], weights)

    def lift(self, points: np.ndarray, gap: np.ndarray | float) -> np.ndarray:
        """(N, 3) displacement that clears the skin by `gap` m, at most 6 cm."""
        height = np.einsum("nkc,nkc,nk->n", points[:, None] - self.points, self.normals, self.weights)
        normal = np.einsum("nk,nkc->nc", self.weights, self.normals)
        length = np.linalg.norm(normal, axis=1, keepdims=True)
        amount = np.where(length[:, 0] > 0, np.clip(gap - height, 0, _MAX_LIFT), 0.0)
        return amount[:, None] * normal / np.maximum(length, 1e-9)

    def cleared(self, points: np.ndarray, gap: np.ndarray | float, neighbours: Neighbours) -> np.ndarray:
        """(N, 3) points outside by `gap` m, with the cloth around them."""
        points = points + neighbours.along(self.lift(points, gap))
        return points + self.lift(points, gap)
