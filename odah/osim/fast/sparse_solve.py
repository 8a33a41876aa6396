"""Symmetric positive-definite systems of a fixed sparsity, solved by straight-line arithmetic.

Every unknown is eliminated in turn, A = L D L^T. Unknowns that a tree of joints couples only to those on
their way to the root fill nothing in when they go before their ancestors, which is the order found here.
"""

from __future__ import annotations

from itertools import combinations

from odah.osim.fast.expressions import Expression, magnitude, reciprocal

Scalar = Expression | float
Entry = tuple[int, int]
"""Row and column of a symmetric matrix, the smaller one first."""


def entry(p: int, q: int) -> Entry:
    return (p, q) if p <= q else (q, p)


def elimination_order(size: int, entries: set[Entry]) -> list[int]:
    """An order that fills in little: next is the unknown with the fewest unlinked pairs of neighbours."""
    neighbours: dict[int, set[int]] = {p: set() for p in range(size)}
    for p, q in entries:
        if p != q:
            neighbours[p].add(q)
            neighbours[q].add(p)

    def fill(p: int) -> int:
        return sum(b not in neighbours[a] for a, b in combinations(neighbours[p], 2))

    order = []
    while neighbours:
        by_degree = sorted(neighbours, key=lambda p: (len(neighbours[p]), -p))
        costs = ((fill(p), p) for p in by_degree)
        chosen = next((p for cost, p in costs if cost == 0), None)
        if chosen is None:
            chosen = min(by_degree, key=fill)
        linked = neighbours.pop(chosen)
        for p in linked:
            neighbours[p] |= linked
            neighbours[p] -= {p, chosen}
        order.append(chosen)
    return order


def solve(matrix: dict[Entry, Scalar], right: list[Scalar], keep: list[Scalar]) -> list[Scalar]:
    """x of matrix @ x = right, with x_p = 0 and row and column p struck out where keep_p is 0, not 1."""
    left = dict(matrix)  # entries not yet eliminated
    factors: dict[int, dict[int, Scalar]] = {}  # rows of L^T
    inverses: dict[int, Scalar] = {}
    order = elimination_order(len(right), set(matrix))
    x = list(right)
    for p in order:
        inverses[p] = reciprocal(magnitude(left[p, p])) * keep[p]
        links = sorted({q for pair in left if p in pair for q in pair} - {p})
        row = {q: left[entry(p, q)] for q in links}
        factors[p] = {q: value * inverses[p] for q, value in row.items()}
        for k, a in enumerate(links):
            for b in links[k:]:
                left[a, b] = left.get((a, b), 0.0) - factors[p][a] * row[b]
            x[a] = x[a] - factors[p][a] * x[p]
        left = {pair: value for pair, value in left.items() if p not in pair}
    for p in reversed(order):
        x[p] = x[p] * inverses[p] - sum(factor * x[q] for q, factor in factors[p].items())
    return x
