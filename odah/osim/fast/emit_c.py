"""A program as C: one loop over tiles of frames, each variable a vector with one lane a frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from odah.osim.fast.expressions import Expression
from odah.osim.fast.kinematics_program import Program
from odah.osim.fast.sincos_c import SINCOS
from odah.osim.functions import PiecewisePolynomial

LANES = 16
"""Rows are padded to a multiple of this many frames, whatever the width of the vectors is."""

_PRELUDE = """\
#include <stdint.h>
#include <math.h>
#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif
typedef {real} T;
typedef {integer} N;
typedef T V __attribute__((vector_size(BYTES)));
typedef N I __attribute__((vector_size(BYTES)));
typedef T U __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));
#define WIDTH ((int64_t)(BYTES / sizeof(T)))
#define INLINE static inline __attribute__((always_inline))
#define ALL(x) ((V){{}} + (T)(x))
INLINE V choose(I mask, V yes, V no) {{ return (V)((mask & (I)yes) | (~mask & (I)no)); }}
INLINE V square_roots(V x) {{ for (int k = 0; k < WIDTH; k++) x[k] = sqrt(x[k]); return x; }}
"""

_BEGIN = """\
/* Rows are `stride` values apart; a row holds one value per frame, `num_frames` a multiple of the lanes.
   Returns whether some angle is too large for the range reduction. */
int kernel(const T *const *in, const int64_t *in_stride,
           T *const *out, const int64_t *out_stride, int64_t num_frames) {
  I far = {};
"""

_END = """\
  }
  int any = 0;
  for (int k = 0; k < WIDTH; k++) any |= far[k] != 0;
  return any;
}
"""


@dataclass(frozen=True)
class _Place:
    group: int
    row: int


def emit_c(program: Program, is_double: bool) -> str:
    """The C source of a program, in double or single precision."""
    real, integer = ("double", "int64_t") if is_double else ("float", "int32_t")
    parts = [_PRELUDE.format(real=real, integer=integer), SINCOS[real]]
    used = _used(program)
    curves = {node.payload for node in used if node.op in ("curve", "slope")}
    parts += [_curve(k, program.graph.curves[k]) for k in sorted(curves)]
    parts.append(_BEGIN)
    parts += [f"  const T {_assignment(node, program)}\n" for node in used if not node.varies]
    parts.append("  for (int64_t b = 0; b < num_frames; b += WIDTH) {\n")
    parts += _loop_body(program, used)
    parts.append(_END)
    return "".join(parts)


def _used(program: Program) -> list[Expression]:
    """The expressions that some output needs, in order of computation."""
    waiting = [value for _, values in program.outputs for value in values if isinstance(value, Expression)]
    seen = {node.index for node in waiting}
    while waiting:
        for arg in waiting.pop().args:
            if isinstance(arg, Expression) and arg.index not in seen:
                seen.add(arg.index)
                waiting.append(arg)
    return [node for node in program.graph.nodes if node.index in seen]


def _loop_body(program: Program, used: list[Expression]) -> Iterator[str]:
    """Each output is stored as soon as it is known, so that few values are held at a time."""
    stores: dict[int, list[str]] = {}
    for group, (_, values) in enumerate(program.outputs):
        for row, value in enumerate(values):
            text = f"    {_store(_Place(group, row), value)}\n"
            if isinstance(value, Expression) and value.varies:
                stores.setdefault(value.index, []).append(text)
            else:
                yield text
    paired: set[tuple] = set()
    for node in used:
        if node.varies:
            pair = _pair(node)
            if pair is not None and (key := (pair, node.args[0].index, node.payload)) not in paired:
                paired.add(key)
                yield f"    {_paired_call(node)}\n"
            yield f"    const V {_assignment(node, program)}\n"
            yield from stores.get(node.index, [])


def _store(place: _Place, value: Expression | float) -> str:
    text = _text(value) if isinstance(value, Expression) and value.varies else f"ALL({_text(value)})"
    return f"*(U *)(out[{place.group}] + {place.row} * out_stride[{place.group}] + b) = (U){text};"


def _text(value: Expression | float) -> str:
    return f"x{value.index}" if isinstance(value, Expression) else f"(T){value!r}"


def _pair(node: Expression) -> str | None:
    """Sine and cosine come together, and so do a curve and its slope."""
    return {"sin": "turn", "cos": "turn", "curve": "curve", "slope": "curve"}.get(node.op)


def _paired_call(node: Expression) -> str:
    x = node.args[0]
    if _pair(node) == "turn":
        return f"V sin{x.index}, cos{x.index}; far |= sincos_of(x{x.index}, &sin{x.index}, &cos{x.index});"
    k = node.payload
    return (
        f"V curve{k}_{x.index}, slope{k}_{x.index}; "
        f"curve{k}(x{x.index}, &curve{k}_{x.index}, &slope{k}_{x.index});"
    )


def _assignment(node: Expression, program: Program) -> str:
    args = [_text(arg) for arg in node.args]
    match node.op:
        case "input":
            value = _load(node, program)
        case "add":
            value = f"{args[0]} + {args[1]}"
        case "mul":
            value = f"{args[0]} * {args[1]}"
        case "neg":
            value = f"-{args[0]}"
        case "inverse":
            value = f"(T)1 / {args[0]}"
        case "sqrt":
            value = f"square_roots({args[0]})" if node.varies else f"sqrt({args[0]})"
        case "sin" | "cos":
            value = f"{node.op}{node.args[0].index}"
        case "curve" | "slope":
            value = f"{node.op}{node.payload}_{node.args[0].index}"
        case _:
            raise ValueError(f"no C for {node.op}")
    return f"x{node.index} = {value};"


def _load(node: Expression, program: Program) -> str:
    name, row = node.payload
    group = program.input_groups.index(name)
    place = f"in[{group}] + {row} * in_stride[{group}]"
    return f"(V)*(const U *)({place} + b)" if node.varies else f"*({place})"


def _curve(k: int, curve: PiecewisePolynomial) -> str:
    """A function of x that selects the piece by comparing, coefficient by coefficient."""
    order = curve.coefficients.shape[1]
    lines = [f"INLINE void curve{k}(V x, V *value, V *slope) {{"]
    names = ["anchor", *(f"c{i}" for i in range(order))]
    rows = [[anchor, *row] for anchor, row in zip(curve.anchors, curve.coefficients, strict=True)]
    lines += [f"  V {n} = ALL({v!r});" for n, v in zip(names, map(float, rows[0]), strict=True)]
    for start, before, row in zip(curve.breaks, rows[:-1], rows[1:], strict=True):
        lines.append(f"  {{ I mask = x >= (T){float(start)!r};")
        changed = [(n, float(v)) for n, v, old in zip(names, row, before, strict=True) if v != old]
        lines += [f"    {n} = choose(mask, ALL({v!r}), {n});" for n, v in changed]
        lines.append("  }")
    value, slope = f"c{order - 1}", f"c{order - 1} * (T){order - 1}"
    for i in reversed(range(order - 1)):
        value = f"({value}) * d + c{i}"
        if i > 0:
            slope = f"({slope}) * d + c{i} * (T){i}"
    lines.append(f"  const V d = x - anchor; *value = {value}; *slope = {slope};\n}}\n")
    return "\n".join(lines)
