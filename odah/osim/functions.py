"""The scalar functions an OpenSim model may drive a joint axis or a coupled coordinate with.

Each is a frozen value object, evaluated through one shared form: a piecewise polynomial.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PiecewisePolynomial:
    """n + 1 polynomials separated by n breaks; piece k is used where breaks[k-1] <= x < breaks[k].

    breaks: (n,) ascending. anchors: (n+1,). coefficients: (n+1, D), lowest order first, of
    powers of (x - anchors[k]).
    """

    breaks: np.ndarray
    anchors: np.ndarray
    coefficients: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        x = np.asarray(x, dtype=np.float64)
        piece = np.searchsorted(self.breaks, x, side="right")
        powers = (x - self.anchors[piece])[..., None] ** np.arange(self.coefficients.shape[1])
        return np.sum(self.coefficients[piece] * powers, axis=-1)

    def times(self, factor: float) -> PiecewisePolynomial:
        return PiecewisePolynomial(self.breaks, self.anchors, self.coefficients * factor)


@dataclass(frozen=True)
class Constant:
    """f() = value."""

    value: float = 0.0


@dataclass(frozen=True)
class LinearFunction:
    """f(x) = sum_i coefficients[i] x_i + coefficients[-1], of one or more coordinates."""

    coefficients: tuple[float, ...] = (1.0, 0.0)

    @property
    def is_identity(self) -> bool:
        return self.coefficients == (1.0, 0.0)


@dataclass(frozen=True)
class PolynomialFunction:
    """f(x) with `coefficients` from the highest order down to the constant, as OpenSim stores them."""

    coefficients: tuple[float, ...]

    def pieces(self) -> PiecewisePolynomial:
        return PiecewisePolynomial(np.empty(0), np.zeros(1), np.array([self.coefficients[::-1]]))


@dataclass(frozen=True)
class PiecewiseLinearFunction:
    """Straight lines between the points (x, y); the first and last line go on outside."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    def pieces(self) -> PiecewisePolynomial:
        x, y = np.array(self.x), np.array(self.y)
        slopes = np.diff(y) / np.diff(x)
        inner = np.stack([y[:-1], slopes], axis=1)
        return PiecewisePolynomial(x[1:-1], x[:-1], inner)


@dataclass(frozen=True)
class SimmSpline:
    """Cubic spline through the points (x, y), continued by straight lines outside.

    The spline of Forsythe, Malcolm and Moler, "Computer Methods for Mathematical Computations"
    (1977), section 4.4: the third derivative at either end is that of the cubic through the four
    nearest points. (Not a natural spline.)
    """

    x: tuple[float, ...]
    y: tuple[float, ...]

    def pieces(self) -> PiecewisePolynomial:
        x, y = np.array(self.x), np.array(self.y)
        width = np.diff(x)
        slope = np.diff(y) / width
        sigma = self._third_differences(width, slope)
        inner = np.stack(
            [
                y[:-1],
                slope - width * (2 * sigma[:-1] + sigma[1:]),
                3 * sigma[:-1],
                np.diff(sigma) / width,
            ],
            axis=1,
        )
        last_slope = slope[-1] + width[-1] * (sigma[-2] + 2 * sigma[-1])
        before = [y[0], inner[0, 1], 0.0, 0.0]
        after = [y[-1], last_slope, 0.0, 0.0]
        return PiecewisePolynomial(x, np.concatenate([x[:1], x]), np.vstack([before, inner, after]))

    def _third_differences(self, width: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """sigma_i = f''(x_i) / 6, the solution of the book's symmetric tridiagonal system."""
        x, n = np.array(self.x), len(self.x)
        if n == 2:
            return np.zeros(2)
        diagonal = np.concatenate([[-width[0]], 2 * (width[:-1] + width[1:]), [-width[-1]]])
        system = np.diag(diagonal) + np.diag(width, 1) + np.diag(width, -1)
        right = np.concatenate([[0.0], np.diff(slope), [0.0]])
        if n > 3:
            second = np.diff(slope) / (x[2:] - x[:-2])
            third = np.diff(second) / (x[3:] - x[:-3])
            right[0] = width[0] ** 2 * third[0]
            right[-1] = -(width[-1] ** 2) * third[-1]
        return np.linalg.solve(system, right)


@dataclass(frozen=True)
class MultiplierFunction:
    """scale * function(x): what scaling a model leaves behind."""

    function: PlainFunction
    scale: float


PlainFunction = Constant | LinearFunction | PolynomialFunction | PiecewiseLinearFunction | SimmSpline
Function = PlainFunction | MultiplierFunction


def unwrap(function: Function) -> tuple[float, PlainFunction]:
    """The multiplier around a function (1 if there is none), and the function inside."""
    if isinstance(function, MultiplierFunction):
        return function.scale, function.function
    return 1.0, function


def evaluate(function: Function, x: np.ndarray) -> np.ndarray:
    """The function of one variable at each x."""
    scale, inner = unwrap(function)
    if isinstance(inner, Constant):
        return np.full(np.shape(x), scale * inner.value)
    if isinstance(inner, LinearFunction):
        slope, bias = inner.coefficients
        return scale * (slope * np.asarray(x) + bias)
    return scale * inner.pieces()(x)


def multiplied(function: Function, factor: float) -> MultiplierFunction:
    """factor * function, as one multiplier around the function inside."""
    scale, inner = unwrap(function)
    return MultiplierFunction(inner, scale * factor)
