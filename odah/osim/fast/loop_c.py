"""A program as a C function that runs it over many frames."""

from __future__ import annotations

import ctypes

from odah.osim.fast.emit_c import Program, StraightLine, prelude

_POINTERS, _STRIDES = ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_int64)
LOOP_ARGUMENTS = (_POINTERS, _STRIDES, _STRIDES, _POINTERS, ctypes.c_int64, ctypes.c_int64)
"""C types of the kernel's arguments."""

_LOAD_TILE = """\
/* Some rows of a tile of frames, whatever their layout in memory. */
static void load_tile(const T *in, int64_t row_stride, int64_t frame_stride, int num_rows, V *tile) {
  if (frame_stride == 1)
    for (int row = 0; row < num_rows; row++) tile[row] = (V)*(const U *)(in + row * row_stride);
  else
    for (int row = 0; row < num_rows; row++)
      for (int lane = 0; lane < WIDTH; lane++) tile[row][lane] = in[row * row_stride + lane * frame_stride];
}
"""

_BEGIN = """\
/* Frames lie `frame_stride` numbers apart in an input, and side by side in each row of the output. There are
   at least as many as lanes; the last tile repeats some. Returns whether some angle is too large for the
   range reduction. */
int kernel(const T *const *in, const int64_t *row_stride, const int64_t *frame_stride, T *const *out,
           int64_t out_stride, int64_t num_frames) {
  I far = {};
"""
_LOOP = """\
  for (int64_t begin = 0; begin < num_frames; begin += WIDTH) {
    const int64_t b = begin + WIDTH <= num_frames ? begin : num_frames - WIDTH;
"""
_END = """\
  }
  return any(far);
}
"""


def emit_loop(program: Program, is_double: bool) -> str:
    """The C source of a program, in double or single precision."""
    inputs = [node for node in program.used() if node.op == "input"]
    shared_groups = {node.payload[0] for node in inputs if not node.varies}
    num_rows = dict.fromkeys(program.input_groups, 0)
    for node in inputs:
        group, row = node.payload
        num_rows[group] = max(num_rows[group], row + 1)
    outputs = [name for name, _ in program.outputs]

    def load(group: str, row: int) -> str:
        if group in shared_groups:
            k = program.input_groups.index(group)
            return f"in[{k}][{row} * row_stride[{k}]]"
        return f"{group}[{row}]"

    def store(group: str, row: int, value: str) -> str:
        return f"*(U *)(out[{outputs.index(group)}] + {row} * out_stride + b) = (U){value};"

    lines = StraightLine(program, load, store)
    parts = [prelude(is_double), lines.curves(), _LOAD_TILE, _BEGIN, f"  T shared[{lines.num_shared}];\n"]
    parts += [f"  {text}\n" for text in lines.prepare()]
    parts.append(_LOOP)
    for k, name in enumerate(program.input_groups):
        if name not in shared_groups:
            arguments = f"in[{k}] + b * frame_stride[{k}], row_stride[{k}], frame_stride[{k}]"
            parts.append(f"    V {name}[{num_rows[name]}];\n")
            parts.append(f"    load_tile({arguments}, {num_rows[name]}, {name});\n")
    parts += [f"    {text}\n" for text in lines.work()]
    parts.append(_END)
    return "".join(parts)
