"""Scale and pose an OpenSim skeleton to markers in one least-squares problem per subject.

Used to register a body: what OpenSim's Scale and Inverse Kinematics tools do in turn, done together
over many poses, so that segment sizes come from all of them (cf. AddBiomechanics, Werling et al. 2023).
The scale factors of left and right are tied, and eight groups of bodies share theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from odah.osim.fk import ForwardKinematics
from odah.osim.model import Model

SCALE_GROUPS: tuple[tuple[str, ...], ...] = (
    ("pelvis",),
    ("femur", "patella"),
    ("tibia",),
    ("talus", "calcn", "toes"),
    ("torso",),
    ("humerus",),
    ("ulna", "radius"),
    ("hand",),
)
"""Bodies (without _r, _l) that share three scale factors."""

_MARKER_SIGMA = 0.01
_SCALE_SIGMA = 0.08
_COORDINATE_SIGMA = 1.5
_RANGE_SIGMA = 0.03
_STEP = 1e-6


@dataclass(frozen=True)
class SkeletonFit:
    """coordinates (F, C) rad, m; scale_factors (K, 3); marker_errors (F, M) m."""

    coordinates: np.ndarray
    scale_factors: np.ndarray
    marker_errors: np.ndarray


def scale_group_matrix(model: Model) -> np.ndarray:
    """(K * 3, G * 3) matrix from the groups' factors to all bodies' factors."""
    matrix = np.zeros((len(model.bodies), 3, len(SCALE_GROUPS), 3))
    for k, name in enumerate(model.body_names):
        stem = name.removesuffix("_r").removesuffix("_l")
        group = next(g for g, members in enumerate(SCALE_GROUPS) if stem in members)
        matrix[k, :, group] = np.eye(3)
    return matrix.reshape(len(model.bodies) * 3, -1)


class SkeletonFitter:
    """Fits one model (whose markers are the observed ones, in order) to many subjects.

    rotation_bodies: bodies whose orientation may be asked for as well, with `rotation_sigma` (rad).
    """

    def __init__(self, model: Model, weights: np.ndarray, rotation_bodies: tuple[str, ...] = ()) -> None:
        self.model, self.fk = model, ForwardKinematics(model, torch.float64)
        dependent = {coupler.dependent for coupler in model.couplers if coupler.is_enforced}
        self.free = torch.tensor([i for i, n in enumerate(model.coordinate_names) if n not in dependent])
        self.ranges = torch.from_numpy(model.coordinate_ranges)[self.free]
        names = [model.coordinate_names[i] for i in self.free]
        self.is_root = torch.tensor([name.startswith("pelvis_") for name in names])
        self.is_bounded = torch.tensor([not name.startswith(("pelvis_", "arm_")) for name in names])
        self.defaults = torch.from_numpy(model.default_coordinates)[self.free]
        self.groups = torch.from_numpy(scale_group_matrix(model))
        self.weights = torch.from_numpy(np.sqrt(weights)) / _MARKER_SIGMA
        self.rotation_bodies = [model.body_names.index(name) for name in rotation_bodies]

    def _predict(self, unknowns: Tensor, scales: Tensor, with_rotations: bool) -> Tensor:
        """Weighted markers (and rotations) as rows: unknowns (B, F, Q), scales (B, G * 3) -> (B, F, D)."""
        coordinates = torch.zeros(*unknowns.shape[:-1], len(self.model.coordinates), dtype=torch.float64)
        coordinates[..., self.free] = unknowns
        factors = (scales @ self.groups.T).unflatten(-1, (-1, 3))[:, None]
        pose = self.fk(coordinates, factors)
        markers = pose.markers * self.weights[:, None]
        if not with_rotations:
            return markers.flatten(-2)
        return torch.cat(
            [markers.flatten(-2), pose.body_rotmats[..., self.rotation_bodies, :, :].flatten(-3)], -1
        )

    def _linearize(
        self, unknowns: Tensor, scales: Tensor, with_rotations: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Prediction (F, D) and its derivatives by coordinates (F, D, Q) and by scales (F, D, G * 3)."""
        num_q, num_s = unknowns.shape[1], len(scales)
        steps = _STEP * torch.eye(num_q + num_s, dtype=torch.float64)
        steps = torch.cat([torch.zeros(1, num_q + num_s, dtype=torch.float64), steps])
        moved = self._predict(unknowns + steps[:, None, :num_q], scales + steps[:, num_q:], with_rotations)
        jacobian = ((moved[1:] - moved[0]) / _STEP).permute(1, 2, 0)
        return moved[0], jacobian[..., :num_q], jacobian[..., num_q:]

    def _priors(self, unknowns: Tensor) -> tuple[Tensor, Tensor]:
        """Residual (F, Q, 2) and derivative: towards the default pose, and into the coordinates' ranges."""
        towards = torch.where(self.is_root, 0.0, 1 / _COORDINATE_SIGMA).double()
        outside = unknowns - unknowns.clamp(self.ranges[:, 0], self.ranges[:, 1])
        within = torch.where(self.is_bounded, 1 / _RANGE_SIGMA, 0.0).double()
        residual = torch.stack([(unknowns - self.defaults) * towards, outside * within], -1)
        slope = torch.stack([towards.expand_as(unknowns), within * (outside != 0)], -1)
        return residual, slope

    def fit(
        self,
        markers: np.ndarray,
        initial: np.ndarray,
        stature_factor: float,
        rotations: np.ndarray | None = None,
        rotation_sigma: float = 0.2,
        initial_scales: np.ndarray | None = None,
        iterations: int = 25,
    ) -> tuple[SkeletonFit, np.ndarray]:
        """One subject: markers (F, M, 3) in ground, m; initial coordinates (F, C).

        stature_factor: centre of the prior on every scale factor. rotations (F, R, 3, 3): wanted
        orientations of `rotation_bodies`. Returns the fit and the groups' factors (G * 3,).
        """
        target = (torch.from_numpy(markers) * self.weights[:, None]).flatten(1)
        if rotations is not None:
            target = torch.cat([target, torch.from_numpy(rotations).flatten(1)], 1)
        spread = torch.ones(target.shape[1], dtype=torch.float64)
        spread[3 * markers.shape[1] :] = 1 / (rotation_sigma * 2**0.5)
        q = torch.from_numpy(initial)[:, self.free].clone()
        s = torch.full((self.groups.shape[1],), stature_factor, dtype=torch.float64)
        if initial_scales is not None:
            s = torch.from_numpy(initial_scales).clone()
        damping, cost = 1e-3, float("inf")
        system = None
        for _ in range(iterations):
            if system is None:
                system = self._system(q, s, target, spread, stature_factor)
                cost = system[0]
            dq, ds = _solve(system, damping)
            trial = self._cost(q + dq, s + ds, target, spread, stature_factor)
            if trial < cost:
                q, s, system, damping = q + dq, s + ds, None, max(damping * 0.2, 1e-9)
                if cost - trial < 1e-5 * cost:
                    break
            else:
                damping *= 10
                if damping > 1e8:
                    break
        return self._result(q, s, markers), s.numpy()

    def _cost(self, q: Tensor, s: Tensor, target: Tensor, spread: Tensor, centre: float) -> float:
        predicted = self._predict(q[None], s[None], target.shape[1] > 3 * len(self.weights))[0]
        residual = (predicted - target) * spread
        prior = self._priors(q)[0]
        return float(
            (residual**2).sum() + (prior**2).sum() + len(q) * (((s - centre) / _SCALE_SIGMA) ** 2).sum()
        )

    def _system(self, q: Tensor, s: Tensor, target: Tensor, spread: Tensor, centre: float):
        """Cost and Gauss-Newton blocks."""
        predicted, by_q, by_s = self._linearize(q, s, target.shape[1] > 3 * len(self.weights))
        residual = (predicted - target) * spread
        by_q, by_s = by_q * spread[:, None], by_s * spread[:, None]
        prior, slope = self._priors(q)
        hessian = by_q.mT @ by_q + torch.diag_embed((slope**2).sum(-1))
        gradient = (by_q.mT @ residual[..., None])[..., 0] + (prior * slope).sum(-1)
        precision = len(q) / _SCALE_SIGMA**2
        ss = (by_s.mT @ by_s).sum(0) + precision * torch.eye(len(s), dtype=torch.float64)
        gs = (by_s.mT @ residual[..., None])[..., 0].sum(0) + precision * (s - centre)
        cost = float((residual**2).sum() + (prior**2).sum() + precision * ((s - centre) ** 2).sum())
        return cost, hessian, gradient, by_q.mT @ by_s, ss, gs

    def _result(self, q: Tensor, s: Tensor, markers: np.ndarray) -> SkeletonFit:
        coordinates = torch.zeros(len(q), len(self.model.coordinates), dtype=torch.float64)
        coordinates[:, self.free] = q
        coordinates = self.fk.couple(coordinates)
        factors = (self.groups @ s).reshape(-1, 3)
        errors = np.linalg.norm(self.fk(coordinates, factors).markers.numpy() - markers, axis=-1)
        return SkeletonFit(coordinates.numpy(), factors.numpy(), errors)


def _solve(system: tuple, damping: float) -> tuple[Tensor, Tensor]:
    """Damped step: each frame's coordinates eliminated, scales solved, substituted back."""
    _, hessian, gradient, cross, ss, gs = system
    hessian = hessian + torch.diag_embed((damping + 1e-12) * hessian.diagonal(dim1=1, dim2=2))
    factor = torch.linalg.cholesky(hessian)
    by_s, by_one = torch.cholesky_solve(cross, factor), torch.cholesky_solve(gradient[..., None], factor)
    reduced = ss + damping * torch.diag(ss.diagonal()) - (cross.mT @ by_s).sum(0)
    ds = -torch.linalg.solve(reduced, gs - (cross.mT @ by_one)[..., 0].sum(0))
    return -(by_one[..., 0] + by_s @ ds), ds
