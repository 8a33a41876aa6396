"""Functions against OpenSim's and against what defines them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.osim.function_bank import FunctionBank
from odah.osim.functions import (
    Constant,
    LinearFunction,
    PiecewiseLinearFunction,
    PolynomialFunction,
    SimmSpline,
    multiplied,
    unwrap,
)


@st.composite
def points(draw):
    """2 to 9 points whose x are at least 0.05 apart."""
    steps = draw(st.lists(st.floats(0.05, 2.0), min_size=1, max_size=8))
    x = draw(st.floats(-3, 3)) + np.cumsum([0.0, *steps])
    y = draw(st.lists(st.floats(-5, 5), min_size=len(x), max_size=len(x)))
    return tuple(x.tolist()), tuple(y)


@settings(max_examples=60, deadline=None)
@given(points())
def test_spline_equals_opensim_inside_and_outside(opensim, knots):
    x, y = knots
    theirs = opensim.SimmSpline()
    for pair in zip(x, y, strict=True):
        theirs.addPoint(*pair)
    spline = SimmSpline(x, y).pieces()
    at = np.linspace(x[0] - 1, x[-1] + 1, 41)
    expected = [theirs.calcValue(opensim.Vector(1, float(value))) for value in at]
    np.testing.assert_allclose(spline(at), expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(points())
def test_spline_passes_its_points_smoothly(knots):
    x, y = map(np.array, knots)
    spline = SimmSpline(*knots).pieces()
    np.testing.assert_allclose(spline(x), y, rtol=1e-9, atol=1e-9)
    step = 1e-7
    slopes = (spline(x + step) - spline(x)) / step, (spline(x) - spline(x - step)) / step
    steepest = np.abs(np.diff(y) / np.diff(x)).max() + 1
    np.testing.assert_allclose(slopes[0], slopes[1], atol=1e-3 * steepest)


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=4), st.floats(-2, 2))
def test_spline_through_a_cubic_is_that_cubic(coefficients, at):
    """The end conditions make the spline exact for cubics, which a natural spline is not."""
    x = np.array([-2.0, -1.2, 0.1, 0.9, 2.0])
    spline = SimmSpline(tuple(x), tuple(np.polyval(coefficients, x))).pieces()
    np.testing.assert_allclose(spline(at), np.polyval(coefficients, at), atol=1e-9)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=6), st.floats(-2, 2))
def test_polynomial_has_its_highest_order_first(coefficients, at):
    value = PolynomialFunction(tuple(coefficients)).pieces()(at)
    np.testing.assert_allclose(value, np.polyval(coefficients, at), atol=1e-9)


@given(points(), st.floats(-10, 25))
def test_piecewise_linear_goes_on_outside(knots, at):
    x, y = knots
    k = int(np.clip(np.searchsorted(x, at) - 1, 0, len(x) - 2))
    expected = y[k] + (y[k + 1] - y[k]) / (x[k + 1] - x[k]) * (at - x[k])
    np.testing.assert_allclose(PiecewiseLinearFunction(x, y).pieces()(at), expected, rtol=1e-9, atol=1e-8)


def test_multipliers_do_not_pile_up():
    function = multiplied(multiplied(Constant(2.0), 3.0), 0.5)
    assert unwrap(function) == (1.5, Constant(2.0))


@settings(max_examples=30, deadline=None)
@given(knots=points(), more=points(), factor=st.floats(-3, 3), seed=st.integers(0, 100))
def test_a_bank_evaluates_every_function(knots, more, factor, seed):
    functions = [
        (SimmSpline(*knots), ("b",)),
        (multiplied(LinearFunction((2.0, -1.0, 0.5)), factor), ("a", "c")),
        (Constant(0.25), ()),
        (multiplied(SimmSpline(*more), factor), ("c",)),
        (PolynomialFunction((0.1, 0.2, 0.3, 0.4, 0.5)), ("a",)),
        (PiecewiseLinearFunction(*more), ("b",)),
    ]
    bank = FunctionBank(functions, ("a", "b", "c"), torch.float64)
    q = np.random.default_rng(seed).uniform(-6, 12, (5, 2, 3))
    a, b, c = np.moveaxis(q, -1, 0)
    expected = [
        SimmSpline(*knots).pieces()(b),
        factor * (2 * a - c + 0.5),
        np.full(a.shape, 0.25),
        factor * SimmSpline(*more).pieces()(c),
        np.polyval((0.1, 0.2, 0.3, 0.4, 0.5), a),
        PiecewiseLinearFunction(*more).pieces()(b),
    ]
    np.testing.assert_allclose(bank(torch.tensor(q)).numpy(), np.stack(expected, -1), rtol=1e-9, atol=1e-9)


def test_a_line_of_two_coordinates_differentiates():
    bank = FunctionBank([(LinearFunction((2.0, -1.0, 0.5)), ("a", "c"))], ("a", "b", "c"), torch.float64)
    q = torch.ones(3, dtype=torch.float64, requires_grad=True)
    bank(q).sum().backward()
    assert q.grad is not None
    assert q.grad.tolist() == pytest.approx([2.0, 0.0, -1.0])
