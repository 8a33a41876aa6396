"""Scale and pose an OpenSim skeleton to markers in one least-squares problem per subject.

Used to register a body: what OpenSim's Scale and Inverse Kinematics tools do in turn, done together
over many poses, so that segment sizes come from all of them (cf. AddBiomechanics, Werling et al. 2023).
The scale factors of left and right are tied, and nine groups of bodies share theirs.
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
    ("talus",),
    ("calcn", "toes"),
    ("torso",),
    ("humerus",),
    ("ulna", "radius"),
    ("hand",),
)
"""Bodies (without _r, _l) that share three scale factors."""

_MARKER_SIGMA = 0.01
"""m"""
_SCALE_SIGMA = 0.08
"""Spread of a body's factor about the person's stature over the model's."""
_COORDINATE_SIGMA, _RANGE_SIGMA, _ROTATION_SIGMA = 1.5, 0.03, 0.2
"""rad: about the default pose, beyond a coordinate's range, of a body's orientation."""
_STEP = 1e-6
"""Of forward differences, rad, m or relative: in float64 good to six digits."""
_MAX_DAMPING = 1e8


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


@dataclass(frozen=True)
class _Problem:
    """target (F, D) rows as `_predict` gives them; spread (D,) inverse standard deviations; scale_mean: the
    centre of the prior on scale factors."""

    target: Tensor
    spread: Tensor
    scale_mean: float
    with_rotations: bool


@dataclass(frozen=True)
class _System:
    """Gauss-Newton blocks of the coordinates, (F, Q, Q) and (F, Q), of the scales, (S, S) and (S,), and
    between them, cross (F, Q, S)."""

    cost: float
    hessian: Tensor
    gradient: Tensor
    cross: Tensor
    scale_hessian: Tensor
    scale_gradient: Tensor

    def damped_step(self, damping: float) -> tuple[Tensor, Tensor]:
        """Each frame's coordinates eliminated, scales solved, substituted back: (F, Q) and (S,)."""
        diagonal = self.hessian.diagonal(dim1=1, dim2=2)
        factor = torch.linalg.cholesky(self.hessian + torch.diag_embed((damping + 1e-12) * diagonal))
        by_scales = torch.cholesky_solve(self.cross, factor)
        by_gradient = torch.cholesky_solve(self.gradient[..., None], factor)
        reduced = self.scale_hessian + damping * torch.diag(self.scale_hessian.diagonal())
        reduced = reduced - (self.cross.mT @ by_scales).sum(0)
        gradient = self.scale_gradient - (self.cross.mT @ by_gradient)[..., 0].sum(0)
        scale_step = -torch.linalg.solve(reduced, gradient)
        return -(by_gradient[..., 0] + by_scales @ scale_step), scale_step


class SkeletonFitter:
    """Fits one model (whose markers are the observed ones, in order) to many subjects.

    rotation_bodies: bodies whose orientation may be asked for as well.
    """

    def __init__(self, model: Model, weights: np.ndarray, rotation_bodies: tuple[str, ...] = ()) -> None:
        self.model, self.fk = model, ForwardKinematics(model, torch.float64)
        dependent = {coupler.dependent for coupler in model.couplers if coupler.is_enforced}
        self.free = torch.tensor([i for i, n in enumerate(model.coordinate_names) if n not in dependent])
        self.ranges = torch.from_numpy(model.coordinate_ranges)[self.free]
        names = [model.coordinate_names[i] for i in self.free]
        self.is_root = torch.tensor([name.startswith("pelvis_") for name in names])
        # Three angles of a ball joint have ranges for numbering's sake; past them the arm is still an arm.
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
        initial_scales: np.ndarray | None = None,
        iterations: int = 25,
    ) -> tuple[SkeletonFit, np.ndarray]:
        """One subject: markers (F, M, 3) in ground, m; initial coordinates (F, C).

        stature_factor: centre of the prior on every scale factor. rotations (F, R, 3, 3): wanted
        orientations of `rotation_bodies`. Returns the fit and the groups' factors (G * 3,).
        """
        problem = self._problem(markers, rotations, stature_factor)
        coordinates = torch.from_numpy(initial)[:, self.free].clone()
        scales = torch.full((self.groups.shape[1],), stature_factor, dtype=torch.float64)
        if initial_scales is not None:
            scales = torch.from_numpy(initial_scales).clone()
        damping, system = 1e-3, self._system(coordinates, scales, problem)
        for _ in range(iterations):
            step, scale_step = system.damped_step(damping)
            cost = self._cost(coordinates + step, scales + scale_step, problem)
            if cost >= system.cost:
                damping *= 10
                if damping > _MAX_DAMPING:
                    break
                continue
            coordinates, scales = coordinates + step, scales + scale_step
            has_converged = system.cost - cost < 1e-5 * system.cost
            if has_converged:
                break
            damping, system = max(damping * 0.2, 1e-9), self._system(coordinates, scales, problem)
        return self._result(coordinates, scales, markers), scales.numpy()

    def _problem(self, markers: np.ndarray, rotations: np.ndarray | None, stature_factor: float) -> _Problem:
        target = (torch.from_numpy(markers) * self.weights[:, None]).flatten(1)
        spread = torch.ones(target.shape[1], dtype=torch.float64)
        if rotations is not None:
            wanted = torch.from_numpy(rotations).flatten(1)
            target = torch.cat([target, wanted], 1)
            # A small turn by w changes the nine entries of a rotation matrix by sqrt(2) |w| in all.
            spread = torch.cat([spread, torch.full_like(wanted[0], 1 / (_ROTATION_SIGMA * 2**0.5))])
        return _Problem(target, spread, stature_factor, rotations is not None)

    def _cost(self, coordinates: Tensor, scales: Tensor, problem: _Problem) -> float:
        predicted = self._predict(coordinates[None], scales[None], problem.with_rotations)[0]
        residual = (predicted - problem.target) * problem.spread
        return self._total(coordinates, scales, residual, problem)

    def _total(self, coordinates: Tensor, scales: Tensor, residual: Tensor, problem: _Problem) -> float:
        scale_prior = len(coordinates) * (((scales - problem.scale_mean) / _SCALE_SIGMA) ** 2).sum()
        return float((residual**2).sum() + (self._priors(coordinates)[0] ** 2).sum() + scale_prior)

    def _system(self, coordinates: Tensor, scales: Tensor, problem: _Problem) -> _System:
        predicted, by_q, by_s = self._linearize(coordinates, scales, problem.with_rotations)
        residual = (predicted - problem.target) * problem.spread
        by_q, by_s = by_q * problem.spread[:, None], by_s * problem.spread[:, None]
        prior, slope = self._priors(coordinates)
        precision = len(coordinates) / _SCALE_SIGMA**2
        scale_gradient = (by_s.mT @ residual[..., None])[..., 0].sum(0)
        return _System(
            cost=self._total(coordinates, scales, residual, problem),
            hessian=by_q.mT @ by_q + torch.diag_embed((slope**2).sum(-1)),
            gradient=(by_q.mT @ residual[..., None])[..., 0] + (prior * slope).sum(-1),
            cross=by_q.mT @ by_s,
            scale_hessian=(by_s.mT @ by_s).sum(0) + precision * torch.eye(len(scales), dtype=scales.dtype),
            scale_gradient=scale_gradient + precision * (scales - problem.scale_mean),
        )

    def _result(self, unknowns: Tensor, scales: Tensor, markers: np.ndarray) -> SkeletonFit:
        coordinates = torch.zeros(len(unknowns), len(self.model.coordinates), dtype=torch.float64)
        coordinates[:, self.free] = unknowns
        coordinates = self.fk.couple(coordinates)
        factors = (self.groups @ scales).reshape(-1, 3)
        errors = np.linalg.norm(self.fk(coordinates, factors).markers.numpy() - markers, axis=-1)
        return SkeletonFit(coordinates.numpy(), factors.numpy(), errors)
