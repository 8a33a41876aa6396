"""Keypoints that no detector has found: the true ones, projected, with as much noise as is wanted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from odah.benchmark.methods.multi_step.keypoint_sets import KeypointSet, keypoint_set
from odah.benchmark.methods.multi_step.keypoints import Keypoints
from odah.benchmark.recording import Motion, Recording
from odah.errors import InputError, OdahError
from odah.osim import ForwardKinematics, Model, full_body_model, read_model
from odah.osim.scale import recovered_scale_factors, scaled_markers
from odah.scene.camera import Camera

_EXACT = 1e-4
"""m; places are exact, but an infinite certainty solves badly."""


@dataclass(frozen=True)
class Noise:
    """Of each coordinate of a keypoint in the picture: Gaussian, and independent between keypoints, views and
    frames, or, with a `correlation_time` in s, a first-order autoregressive process. Standard deviations:

    sigma_px: pixels of the full picture. sigma_mm: mm across the line of sight at the keypoint's depth. The
    same `seed` gives the same deviates times another sigma.
    """

    sigma_px: float = 0.0
    sigma_mm: float = 0.0
    correlation_time: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("sigma_px", "sigma_mm", "correlation_time"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise InputError(f"noise, {name}", f"{value}", "a finite number, 0 or more")

    def deviates(
        self, shape: tuple[int, ...], rate: float, generator: np.random.Generator
    ) -> Float[np.ndarray, "T ..."]:
        """Of variance 1, the first axis being time."""
        fresh = generator.standard_normal(shape)
        if self.correlation_time == 0:
            return fresh
        kept = float(np.exp(-1 / (rate * self.correlation_time)))
        for t in range(1, len(fresh)):
            fresh[t] = kept * fresh[t - 1] + np.sqrt(1 - kept**2) * fresh[t]
        return fresh


@dataclass(frozen=True)
class ProjectedTruth:
    """Every keypoint is seen by every camera that has it in its picture, at confidence 1; none is hidden."""

    set_name: str = "body_25"
    noise: Noise = Noise()

    @property
    def keypoint_set(self) -> KeypointSet:
        """See `KeypointSource`."""
        return keypoint_set(self.set_name)

    @property
    def place_deviation(self) -> float:
        """See `KeypointSource`."""
        return _EXACT

    @property
    def facts(self) -> Mapping[str, Any]:
        """See `KeypointSource`."""
        return {"source": "projected truth", "set": self.set_name, **asdict(self.noise)}

    def keypoints(self, recording: Recording, view: str) -> Keypoints:
        """See `KeypointSource`.

        Raises:
            OdahError: the truth has no scaled full-body model.
        """
        camera = recording.views[view].camera
        points = true_keypoints(recording.truth, self.keypoint_set)
        T = recording.T_world_ground
        world = points @ T[:3, :3].T + T[:3, 3]
        deviates = self.noise.deviates(
            (*world.shape[:2], 2), recording.rate, self._generator(recording, view)
        )
        pixels = camera.project(world) + deviates * self._sigma_px(camera, world)
        is_seen = np.isfinite(pixels).all(-1) & camera.sees(world)
        pixels = np.where(is_seen[..., None], pixels, np.nan)
        return Keypoints(pixels[:, None], is_seen[:, None].astype(float))

    def _sigma_px(self, camera: Camera, world: Float[np.ndarray, "T M 3"]) -> Float[np.ndarray, "T M 2"]:
        depth = camera.to_cam(world)[..., 2:]
        across = 1e-3 * self.noise.sigma_mm * np.diag(camera.K)[:2] / depth
        return np.hypot(across, self.noise.sigma_px)

    def _generator(self, recording: Recording, view: str) -> np.random.Generator:
        """Of the recording and the view by their names, so that neither order nor company matters."""
        told = f"{self.noise.seed}/{recording.dataset}/{recording.name}/{view}"
        return np.random.default_rng(list(hashlib.sha256(told.encode()).digest()))


def true_keypoints(truth: Motion, points: KeypointSet) -> Float[np.ndarray, "T M 3"]:
    """Where the keypoints are on the true model in the true motion, ground, m.

    Raises:
        OdahError: the truth has no model, or one without the full-body model's bodies.
    """
    model, factors = _true_model(truth, points)
    carried = model.with_markers(scaled_markers(points.markers, model, factors))
    order = [truth.coordinate_names.index(name) for name in model.coordinate_names]
    with torch.no_grad():
        return ForwardKinematics(carried)(torch.from_numpy(truth.coordinates[:, order])).markers.numpy()


def _true_model(truth: Motion, points: KeypointSet) -> tuple[Model, Float[np.ndarray, "K 3"]]:
    """With the factors of its bodies, in its order."""
    if truth.model is None:
        raise OdahError("the truth has no OpenSim model to put keypoints on")
    model = read_model(truth.model)
    lacking = [marker.body for marker in points.markers if marker.body not in model.body_names]
    lacking += [name for name in model.coordinate_names if name not in truth.coordinate_names]
    if lacking:
        raise OdahError(f"{truth.model.name} is not a full-body model whose motion is known: no {lacking[0]}")
    if truth.scale_factors is None:
        return model, recovered_scale_factors(model, full_body_model())
    return model, truth.scale_factors[[truth.body_names.index(name) for name in model.body_names]]
