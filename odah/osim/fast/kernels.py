"""Compiled programs of one model, called on rows of frames held in torch tensors."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from odah.osim.fast.compiler import load_kernel
from odah.osim.fast.emit_c import LANES, emit_c
from odah.osim.fast.kinematics_program import FIELDS, KinematicsProgram, Program, Sharing
from odah.osim.model import Model

_VECTOR = torch.Size((3,))
FIELD_SIZES = dict(zip(FIELDS, (torch.Size((3, 3)), *[_VECTOR] * 4), strict=True))
"""The size of one entry of each field of a `SkeletonPose`."""


class AngleTooLarge(Exception):
    """An angle is beyond the range reduction of the sines."""


@dataclass(frozen=True)
class Kernel:
    """A compiled program."""

    function: Callable[..., int]
    row_counts: tuple[int, ...]
    output_names: tuple[str, ...]

    def __call__(self, inputs: Sequence[Tensor], num_frames: int) -> list[Tensor]:
        """The output groups, each (rows, num_frames), one frame beside the other in memory.

        inputs: (rows, num_frames), or (rows,) where shared by all frames.

        Raises:
            AngleTooLarge: the results are not to be used.
        """
        padded = -(-num_frames // LANES) * LANES
        given = [_padded_rows(values, padded) for values in inputs]
        # Rows a multiple of 4 KiB apart would all fall into the same few places of the cache.
        made = [given[0].new_empty(count, padded + LANES)[:, :padded] for count in self.row_counts]
        if self.function(*_pointers(given), *_pointers(made), padded):
            raise AngleTooLarge
        return [values[:, :num_frames] for values in made]


class ModelKernels:
    """The programs of a model, generated and compiled when first asked for."""

    def __init__(self, model: Model, dtype: torch.dtype) -> None:
        self.model, self.is_double = model, dtype == torch.float64
        self._loaded: dict[tuple, Kernel] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Loaded code belongs to this process; copies load it again from the cache."""
        return {**vars(self), "_loaded": {}}

    def forward(self, scale_factors: Sharing, marker_offsets: Sharing) -> Kernel:
        key = (scale_factors, marker_offsets)
        if key not in self._loaded:
            self._loaded[key] = self._load(self._program(key).forward())
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
            self._loaded[key] = self._load(self._program(key).backward(fields, wanted))
        return self._loaded[key]

    def _program(self, key: tuple) -> KinematicsProgram:
        return KinematicsProgram(self.model, key[0], key[1])

    def _load(self, program: Program) -> Kernel:
        function = load_kernel(emit_c(program, self.is_double))
        counts = tuple(len(values) for _, values in program.outputs)
        return Kernel(function, counts, tuple(name for name, _ in program.outputs))


def _padded_rows(values: Tensor, padded: int) -> Tensor:
    """`values` with frames next to each other and whole tiles of them; itself if it is so already."""
    if values.dim() == 1:
        return values.contiguous()
    if values.shape[1] == padded:
        return values if values.stride(1) == 1 else values.contiguous()
    whole = values.new_zeros(values.shape[0], padded)
    whole[:, : values.shape[1]] = values
    return whole


def _pointers(tensors: Sequence[Tensor]) -> tuple[ctypes.Array, ctypes.Array]:
    """Addresses, and distances between rows."""
    addresses = (ctypes.c_void_p * len(tensors))(*(tensor.data_ptr() for tensor in tensors))
    return addresses, (ctypes.c_int64 * len(tensors))(*(tensor.stride(0) for tensor in tensors))
