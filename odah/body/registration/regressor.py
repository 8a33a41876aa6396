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
_PENALTY_FOLDS = 4


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


def choose_penalty(vertices: np.ndarray, joints: np.ndarray, groups: np.ndarray) -> float:
    """The ridge penalty that errs least over whole `groups` (S,) held out; arguments as of `fit_weights`."""
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV, GroupKFold

    folds = min(_PENALTY_FOLDS, len(np.unique(groups)))
    search = GridSearchCV(
        Ridge(fit_intercept=False, solver="cholesky"),
        {"alpha": np.logspace(-5, -1, 5)},
        cv=GroupKFold(folds),
        scoring="neg_mean_squared_error",
        refit=False,
    )
    search.fit(*_features(vertices, joints), groups=np.repeat(groups, 3))
    return float(search.best_params_["alpha"])


def fit_weights(vertices: np.ndarray, joints: np.ndarray, penalty: float) -> np.ndarray:
    """Weights (V,) that sum to one, from samples of candidate vertices (S, V, 3) to a joint (S, 3), m.

    Ridge regression about the candidates' mean: x - mean = sum_i w_i (v_i - mean), whose weights are
    then shifted evenly to sum to one.
    """
    from sklearn.linear_model import Ridge

    ridge = Ridge(alpha=penalty, fit_intercept=False, solver="cholesky")
    weights = ridge.fit(*_features(vertices, joints)).coef_
    return weights + (1 - weights.sum()) / len(weights)


def _features(vertices: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(S * 3, V) and (S * 3,): vertices and joint about the vertices' mean, a row an axis."""
    centre = vertices.mean(1)
    features = (vertices - centre[:, None]).transpose(0, 2, 1).reshape(-1, vertices.shape[1])
    return features, (joints - centre).reshape(-1)
