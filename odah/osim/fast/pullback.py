"""Derivatives of a program as more of the same program: reverse-mode differentiation of the graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from odah.osim.fast.expressions import Expression, ancestors, cosine, reciprocal, sine


def pullback(
    outputs: Iterable[tuple[Expression | float, Expression | float]], inputs: Sequence[Expression]
) -> list[Expression | float]:
    """d(sum of output * cotangent) / d(input), for each input.

    outputs: pairs of an output and its cotangent. Expressions that no input reaches are left out.
    """
    pairs = [(out, cotangent) for out, cotangent in outputs if isinstance(out, Expression)]
    nodes = ancestors(out for out, _ in pairs)
    wanted = _depending(nodes, inputs)
    adjoints: dict[int, Expression | float] = {}

    def add(index: int, amount: Expression | float) -> None:
        adjoints[index] = adjoints[index] + amount if index in adjoints else amount

    for out, cotangent in pairs:
        add(out.index, cotangent)
    for node in reversed(nodes):
        if node.index not in adjoints or node.op == "input" or node.index not in wanted:
            continue
        adjoint = adjoints[node.index]
        for arg, amount in _contributions(node, adjoint):
            if arg.index in wanted:
                add(arg.index, amount)
    return [adjoints.get(node.index, 0.0) for node in inputs]


def _depending(nodes: Sequence[Expression], inputs: Sequence[Expression]) -> set[int]:
    """Indices of the nodes that some input reaches."""
    reached = {node.index for node in inputs}
    for node in nodes:
        if any(isinstance(arg, Expression) and arg.index in reached for arg in node.args):
            reached.add(node.index)
    return reached


def _contributions(
    node: Expression, adjoint: Expression | float
) -> list[tuple[Expression, Expression | float]]:
    """What a node's adjoint adds to those of its arguments."""
    first = node.args[0]
    match node.op:
        case "add":
            return [(arg, adjoint) for arg in node.args if isinstance(arg, Expression)]
        case "mul":
            pairs = zip(node.args, reversed(node.args), strict=True)
            return [(arg, adjoint * other) for arg, other in pairs if isinstance(arg, Expression)]
        case "neg":
            return [(first, -adjoint)]
        case "sin":
            return [(first, adjoint * cosine(first))]
        case "cos":
            return [(first, -(adjoint * sine(first)))]
        case "curve":
            return [(first, adjoint * node.slope())]
        case "sqrt":
            return [(first, 0.5 * (adjoint * reciprocal(node)))]
    raise ValueError(f"{node.op} has no derivative")
