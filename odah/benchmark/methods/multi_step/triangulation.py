"""Points from the pixels in which several calibrated cameras see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Int

from odah.scene.camera import Camera

_ROUNDS = 3
"""Of reweighting; a second one already changes nothing that could be measured."""
_UNDISTORTED = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-12)
_FOLDED_PX = 0.5
"""By how much a pixel may be missed when it is distorted again; more is beyond the lens."""


@dataclass(frozen=True, eq=False)
class Triangulated:
    """points: world, m, NaN where fewer than two views see one. errors_px: root mean square over the views of
    the distance between keypoint and projected point. num_views: that a point rests on.
    """

    points: Float[np.ndarray, "*B 3"]
    errors_px: Float[np.ndarray, " *B"]
    num_views: Int[np.ndarray, " *B"]


def triangulate(
    cameras: Sequence[Camera],
    pixels: Float[np.ndarray, "V *B 2"],
    confidence: Float[np.ndarray, " V *B"],
    max_error_px: float = np.inf,
) -> Triangulated:
    """Points seen by at least two cameras, weighted by the confidence of their keypoints.

    Linear triangulation, reweighted so that it minimises distances in the pictures (Hartley and Sturm,
    "Triangulation", 1997, section 4.2). Where the error is above the limit, the view that misses most is left
    out until two are left; then the point is.
    """
    rays = np.stack([undistorted(camera, each) for camera, each in zip(cameras, pixels, strict=True)])
    weights = np.where(np.isfinite(rays).all(-1), confidence, 0.0)
    while True:
        points = _nearest(cameras, rays, weights)
        misses = _misses_px(cameras, pixels, weights, points)
        seen = weights > 0
        errors = np.sqrt((np.where(seen, misses, 0.0) ** 2).sum(0) / np.maximum(seen.sum(0), 1))
        # A point behind a camera misses by NaN.
        is_bad = ~(errors <= max_error_px) & (seen.sum(0) >= 2)
        if not is_bad.any():
            break
        worst = np.where(seen, np.nan_to_num(misses, nan=np.inf), -1.0).argmax(0)
        is_pair = seen.sum(0) == 2
        is_dropped = (np.arange(len(cameras)).reshape(-1, *[1] * is_bad.ndim) == worst) | is_pair
        weights = np.where(is_dropped & is_bad, 0.0, weights)
    is_known = seen.sum(0) >= 2
    return Triangulated(
        np.where(is_known[..., None], points, np.nan),
        np.where(is_known, errors, np.nan),
        np.where(is_known, seen.sum(0), 0),
    )


def undistorted(camera: Camera, pixels: Float[np.ndarray, "*B 2"]) -> Float[np.ndarray, "*B 2"]:
    """x / z and y / z of what a pixel shows; NaN where the lens shows nothing there."""
    normalized = (pixels - camera.K[:2, 2]) / np.diag(camera.K)[:2]
    if not camera.is_distorted or not normalized.size:
        return normalized
    flat = np.nan_to_num(pixels.reshape(-1, 1, 2).astype(float))
    lens = np.array(camera.distortion)
    # OpenCV 4 has another name for the one whose accuracy can be set.
    undistort = getattr(cv2, "undistortPointsIter", cv2.undistortPoints)
    found = undistort(flat, camera.K, lens, R=np.eye(3), P=np.eye(3), criteria=_UNDISTORTED)
    # Beyond the radius at which its polynomial turns back there is no answer, but OpenCV gives one.
    deep = np.concatenate([found[:, 0], np.ones((len(found), 1))], axis=1)
    again = camera.project(deep @ camera.T_world_cam[:3, :3].T + camera.position)
    is_there = np.linalg.norm(again - flat[:, 0], axis=-1) < _FOLDED_PX
    found = np.where(is_there[:, None], found[:, 0], np.nan).reshape(pixels.shape)
    return np.where(np.isfinite(pixels), found, np.nan)


def _nearest(
    cameras: Sequence[Camera], rays: Float[np.ndarray, "V *B 2"], weights: Float[np.ndarray, " V *B"]
) -> Float[np.ndarray, "*B 3"]:
    """Least squares of x - u z = 0 and y - v z = 0 in all cameras, over the depths of the round before."""
    depths = np.ones_like(weights)
    points = np.full((*weights.shape[1:], 3), np.nan)
    rays = np.where(weights[..., None] > 0, rays, 0.0)
    for _ in range(_ROUNDS):
        matrix = np.zeros((*weights.shape[1:], 3, 3))
        right = np.zeros((*weights.shape[1:], 3))
        for camera, ray, weight, depth in zip(cameras, rays, weights, depths, strict=True):
            T, focal = camera.T_cam_world, np.diag(camera.K)[:2]
            rows = T[:2, :3] - ray[..., None] * T[2, :3]
            values = ray * T[2, 3] - T[:2, 3]
            scale = weight[..., None] * (focal / depth[..., None]) ** 2
            matrix += np.einsum("...r,...ri,...rj->...ij", scale, rows, rows)
            right += np.einsum("...r,...ri,...r->...i", scale, rows, values)
        is_known = (weights > 0).sum(0) >= 2
        is_known &= np.linalg.matrix_rank(matrix, hermitian=True) == 3
        points[is_known] = np.linalg.solve(matrix[is_known], right[is_known][..., None])[..., 0]
        points[~is_known] = np.nan
        depths = np.stack([camera.to_cam(points)[..., 2] for camera in cameras])
        depths = np.where(np.isfinite(depths) & (np.abs(depths) > 1e-6), depths, 1.0)
    return points


def _misses_px(
    cameras: Sequence[Camera],
    pixels: Float[np.ndarray, "V *B 2"],
    weights: Float[np.ndarray, " V *B"],
    points: Float[np.ndarray, "*B 3"],
) -> Float[np.ndarray, " V *B"]:
    """Distances in the pictures; NaN where a view is not used or has the point behind it."""
    places = np.stack([camera.project(points) for camera in cameras])
    return np.where(weights > 0, np.linalg.norm(places - pixels, axis=-1), np.nan)
