"""OpenSim's function elements to `odah.osim.functions`."""

from __future__ import annotations

import numpy as np

from odah.errors import InputError
from odah.osim.document import Node
from odah.osim.functions import (
    Constant,
    Function,
    LinearFunction,
    PiecewiseLinearFunction,
    PlainFunction,
    PolynomialFunction,
    SimmSpline,
    multiplied,
)

_POINT_FUNCTIONS = {"SimmSpline": SimmSpline, "PiecewiseLinearFunction": PiecewiseLinearFunction}
FUNCTION_NAMES = ("Constant", "LinearFunction", "PolynomialFunction", *_POINT_FUNCTIONS, "MultiplierFunction")


def read_function(node: Node, num_inputs: int) -> Function:
    """The function of `num_inputs` coordinates that an element describes.

    Raises:
        InputError: a class not known here, missing numbers, or the wrong number of coordinates.
    """
    scale, has_scale = 1.0, False
    while node.tag == "MultiplierFunction":
        scale, has_scale = scale * node.number("scale", 1.0), True
        inner = list(node.child("function").element)
        if len(inner) != 1:
            raise InputError(f"{node.where}, function", f"{len(inner)} elements", "one function")
        node = node.wrap(inner[0])
    function = _read_plain(node, num_inputs)
    return multiplied(function, scale) if has_scale else function


def _read_plain(node: Node, num_inputs: int) -> PlainFunction:
    if node.tag == "Constant":
        return Constant(node.number("value", 0.0))
    if node.tag == "LinearFunction":
        coefficients = node.numbers("coefficients", (1.0, 0.0))
        if len(coefficients) != num_inputs + 1:
            found = f"{len(coefficients)} numbers"
            raise InputError(f"{node.where}, coefficients", found, f"{num_inputs + 1} numbers")
        return LinearFunction(tuple(coefficients.tolist()))
    if node.tag not in FUNCTION_NAMES:
        raise InputError(node.where, f"a {node.tag}", f"one of {', '.join(FUNCTION_NAMES)}")
    if num_inputs != 1:
        raise InputError(node.where, f"{num_inputs} coordinates", "one coordinate")
    if node.tag == "PolynomialFunction":
        return PolynomialFunction(tuple(node.numbers("coefficients").tolist()))
    return _read_points(node)


def _read_points(node: Node) -> PlainFunction:
    x, y = node.numbers("x"), node.numbers("y")
    if len(x) != len(y):
        raise InputError(f"{node.where}, y", f"{len(y)} numbers", f"{len(x)}, as many as in x")
    if len(x) < 2 or not (np.diff(x) > 0).all():
        raise InputError(f"{node.where}, x", f"{len(x)} numbers", "two or more, each above the last")
    return _POINT_FUNCTIONS[node.tag](tuple(x.tolist()), tuple(y.tolist()))
