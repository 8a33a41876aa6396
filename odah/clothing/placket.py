"""A shirt's front: the strip that its buttons sit on, laid over the drawn cloth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_HALF_WIDTH, _ROW = 0.016, 0.012
_PROFILE = ((-1.0, -0.001), (-1.0, 0.0022), (-0.62, 0.0028), (0.62, 0.0028), (1.0, 0.0022), (1.0, -0.001))
"""Columns of the strip: place across it (half widths) and height over the cloth, m."""
_BUTTON_STEP, _BUTTON_RADIUS, _BUTTON_CORNERS = 0.085, 0.0062, 10
_BUTTON_HEIGHTS = (0.0064, 0.0060, 0.0028)
"""Height over the cloth of a button's middle, its upper and its lower edge, m."""
_STRIP_SHADE, _SEAM_SHADE, _BUTTON_SHADE = 0.94, 0.62, 0.30
"""Brightness against the cloth's."""


@dataclass(frozen=True)
class Trim:
    """Points on the cloth (P, 2), x and y in the T-pose, m, with heights (P,) over it, m; faces (F, 3) and
    shades (P,)."""

    places: np.ndarray
    heights: np.ndarray
    faces: np.ndarray
    shades: np.ndarray


def placket_and_buttons(top: float, bottom: float) -> list[Trim]:
    """From the collar down to the hem, at heights `top` and `bottom` (m)."""
    middles = np.arange(top - 0.035, bottom + 0.06, -_BUTTON_STEP)
    return [_strip(top, bottom), *(_button(y) for y in middles)]


def _strip(top: float, bottom: float) -> Trim:
    rows = np.linspace(top, bottom, max(2, round((top - bottom) / _ROW)))
    across, lift = np.array(_PROFILE).T
    columns = len(across)
    places = np.stack(np.broadcast_arrays(_HALF_WIDTH * across[None], rows[:, None]), -1).reshape(-1, 2)
    shade = np.where(np.abs(across) == 1, _SEAM_SHADE, _STRIP_SHADE)
    r, c = (k.ravel() for k in np.mgrid[0 : len(rows) - 1, 0 : columns - 1])
    a, b = r * columns + c, r * columns + c + 1
    faces = np.concatenate(
        [np.stack([a, a + columns, b], 1), np.stack([b, a + columns, b + columns], 1)]
    )  # rows run down, columns to the wearer's left: this way round the faces look forward
    return Trim(places, np.tile(lift, len(rows)), faces, np.tile(shade, len(rows)))


def _button(height: float) -> Trim:
    n = _BUTTON_CORNERS
    turn = 2 * np.pi * np.arange(n) / n
    ring = _BUTTON_RADIUS * np.stack([np.cos(turn), np.sin(turn)], 1)
    places = np.concatenate([np.zeros((1, 2)), ring, ring])
    places[:, 1] += height
    heights = np.repeat(_BUTTON_HEIGHTS, [1, n, n])
    a, b = np.arange(n), (np.arange(n) + 1) % n
    top = np.stack([np.zeros(n, int), 1 + a, 1 + b], 1)
    side = [np.stack([1 + a, 1 + n + a, 1 + b], 1), np.stack([1 + b, 1 + n + a, 1 + n + b], 1)]
    return Trim(places, heights, np.concatenate([top, *side]), np.full(1 + 2 * n, _BUTTON_SHADE))


def on_front(places: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The face (P,) in front (+z) of each place (P, 2), x and y, and the shares (P, 3) of its corners there.

    Places beside the cloth take the nearest point of the face whose middle is nearest.
    """
    corners = vertices[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    front = np.flatnonzero((across[:, 2] > 0) & (np.abs(corners[..., 0]).min(1) < 0.05))
    a, b, c = (corners[front, k, :2] for k in range(3))
    area = across[front, 2]
    d = places[:, None] - a
    v = _cross(d, c - a) / area
    w = _cross(b - a, d) / area
    shares = np.stack([1 - v - w, v, w], -1)
    depth = np.where(shares.min(-1) > -1e-9, corners[front, :, 2].mean(1), -np.inf)
    apart = ((corners[front].mean(1)[:, :2] - places[:, None]) ** 2).sum(-1)
    best = np.where(np.isfinite(depth).any(1), depth.argmax(1), apart.argmin(1))
    chosen = np.clip(shares[np.arange(len(places)), best], 0, 1)
    return front[best], chosen / chosen.sum(1, keepdims=True)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
