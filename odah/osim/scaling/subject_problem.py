"""Markers of many frames as a function of the poses and of one person's bones and marker places."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from odah.osim.fk import ForwardKinematics, SkeletonPose
from odah.osim.ik.jacobian import MarkerJacobian
from odah.osim.ik.problem import IkProblem
from odah.osim.model import Model
from odah.osim.scale import scale_model
from odah.osim.scaling.schur import ArrowSystem
from odah.osim.scaling.subject_priors import SubjectPriors, marker_deviations, scale_effects


@dataclass(frozen=True)
class SubjectProblem:
    """Minimise sum_m rho(|residual_m(x, z)|) + 1/2 |z|^2 over poses x within their bounds and the person's z.

    x: the coordinates solved for, by frame. z: effects on the scale factors, then marker offsets, all in
    standard deviations of their priors. residual_m: from a measured marker to the modelled one, in standard
    deviations. rho: half the square, linear for outliers.
    """

    fk: ForwardKinematics
    measured: Float[Tensor, "t M 3"]
    certainty: Float[Tensor, "t M"]  # 1 / standard deviation in m; 0 where unseen
    free: Int[Tensor, " P"]
    lower: Float[Tensor, " P"]
    upper: Float[Tensor, " P"]
    outlier: float
    scale_effects: Float[Tensor, "K 3 E"]
    marker_deviations: Float[Tensor, "M 3"]

    @classmethod
    def of(
        cls,
        model: Model,
        positions: Float[np.ndarray, "t M 3"],
        weights: Float[np.ndarray, " M"],
        priors: SubjectPriors,
    ) -> SubjectProblem:
        """positions: ground, in the order of the model's markers, NaN where unseen."""
        poses = IkProblem.of(model)
        is_seen = np.isfinite(positions.sum(axis=-1))
        told = priors.frames / len(positions)
        certainty = is_seen * np.sqrt(told * weights / weights.mean()) / priors.noise
        return cls(
            fk=ForwardKinematics(model),
            measured=torch.from_numpy(np.where(is_seen[..., None], positions, 0.0)),
            certainty=torch.from_numpy(certainty),
            free=torch.from_numpy(poses.free),
            lower=torch.from_numpy(poses.lower),
            upper=torch.from_numpy(poses.upper),
            outlier=priors.outlier * np.sqrt(told),
            scale_effects=torch.from_numpy(scale_effects(model, priors)),
            marker_deviations=torch.from_numpy(marker_deviations(model, priors)),
        )

    @property
    def model(self) -> Model:
        return self.fk.model

    @property
    def positions(self) -> Float[np.ndarray, "t M 3"]:
        """Measured, NaN where unseen."""
        return torch.where((self.certainty > 0)[..., None], self.measured, torch.nan).numpy()

    @property
    def num_effects(self) -> int:
        """How many of z concern scale factors."""
        return self.scale_effects.shape[-1]

    @property
    def num_shared(self) -> int:
        return self.num_effects + self.marker_deviations.numel()

    def scale_factors(self, z: Float[Tensor, "*B Q"]) -> Float[Tensor, "*B K 3"]:
        """Positive whatever z is."""
        effects = z[..., None, None, : self.num_effects]
        return torch.exp((self.scale_effects * effects).sum(-1))

    def marker_offsets(self, z: Float[Tensor, " Q"]) -> Float[Tensor, "M 3"]:
        """m, in the scaled bodies' frames."""
        return z[self.num_effects :].reshape(-1, 3) * self.marker_deviations

    def pose(self, x: Float[Tensor, "t P"], z: Float[Tensor, " Q"]) -> SkeletonPose:
        return self.fk(self._coordinates(x), self.scale_factors(z), self.marker_offsets(z))

    def _coordinates(self, x: Tensor) -> Tensor:
        defaults = torch.from_numpy(self.model.default_coordinates).expand(len(x), -1)
        return defaults.index_copy(-1, self.free, x)

    def distances(self, x: Float[Tensor, "t P"], z: Float[Tensor, " Q"]) -> Float[np.ndarray, "t M"]:
        """From measured to modelled markers, m; NaN where unseen."""
        distances = torch.linalg.vector_norm(self.pose(x, z).markers - self.measured, dim=-1)
        return torch.where(self.certainty > 0, distances, torch.nan).numpy()

    def residuals(self, x: Float[Tensor, "t P"], z: Float[Tensor, " Q"]) -> Float[Tensor, "t M 3"]:
        """From measured to modelled, in standard deviations."""
        with torch.no_grad():
            return (self.pose(x, z).markers - self.measured) * self.certainty[..., None]

    def costs(self, x: Float[Tensor, "t P"], z: Float[Tensor, " Q"]) -> Float[Tensor, " t"]:
        """Of the markers, by frame: 1/2 r^2 up to `outlier`, linear beyond (Huber 1964)."""
        distances = torch.linalg.vector_norm(self.residuals(x, z), dim=-1)
        near = distances.clamp(max=self.outlier)
        return (near * (distances - 0.5 * near)).sum(-1)

    def cost(self, x: Float[Tensor, "t P"], z: Float[Tensor, " Q"]) -> float:
        return float(self.costs(x, z).sum() + 0.5 * z.square().sum())

    def fitted_model(self, z: Float[Tensor, " Q"]) -> Model:
        """The model scaled, its markers moved."""
        scaled = scale_model(self.model, self.scale_factors(z).numpy())
        return moved_markers(scaled, self.marker_offsets(z).numpy())

    def system(self, x: Float[Tensor, "t P"], z: Float[Tensor, " Q"]) -> ArrowSystem:
        """Gauss-Newton of the markers alone; coordinates at a bound that they press against are held."""
        by_pose = MarkerJacobian(IkProblem.of(self.fitted_model(z)))(x, self._coordinates(x))[1]
        by_shared = torch.cat([self._by_effects(x, z), self._by_offsets(x, z)], dim=-1)
        residuals = self.residuals(x, z)
        distances = torch.linalg.vector_norm(residuals, dim=-1, keepdim=True)
        trust = (self.outlier / distances.clamp(min=self.outlier)).sqrt()  # trust^2 r is the cost's slope
        weight = (trust * self.certainty[..., None])[..., None]
        system = ArrowSystem.of(
            (trust * residuals).flatten(1),
            (weight * by_pose).flatten(1, 2),
            (weight * by_shared).flatten(1, 2),
        )
        gradient = system.frames_gradient
        return system.held(((x <= self.lower) & (gradient > 0)) | ((x >= self.upper) & (gradient < 0)))

    def _by_effects(self, x: Tensor, z: Tensor) -> Float[Tensor, "t M 3 E"]:
        """Derivatives of the markers, forward mode: all frames share the effects."""
        coordinates, offsets = self._coordinates(x), self.marker_offsets(z)

        def markers(effects: Tensor) -> Tensor:
            return self.fk(coordinates, self.scale_factors(effects), offsets).markers

        effects = z[: self.num_effects]
        with torch.no_grad():
            return torch.func.vmap(
                lambda direction: torch.func.jvp(markers, (effects,), (direction,))[1], out_dims=-1
            )(torch.eye(self.num_effects, dtype=z.dtype))

    def _by_offsets(self, x: Tensor, z: Tensor) -> Float[Tensor, "t M 3 O"]:
        """A marker moves with its offset by the rotation of its body."""
        with torch.no_grad():
            rotmats = self.pose(x, z).body_rotmats[:, self.fk.marker_bodies]
        own = torch.eye(rotmats.shape[1], dtype=rotmats.dtype)
        return torch.einsum("tmij,mj,mn->tminj", rotmats, self.marker_deviations, own).flatten(-2)


def moved_markers(model: Model, offsets: Float[np.ndarray, "M 3"]) -> Model:
    """Every marker shifted in its body's frame, m."""
    pairs = zip(model.markers, offsets, strict=True)
    return model.with_markers(tuple(replace(marker, offset=marker.offset + shift) for marker, shift in pairs))
