"""Piecewise polynomials in C: each lane finds its piece by bisection, and its coefficients in tables."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from odah.osim.functions import PiecewisePolynomial

_ENTRIES = 32
"""Tables are padded to a multiple of this many numbers: two vectors of the widest kind."""

LOOKUP = """\
INLINE V lookup(const T *table, int size, I index) {
  V found = {};
#ifdef __clang__ /* has no shuffle by a vector */
  for (int lane = 0; lane < WIDTH; lane++) found[lane] = table[index[lane]];
#else
  for (int begin = 0; begin < size; begin += 2 * WIDTH) {
    const V *part = (const V *)(table + begin);
    const V here = __builtin_shuffle(part[0], part[1], index);
    found = begin == 0 ? here : choose(index >= begin, here, found);
  }
#endif
  return found;
}
INLINE I piece_of(V x, const T *breaks, int size) {
  I piece = {};
  for (int half = size / 2; half > 0; half /= 2)
    piece += (x >= lookup(breaks, size, piece + (half - 1))) & half;
  return piece;
}
"""
"""`lookup`: entries of a table whose size is a power of two; `piece_of`: how many breaks x has reached."""


def emit_curve(k: int, curve: PiecewisePolynomial) -> str:
    """`void curve<k>(V x, V *value, V *slope)`."""
    size = 1 << (len(curve.anchors) - 1).bit_length()
    order = curve.coefficients.shape[1]
    names = ("anchor", *(f"c{i}" for i in range(order)))
    columns = dict(zip(names, (curve.anchors, *curve.coefficients.T), strict=True))
    tables, lines = [], [f"INLINE void curve{k}(V x, V *value, V *slope) {{"]
    if size > 1:
        tables.append(_table(f"breaks{k}", [*curve.breaks, *[np.inf] * (size - len(curve.breaks))]))
        lines.append(f"  const I piece = piece_of(x, breaks{k}, {size});")
    for name, values in columns.items():
        if (values == values[0]).all():
            lines.append(f"  const V {name} = ALL({_text(values[0])});")
        else:
            tables.append(_table(f"{name}_{k}", values))
            lines.append(f"  const V {name} = lookup({name}_{k}, {size}, piece);")
    value, slope = f"c{order - 1}", f"c{order - 1} * (T){order - 1}"
    for i in reversed(range(order - 1)):
        value = f"({value}) * d + c{i}"
        if i > 0:
            slope = f"({slope}) * d + c{i} * (T){i}"
    lines.append(f"  const V d = x - anchor; *value = {value}; *slope = {slope};\n}}\n")
    return "".join(tables) + "\n".join(lines)


def _table(name: str, values: Iterable[float]) -> str:
    texts = [_text(value) for value in values]
    texts += ["0"] * (-len(texts) % _ENTRIES)
    return f"static const T {name}[] __attribute__((aligned(BYTES))) = {{{', '.join(texts)}}};\n"


def _text(value: float) -> str:
    return "INFINITY" if value == np.inf else repr(float(value))
