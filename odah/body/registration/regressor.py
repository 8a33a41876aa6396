"""Joint regressor: OpenSim joint centres as weighted sums of a body's vertices (ODAH, section 3.4).

Weights are signed and sum to one, so the joint follows any rigid motion. Non-negative weights are
worse (they cannot reach centres that lie outside the hull of the vertices that move with them).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

CANDIDATES = 200
"""Vertices a joint may draw on."""


@dataclass(frozen=True)
class JointRegressor:
    """weights: (J, N) sparse, rows sum to one, in the order of `joint_names`; times vertices gives m."""

    joint_names: tuple[str, ...]
    weights: sparse.csr_matrix

    @property
    def num_vertices(self) -> int:
        return int(self.weights.get_shape()[1])


def candidate_vertices(
    template: np.ndarray, centre: np.ndarray, pool: int = 700, count: int = CANDIDATES
) -> np.ndarray:
    """Vertices (count,) spread evenly over the `pool` nearest to a joint (farthest-point sampling)."""
    nearest = np.argsort(np.linalg.norm(template - centre, axis=1))[:pool]
    points = template[nearest]
    chosen = [0]
    gap = np.linalg.norm(points - points[0], axis=1)
    for _ in range(min(count, len(nearest)) - 1):
        chosen.append(int(np.argmax(gap)))
        gap = np.minimum(gap, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return nearest[chosen]


def fit_weights(vertices: np.ndarray, joints: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Weights (V,) that sum to one, from samples of candidate vertices (S, V, 3) to a joint (S, 3), m.

    Ridge regression about the candidates' mean: x - mean = sum_i w_i (v_i - mean), whose weights are
    then shifted evenly to sum to one. The penalty is chosen by cross-validation over whole `groups` (S,).
    """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV, GroupKFold

    centre = vertices.mean(1)
    features = (vertices - centre[:, None]).transpose(0, 2, 1).reshape(-1, vertices.shape[1])
    target = (joints - centre).reshape(-1)
    search = GridSearchCV(
        Ridge(fit_intercept=False, solver="cholesky"),
        {"alpha": np.logspace(-5, -1, 5)},
        cv=GroupKFold(4),
        scoring="neg_mean_squared_error",
    )
    search.fit(features, target, groups=np.repeat(groups, 3))
    weights = search.best_estimator_.coef_
    return weights + (1 - weights.sum()) / len(weights)
