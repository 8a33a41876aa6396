"""Fits the joint regressor and measures it on people and on poses that were held out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.spatial import KDTree

from odah.body.body_model import BodyModel
from odah.body.registration.regressor import JointRegressor, candidate_vertices, choose_penalty, fit_weights

_MIRROR = np.array([1.0, 1.0, -1.0])
"""Across the sagittal plane of OpenSim's ground, where Z is right."""
_PEOPLE, _POSES = 1, 2
"""Axes of `_JointData` over which samples are held out."""

Done = Callable[[int, int], None]
"""Told how many steps of how many are done."""


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """(S, F, J) distance in mm between each joint and what regressors say that were fitted without this
    person (`people`), or without this number of pose, whoever strikes it (`poses`)."""

    people: np.ndarray
    poses: np.ndarray


@dataclass(frozen=True, eq=False)
class _JointData:
    """What one joint's row is fitted to, in two copies: as it is, and the mirror image of its partner.

    rows (2,) of the joint and its partner (itself in the middle); candidates (2, V) vertices each draws on;
    vertices (2, S, F, V, 3) and joints (2, S, F, 3), m.
    """

    rows: tuple[int, int]
    candidates: np.ndarray
    vertices: np.ndarray
    joints: np.ndarray

    def penalty(self) -> float:
        people = np.broadcast_to(np.arange(self.joints.shape[1])[:, None], self.joints.shape[:-1])
        return choose_penalty(*self._flat(self.vertices, self.joints), people.ravel())

    def weights(self, penalty: float, axis: int = _PEOPLE, kept: np.ndarray | None = None) -> np.ndarray:
        """(V,) fitted to all, or to those `kept` along an axis."""
        if kept is None:
            return fit_weights(*self._flat(self.vertices, self.joints), penalty)
        parts = (np.take(array, kept, axis) for array in (self.vertices, self.joints))
        return fit_weights(*self._flat(*parts), penalty)

    def held_out_errors_mm(self, penalty: float, axis: int, folds: int) -> np.ndarray:
        """(2, S, F) with a fold of the people or poses left out at a time."""
        errors = np.empty(self.joints.shape[:-1])
        count = self.joints.shape[axis]
        for left_out in np.array_split(np.arange(count), min(folds, count)):
            weights = self.weights(penalty, axis, np.setdiff1d(np.arange(count), left_out))
            where = (slice(None),) * axis + (left_out,)
            found = np.einsum("v,...vc->...c", weights, self.vertices[where])
            errors[where] = 1e3 * np.linalg.norm(found - self.joints[where], axis=-1)
        return errors

    @staticmethod
    def _flat(vertices: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return vertices.reshape(-1, *vertices.shape[-2:]), joints.reshape(-1, 3)


def fit_regressor(
    body: BodyModel,
    joint_names: tuple[str, ...],
    vertices: np.ndarray,
    joints: np.ndarray,
    folds: int,
    done: Done = lambda _done, _total: None,
) -> tuple[JointRegressor, CrossValidation]:
    """One row of weights a joint, the sides sharing their data; and its errors where it was not fitted.

    vertices: (S, F, N, 3) of S people in F poses each, ground, m; joints: (S, F, J, 3) likewise. The ridge
    penalty, one number a joint, is chosen on all people; everything else is left out with them.
    """
    weights = np.zeros((len(joint_names), body.num_vertices))
    errors = CrossValidation(np.zeros(joints.shape[:-1]), np.zeros(joints.shape[:-1]))
    for number, data in enumerate(_each_joint(body, joint_names, vertices, joints)):
        done(number, len(joint_names))
        penalty = data.penalty()
        fitted = data.weights(penalty)
        share = 0.5 if data.rows[0] == data.rows[1] else 1.0
        for row, candidates in zip(data.rows, data.candidates, strict=True):
            np.add.at(weights[row], candidates, share * fitted)
        for held_out, axis in ((errors.people, _PEOPLE), (errors.poses, _POSES)):
            for row, values in zip(data.rows, data.held_out_errors_mm(penalty, axis, folds), strict=True):
                held_out[..., row] += share * values
    return JointRegressor(joint_names, sparse.csr_matrix(weights)), errors


def _each_joint(
    body: BodyModel, joint_names: tuple[str, ...], vertices: np.ndarray, joints: np.ndarray
) -> Iterator[_JointData]:
    """Joints of the right side and the middle."""
    mirror = mirror_map(body)
    usual, centres = vertices[:, 0].mean(0), joints[:, 0].mean(0)
    for row, name in enumerate(joint_names):
        if name.endswith("_l"):
            continue
        other = joint_names.index(f"{name[:-2]}_l") if name.endswith("_r") else row
        chosen = candidate_vertices(usual, centres[row])
        yield _JointData(
            (row, other),
            np.stack([chosen, mirror[chosen]]),
            np.stack([vertices[:, :, chosen], vertices[:, :, mirror[chosen]] * _MIRROR]).astype(np.float64),
            np.stack([joints[:, :, row], joints[:, :, other] * _MIRROR]),
        )


def mirror_map(body: BodyModel) -> np.ndarray:
    """(N,) each vertex's nearest partner on the other side of the template."""
    if body.mirror is not None:
        return body.mirror
    template = body.v_template.numpy()
    return np.asarray(KDTree(template).query(template * [-1.0, 1.0, 1.0])[1])


def regression_errors(regressor: JointRegressor, vertices: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """(S * F, J) distance in mm of joints (S, F, J, 3) from those regressed from vertices (S, F, N, 3)."""
    errors = [
        np.linalg.norm(regressor.weights @ mesh.astype(np.float64) - wanted, axis=1)
        for person, person_joints in zip(vertices, joints, strict=True)
        for mesh, wanted in zip(person, person_joints, strict=True)
    ]
    return 1e3 * np.array(errors)
