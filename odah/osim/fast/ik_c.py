"""The inverse kinematics of one generic model as C: generated evaluation and step, iteration around them."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from importlib.resources import files
from itertools import accumulate

from odah.osim.fast.emit_c import StraightLine, prelude
from odah.osim.fast.ik_program import FRAMEWISE, SHARED, IkProgram

_POINTERS, _STRIDES = ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_int64)
ARGUMENTS = (_POINTERS, _STRIDES, *[ctypes.c_void_p] * 5, ctypes.c_int64, ctypes.c_double, ctypes.c_int64)
"""C types of the kernel's arguments."""

_PREPARE = "int prepare(const T *const *in, T *shared)"
_EVALUATE = (
    "I evaluate(const T *shared, const V *x, const V *curvature, const V *rows, "
    "V *cost, V *gradient, V *scale, V *matrix, V *squares)"
)
_TAKE_STEP = "I take_step(const V *matrix, const V *gradient, const V *keep, const V *added, V *step)"


def emit_ik(program: IkProgram) -> str:
    """The C source of a solver, in double precision."""
    counts = program.row_counts
    starts = dict(zip(FRAMEWISE, accumulate(counts.values(), initial=0), strict=False))

    def load(group: str, row: int) -> str:
        if group in SHARED:
            return f"in[{SHARED.index(group)}][{row}]"
        return f"rows[{starts[group] + row}]" if group in starts else f"{group}[{row}]"

    def store(group: str, row: int, value: str) -> str:
        return f"{group}[{row}] = {value};"

    evaluation = StraightLine(program.evaluation(), load, store)
    step = StraightLine(program.step(), load, store)
    sizes = {
        "FREE": len(program.problem.free),
        "MARKERS": len(program.problem.model.markers),
        "MATRIX": len(program.matrix),
        "SHARED": evaluation.num_shared,
        "SHARED_GROUPS": len(SHARED),
        "GROUPS": len(FRAMEWISE),
        "ROWS": sum(counts.values()),
    }
    return "".join(
        [
            prelude(is_double=True),
            *(f"#define NUM_{name} {value}\n" for name, value in sizes.items()),
            _table("group_rows", counts.values()),
            _table("group_starts", starts.values()),
            evaluation.curves(),
            _function(_PREPARE, evaluation.prepare(), "any(far)"),
            _function(_EVALUATE, evaluation.work(), "far"),
            _function(_TAKE_STEP, step.work(), "far"),
            files("odah.osim.fast").joinpath("levenberg_marquardt.c").read_text(),
        ]
    )


def _table(name: str, values: Iterable[int]) -> str:
    return f"static const int {name}[] = {{{', '.join(map(str, values))}}};\n"


def _function(head: str, statements: Iterable[str], result: str) -> str:
    body = "".join(f"  {text}\n" for text in statements)
    return f"static __attribute__((noinline)) {head} {{\n  I far = {{}};\n{body}  return {result};\n}}\n"
