"""OpenCV's lens distortion on normalized picture coordinates, forwards and backwards.

The model of Brown (1966) as OpenCV writes it: radial k1, k2, k3 and tangential p1, p2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from odah.errors import InputError

_TOLERANCE = 1e-10


def coefficients(distortion: Sequence[float]) -> tuple[float, float, float, float, float]:
    """k1, k2, p1, p2, k3, missing ones zero."""
    k1, k2, p1, p2, k3 = (*distortion, *[0.0] * (5 - len(distortion)))
    return k1, k2, p1, p2, k3


def distort(points: np.ndarray, distortion: Sequence[float]) -> np.ndarray:
    """Normalized coordinates (..., 2), x / z and y / z, to where the lens puts them.

    NaN beyond the radius at which the radial polynomial turns back: there the model no longer is a lens, and
    what it gives would fall into the picture again.
    """
    k1, k2, p1, p2, k3 = coefficients(distortion)
    x, y = points[..., 0], points[..., 1]
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    radial = np.where(r2 < turning_radius(distortion) ** 2, radial, np.nan)
    return np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        ],
        axis=-1,
    )


def turning_radius(distortion: Sequence[float]) -> float:
    """The smallest normalized radius where r (1 + k1 r^2 + k2 r^4 + k3 r^6) stops to grow; inf for none."""
    k1, k2, _, _, k3 = coefficients(distortion)
    # In 1 / r^2 the derivative is 1 times a power plus the rest, however small the coefficients are.
    roots = np.roots([1.0, 3 * k1, 5 * k2, 7 * k3])
    real = roots[np.abs(roots.imag) < 1e-9 * np.abs(roots)].real
    largest = real.max(initial=0.0)
    return float(1 / np.sqrt(largest)) if largest > 1e-12 else np.inf


def undistort(points: np.ndarray, distortion: Sequence[float]) -> np.ndarray:
    """Inverse of `distort` for points (..., 2), to 1e-10.

    Raises:
        InputError: points no undistorted one leads to, as the polynomial turns back before it gets there.
    """
    flat = points.reshape(-1, 2)
    found = _radial_guess(flat, distortion)
    for _ in range(30):
        error = distort(found, distortion) - flat
        if not np.isfinite(error).all():
            break
        a, b, d = _jacobian(found, distortion)
        determinant = a * d - b * b
        if not (determinant > 0).all():
            break
        if np.abs(error).max(initial=0.0) < _TOLERANCE:
            return found.reshape(points.shape)
        ex, ey = error[:, 0], error[:, 1]
        found = found - np.stack([d * ex - b * ey, a * ey - b * ex], axis=-1) / determinant[:, None]
    raise InputError(
        "distortion", f"{[float(k) for k in distortion]}", "coefficients that do not fold the picture over"
    )


def _radial_guess(points: np.ndarray, distortion: Sequence[float]) -> np.ndarray:
    """Inverse of the radial part alone, from a table that ends where the polynomial turns."""
    k1, k2, _, _, k3 = coefficients(distortion)
    radius = np.linalg.norm(points, axis=-1)
    end = min(turning_radius(distortion) * (1 - 1e-6), 4 * float(radius.max(initial=0.0)) + 1.0)
    table = np.linspace(0.0, end, 2000)
    distorted = table * (1 + table**2 * (k1 + table**2 * (k2 + table**2 * k3)))
    guess = np.interp(radius, distorted, table)
    return points * (guess / np.maximum(radius, 1e-300))[:, None]


def _jacobian(points: np.ndarray, distortion: Sequence[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """a, b, d (N,) each of the derivative [[a, b], [b, d]] of `distort` at points (N, 2)."""
    k1, k2, p1, p2, k3 = coefficients(distortion)
    x, y = points[:, 0], points[:, 1]
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    slope = 2 * (k1 + r2 * (2 * k2 + r2 * 3 * k3))
    cross = x * y * slope + 2 * p1 * x + 2 * p2 * y
    a = radial + x * x * slope + 2 * p1 * y + 6 * p2 * x
    d = radial + y * y * slope + 6 * p1 * y + 2 * p2 * x
    return a, cross, d
