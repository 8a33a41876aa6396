"""Arithmetic as a graph: every value is computed once, and what is known beforehand not at all.

Expressions mix freely with Python floats and live in numpy object arrays, so that formulas of matrices are
written as usual. Whatever involves only numbers is worked out on the spot and stays a number; zeros and ones
drop out.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np

from odah.osim.functions import PiecewisePolynomial

_ROUNDING = 1e-15
"""Entries of unit-sized constants (cos 90 degrees) that are this close to -1, 0 or 1 are meant to be."""


class Graph:
    """All expressions of one program, in the order of their making."""

    def __init__(self) -> None:
        self.nodes: list[Expression] = []
        self.curves: list[PiecewisePolynomial] = []
        self._known: dict[Hashable, Expression] = {}
        self._curve_numbers: dict[Hashable, int] = {}

    def node(self, op: str, args: tuple[Expression | float, ...], payload: Hashable = None) -> Expression:
        """The expression op(args); the same object whenever the same is asked for again."""
        names = [arg.index if isinstance(arg, Expression) else float(arg) for arg in args]
        kinds = [isinstance(arg, Expression) for arg in args]
        key = (op, payload, *names, *kinds)
        if key not in self._known:
            varies = any(isinstance(arg, Expression) and arg.varies for arg in args)
            self._known[key] = self._append(op, args, payload, varies)
        return self._known[key]

    def _append(self, op: str, args: tuple, payload: Hashable, varies: bool) -> Expression:
        expression = Expression(self, len(self.nodes), op, args, payload, varies)
        self.nodes.append(expression)
        return expression

    def inputs(self, group: str, count: int, varies: bool) -> np.ndarray:
        """(count,) inputs; varies: from frame to frame, else one value for all frames."""
        return np.array([self.input(group, row, varies) for row in range(count)], dtype=object)

    def input(self, group: str, row: int, varies: bool) -> Expression:
        return self._append("input", (), (group, row), varies)

    def curve(self, curve: PiecewisePolynomial, x: Expression | float) -> Expression | float:
        """The piecewise polynomial at x."""
        if not isinstance(x, Expression):
            return float(curve(np.array(x)))
        key = tuple(part.tobytes() for part in (curve.breaks, curve.anchors, curve.coefficients))
        number = self._curve_numbers.setdefault(key, len(self.curves))
        if number == len(self.curves):
            self.curves.append(curve)
        return self.node("curve", (x,), number)


class Expression:
    """A value that is known only when the program runs."""

    __array_ufunc__ = None  # numpy's numbers leave arithmetic with expressions to this class
    __slots__ = ("args", "graph", "index", "op", "payload", "varies")

    def __init__(self, graph: Graph, index: int, op: str, args: tuple, payload: Any, varies: bool) -> None:
        self.graph, self.index, self.op = graph, index, op
        self.args, self.payload, self.varies = args, payload, varies

    def __add__(self, other: Expression | float) -> Expression | float:
        if not isinstance(other, Expression):
            return self if other == 0 else self.graph.node("add", (self, float(other)))
        first, second = sorted((self, other), key=lambda expression: expression.index)
        return self.graph.node("add", (first, second))

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            factors = np.empty(other.shape, dtype=object)
            factors.fill(self)
            return other * factors
        if not isinstance(other, Expression):
            return self._times_number(float(other))
        first, second = sorted((self, other), key=lambda expression: expression.index)
        if first.op == "neg":
            return -(first.args[0] * second)
        if second.op == "neg":
            return -(first * second.args[0])
        return self.graph.node("mul", (first, second))

    def _times_number(self, number: float) -> Expression | float:
        if number == 0:
            return 0.0
        if number == 1:
            return self
        if number == -1:
            return -self
        if self.op == "mul" and not isinstance(self.args[1], Expression):
            return self.args[0]._times_number(self.args[1] * number)
        return self.graph.node("mul", (self, number))

    def __neg__(self) -> Expression:
        return self.args[0] if self.op == "neg" else self.graph.node("neg", (self,))

    def __sub__(self, other: Expression | float) -> Expression | float:
        return self + (-other)

    def __rsub__(self, other: float) -> Expression | float:
        return -self + other

    __radd__ = __add__
    __rmul__ = __mul__

    def slope(self) -> Expression:
        """The derivative of a curve, of which this is the value, with respect to its argument."""
        return self.graph.node("slope", self.args, self.payload)


def ancestors(nodes: Iterable[Expression]) -> list[Expression]:
    """The expressions themselves and all that they are computed from, in order of computation."""
    waiting = list(nodes)
    seen = {node.index: node for node in waiting}
    while waiting:
        for arg in waiting.pop().args:
            if isinstance(arg, Expression) and arg.index not in seen:
                seen[arg.index] = arg
                waiting.append(arg)
    return [seen[index] for index in sorted(seen)]


def sine(x: Expression | float) -> Expression | float:
    return x.graph.node("sin", (x,)) if isinstance(x, Expression) else math.sin(x)


def cosine(x: Expression | float) -> Expression | float:
    return x.graph.node("cos", (x,)) if isinstance(x, Expression) else math.cos(x)


def square_root(x: Expression | float) -> Expression | float:
    return x.graph.node("sqrt", (x,)) if isinstance(x, Expression) else math.sqrt(x)


def magnitude(x: Expression | float) -> Expression | float:
    return x.graph.node("abs", (x,)) if isinstance(x, Expression) else abs(x)


def reciprocal(x: Expression | float) -> Expression | float:
    return x.graph.node("inverse", (x,)) if isinstance(x, Expression) else 1.0 / x


def constants(values: np.ndarray) -> np.ndarray:
    """Numbers to calculate with, rid of rounding errors about -1, 0 and 1."""
    rounded = np.round(values)
    meant = (np.abs(values - rounded) <= _ROUNDING) & (np.abs(rounded) <= 1)
    return np.where(meant, rounded, values).astype(object)
