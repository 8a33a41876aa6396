"""How much of the space a person sweeps things hide from a camera, by rays through a grid of its pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from odah.scene.camera import Camera
from odah.scene.types import Solid

_RAYS_ACROSS = 160
_THICKER = 0.02
"""Added to every side of a solid, m, so that nothing slips between two rays."""


class SweptView:
    """One camera's view of the convex hull of points (P, 3), world, m."""

    def __init__(self, points: np.ndarray, camera: Camera) -> None:
        self.origin = camera.position
        self.rays = _rays_towards(points, camera)
        entry, leave = _hull_span(_half_spaces(points), self.origin, self.rays)
        hits = (entry < leave) & (leave > 0)
        self.rays, self.distance = self.rays[hits], leave[hits]

    def hidden_by(self, solids: Sequence[Solid]) -> np.ndarray:
        """(R,) bool, which rays to the hull meet one of the solids' boxes first."""
        hidden = np.zeros(len(self.rays), bool)
        for solid in solids:
            c, s = np.cos(solid.yaw), np.sin(solid.yaw)
            R = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
            half = np.array(solid.size) / 2 + _THICKER
            entry, leave = _box_span((self.origin - solid.position) @ R, self.rays @ R, half)
            hidden |= (entry < leave) & (leave > 0) & (entry < self.distance)
        return hidden


def _rays_towards(points: np.ndarray, camera: Camera) -> np.ndarray:
    """(R, 3) directions through a grid over the part of the picture where the points are; none where all of
    them are behind the camera."""
    pixels = camera.project(points)
    pixels = pixels[np.isfinite(pixels).all(axis=1)]
    if not len(pixels):
        return np.zeros((0, 3))
    size = np.array([camera.width, camera.height])
    low = np.clip(np.min(pixels, axis=0), 0, size - 1)
    high = np.clip(np.max(pixels, axis=0), 0, size - 1)
    step = max(size) / _RAYS_ACROSS
    u, v = np.meshgrid(np.arange(low[0], high[0] + step, step), np.arange(low[1], high[1] + step, step))
    pixel_rays = np.stack([u.ravel(), v.ravel(), np.ones(u.size)], axis=1)
    return pixel_rays @ np.linalg.inv(camera.K).T @ camera.T_world_cam[:3, :3].T


def _half_spaces(points: np.ndarray) -> np.ndarray:
    """(F, 4) outward normals and offsets of the hull's faces."""
    try:
        return ConvexHull(points).equations
    except QhullError:  # flat: shaken a little
        return ConvexHull(points, qhull_options="QJ").equations


def _hull_span(
    half_spaces: np.ndarray, origin: np.ndarray, rays: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(R,) where rays enter and leave a convex body; they miss it where the entry is beyond."""
    ahead = rays @ half_spaces[:, :3].T
    outside = half_spaces[:, :3] @ origin + half_spaces[:, 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        at = -outside / ahead
    entry = np.where(ahead < 0, at, -np.inf).max(1)
    leave = np.where(ahead > 0, at, np.inf).min(1)
    is_beside = ((ahead == 0) & (outside > 0)).any(1)
    return np.where(is_beside, np.inf, entry), leave


def _box_span(origin: np.ndarray, rays: np.ndarray, half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(R,) where rays enter and leave the box of these half edges around 0."""
    with np.errstate(divide="ignore"):
        near, far = (-half - origin) / rays, (half - origin) / rays
    return np.minimum(near, far).max(1), np.maximum(near, far).min(1)


class Occlusion:
    """What the cameras lose of the person to things, against the share they may lose."""

    def __init__(self, points: np.ndarray, cameras: Sequence[Camera], max_share: float) -> None:
        self._views = [SweptView(points, camera) for camera in cameras]
        self._hidden = [np.zeros(len(view.rays), bool) for view in self._views]
        self._max_share = max_share

    @property
    def shares(self) -> list[float]:
        """The share of the hull's picture that is hidden, for each camera."""
        return [float(hidden.mean()) if len(hidden) else 0.0 for hidden in self._hidden]

    def accept(self, solids: Sequence[Solid], box: Solid | None = None) -> bool:
        """Take the solids in if no camera then loses more than allowed; box: one that holds them all."""
        hidden = list(self._hidden)
        for index, view in enumerate(self._views):
            if box is not None and not view.hidden_by([box]).any():
                continue
            hidden[index] = self._hidden[index] | view.hidden_by(solids)
            if len(hidden[index]) and hidden[index].mean() > self._max_share:
                return False
        self._hidden = hidden
        return True
