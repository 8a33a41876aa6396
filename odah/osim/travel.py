"""Where the pelvis goes so that whatever carries the body stands still, and how it flies in between."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

GRAVITY = 9.81
"""m/s^2"""
_PUSH_OFF = 0.22
"""s; longest time before take-off and after landing over which the path bends into the flight."""
_SHORTEST_FLIGHT = 0.05
"""s; shorter gaps are the hand-over from one foot to the other."""
_HEIGHT_SMOOTHING = 0.02
_TRAVEL_SMOOTHING = 0.12
"""s; standard deviations of the Gaussians over the height and the horizontal path. The body travels more
evenly than rigidly planted feet would have it; the legs take up the difference."""


def runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """(first, one past last) of every stretch of True in a (T,) mask."""
    edges = np.diff(np.concatenate([[0], mask.astype(int), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))


def carried_path(points: np.ndarray, weights: np.ndarray, rate: float) -> np.ndarray:
    """Displacement (T, 3) m that keeps the carrying points on the floor (y = 0) and still.

    points: (T, P, 3) in ground with the root standing still. weights: (T, P) in 0..1; frames where
    no weight exceeds 0.5 are flights, crossed at constant horizontal velocity and with a straight height.
    Where nothing ever carries, the lowest point is put on the floor.
    """
    num_frames = len(points)
    is_carried = weights.max(axis=1) >= 0.5
    if not is_carried.any():
        return np.outer(-points[..., 1].min(axis=1), [0.0, 1.0, 0.0])
    frames = np.arange(num_frames)
    share = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    height = -(share * points[..., 1]).sum(axis=1)
    path = np.zeros((num_frames, 3))
    path[:, 1] = np.interp(frames, frames[is_carried], height[is_carried])
    if num_frames == 1:
        return path
    horizontal = points[..., (0, 2)]
    step = np.diff(horizontal, axis=0)
    step_share = (share[1:] + share[:-1]) / 2
    velocity = -(step_share[..., None] * step).sum(axis=1)
    is_step_carried = is_carried[1:] & is_carried[:-1]
    for axis in range(2):
        if is_step_carried.any():
            known = velocity[is_step_carried, axis]
            velocity[:, axis] = np.interp(frames[1:], frames[1:][is_step_carried], known)
    path[1:, (0, 2)] = np.cumsum(velocity, axis=0)
    path[:, 1] = gaussian_filter1d(path[:, 1], _HEIGHT_SMOOTHING * rate, mode="nearest")
    for axis in (0, 2):
        path[:, axis] = _smooth_travel(path[:, axis], _TRAVEL_SMOOTHING * rate)
    return path


def _smooth_travel(position: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian smoothing that keeps the speed at both ends: the path goes on point-mirrored there."""
    reach = min(int(4 * sigma) + 1, len(position) - 1)
    before = 2 * position[0] - position[reach:0:-1]
    after = 2 * position[-1] - position[-2 : -reach - 2 : -1]
    smooth = gaussian_filter1d(np.concatenate([before, position, after]), sigma)
    return smooth[reach : reach + len(position)]


def ballistic_path(path: np.ndarray, com: np.ndarray, is_airborne: np.ndarray, rate: float) -> np.ndarray:
    """`path` (T, 3) with every flight replaced by one whose centre of mass falls freely.

    com: (T, 3) centre of mass with the root standing still, so it is at com + path. The path before
    take-off and after landing is bent to meet the flight in position and velocity.
    Flights at either end of the clip stay as they are: nothing says when they began or end.
    """
    path = path.copy()
    flights = [
        (a, b) for a, b in runs(is_airborne) if a > 0 and b < len(path) and b - a >= _SHORTEST_FLIGHT * rate
    ]
    for first, landing in flights:
        take_off = first - 1
        time = np.arange(landing - take_off + 1) / rate
        total = time[-1]
        start, end = (com + path)[take_off], (com + path)[landing]
        flown = start + (end - start) * (time / total)[:, None]
        flown[:, 1] += GRAVITY / 2 * time * (total - time)
        path[take_off : landing + 1] = flown - com[take_off : landing + 1]
    bounds = [0, *(edge for a, b in flights for edge in (a - 1, b)), len(path) - 1]
    for k, (first, landing) in enumerate(flights):
        take_off = first - 1
        before, after = bounds[2 * k], bounds[2 * k + 3]
        reach = round(_PUSH_OFF * rate)
        _bend(path, max(take_off - reach, (before + take_off + 1) // 2), take_off, rate, flight_after=True)
        _bend(path, landing, min(landing + reach, (landing + after) // 2), rate, flight_after=False)
    return path


def _bend(path: np.ndarray, start: int, end: int, rate: float, *, flight_after: bool) -> None:
    """Replace path[start:end + 1] by the cubic with the positions and velocities at its ends (Hermite)."""
    if end - start < 2:
        return
    duration = (end - start) / rate
    if flight_after:
        velocities = (path[start] - path[max(start - 1, 0)]) * rate, (path[end + 1] - path[end]) * rate
    else:
        following = path[min(end + 1, len(path) - 1)]
        velocities = (path[start] - path[start - 1]) * rate, (following - path[end]) * rate
    s = (np.arange(end - start + 1) / (end - start))[:, None]
    first, last = path[start].copy(), path[end].copy()
    path[start : end + 1] = (
        (1 + 2 * s) * (1 - s) ** 2 * first
        + s * (1 - s) ** 2 * duration * velocities[0]
        + s**2 * (3 - 2 * s) * last
        + s**2 * (s - 1) * duration * velocities[1]
    )
