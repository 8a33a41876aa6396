"""Compiled programs of one model, called on frames held in torch tensors."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from odah.osim.fast.compiler import load_kernel
from odah.osim.fast.emit_c import LANES, Program
from odah.osim.fast.kinematics_program import KinematicsProgram, Sharing
from odah.osim.fast.loop_c import LOOP_ARGUMENTS, emit_loop
from odah.osim.model import Model

_PAGE, _LARGE = 2**12, 2**22  # bytes
_LARGEST_KEPT = 2**25
"""bytes; the allocator keeps one piece up to this size for the next call (filling new pages takes longer than
the arithmetic), and gives larger ones back (glibc's M_MMAP_THRESHOLD): there, several smaller ones do better.
"""


class AngleTooLarge(Exception):
    """An angle is beyond the range reduction of the sines."""


@dataclass(frozen=True)
class Kernel:
    """A compiled program, float32 or float64, of which each output group has a shape."""

    function: Callable[..., int]
    shapes: tuple[tuple[int, ...], ...]
    dtype: torch.dtype

    @classmethod
    def load(
        cls, program: Program, dtype: torch.dtype, shapes: tuple[tuple[int, ...], ...] | None = None
    ) -> Kernel:
        """shapes: None where every group is a vector."""
        function = load_kernel(emit_loop(program, dtype == torch.float64), LOOP_ARGUMENTS)
        return cls(function, shapes or tuple((len(values),) for _, values in program.outputs), dtype)

    def __call__(self, inputs: Sequence[Tensor], num_frames: int) -> list[Tensor]:
        """The output groups, each (num_frames, *shape), one frame beside the other in memory.

        inputs: (num_frames, rows) of any strides, or (rows,) where shared by all frames; of the same type.

        Raises:
            AngleTooLarge: the results are not to be used.
        """
        if 0 < num_frames < LANES:
            filled = torch.arange(LANES).clamp(max=num_frames - 1)
            inputs = [values if values.dim() == 1 else values[filled] for values in inputs]
            return [group[:num_frames] for group in self(inputs, LANES)]
        row_stride = self._row_stride(num_frames)
        made = self._empty(num_frames, row_stride)
        out = (ctypes.c_void_p * len(made))(*(group.data_ptr() for group in made))
        if num_frames and self.function(*_addresses(inputs), out, row_stride, num_frames):
            raise AngleTooLarge
        return made

    @cached_property
    def _num_rows(self) -> int:
        return sum(math.prod(shape) for shape in self.shapes)

    def _row_stride(self, num_frames: int) -> int:
        """More than the frames where all rows would fall into the same few places of the caches."""
        row_bytes = num_frames * self.dtype.itemsize
        is_aligned = row_bytes % _PAGE == 0 and row_bytes * self._num_rows > _LARGE
        return num_frames + LANES if is_aligned else num_frames

    def _empty(self, num_frames: int, row_stride: int) -> list[Tensor]:
        """Memory for the groups: one piece, or where that is too large for the allocator, one for each."""
        is_one = self._num_rows * row_stride * self.dtype.itemsize <= _LARGEST_KEPT
        whole = torch.empty(self._num_rows * row_stride if is_one else 0, dtype=self.dtype)
        groups, begin = [], 0
        for shape in self.shapes:
            size = math.prod(shape) * row_stride
            memory = whole if is_one else torch.empty(size, dtype=self.dtype)
            strides = [math.prod(shape[k:]) * row_stride for k in range(1, len(shape) + 1)]
            groups.append(memory.as_strided((num_frames, *shape), (1, *strides), begin if is_one else 0))
            begin += size
        return groups


class ModelKernels:
    """The programs of a model, generated and compiled when first asked for."""

    def __init__(self, model: Model, dtype: torch.dtype) -> None:
        self.model, self.dtype = model, dtype
        self._loaded: dict[tuple, Kernel] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Loaded code belongs to this process; copies load it again from the cache."""
        return {**vars(self), "_loaded": {}}

    def _field_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of the fields of a `SkeletonPose`."""
        model = self.model
        bodies, joints, markers = len(model.bodies), len(model.joints), len(model.markers)
        return ((bodies, 3, 3), (bodies, 3), (joints, 3), (bodies, 3), (markers, 3))

    def forward(self, scale_factors: Sharing, marker_offsets: Sharing) -> Kernel:
        key = (scale_factors, marker_offsets)
        if key not in self._loaded:
            program = KinematicsProgram(self.model, *key).forward()
            self._loaded[key] = Kernel.load(program, self.dtype, self._field_shapes())
        return self._loaded[key]

    def backward(
        self,
        scale_factors: Sharing,
        marker_offsets: Sharing,
        fields: tuple[str, ...],
        wanted: tuple[str, ...],
    ) -> Kernel:
        """From the inputs and cotangents of `fields` to gradients with respect to `wanted` inputs."""
        key = (scale_factors, marker_offsets, fields, wanted)
        if key not in self._loaded:
            program = KinematicsProgram(self.model, scale_factors, marker_offsets).backward(fields, wanted)
            self._loaded[key] = Kernel.load(program, self.dtype)
        return self._loaded[key]


def _addresses(tensors: Sequence[Tensor]) -> tuple[ctypes.Array, ctypes.Array, ctypes.Array]:
    """Of the first numbers, and the distances between rows and between frames."""
    count = len(tensors)
    strides = [tensor.stride() if tensor.dim() == 2 else (0, tensor.stride(0)) for tensor in tensors]
    return (
        (ctypes.c_void_p * count)(*(tensor.data_ptr() for tensor in tensors)),
        (ctypes.c_int64 * count)(*(row for _, row in strides)),
        (ctypes.c_int64 * count)(*(frame for frame, _ in strides)),
    )
