"""Forward kinematics by generated code, as a differentiable torch module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from odah.osim.fast.compiler import NoCompiler, check_compiler
from odah.osim.fast.kernels import AngleTooLarge, ModelKernels
from odah.osim.fast.kinematics_program import FIELDS, INPUTS, Sharing
from odah.osim.fk import ForwardKinematics, SkeletonPose
from odah.osim.model import Model

if TYPE_CHECKING:
    from jaxtyping import Float


class FastKinematics(nn.Module):
    """`ForwardKinematics` compiled for one model: same arguments, same results to rounding.

    Runs on the CPU in `dtype` (float32 or float64); tensors elsewhere or of another type go through the
    reference, as do angles beyond thousands of turns. Some thousand frames at a time are fastest. Results
    are strided views, mostly of one piece of memory, in which the frames of one number lie side by side. Can
    be differentiated once. Code for scale factors, marker offsets and gradients is compiled when they are
    first used, and kept in the user's cache.

    Raises:
        NoCompiler: there is no C compiler here.
    """

    def __init__(self, model: Model, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        if dtype not in (torch.float32, torch.float64):
            raise ValueError(f"dtype {dtype}, expected float32 or float64")
        self.model, self.dtype = model, dtype
        self.reference = ForwardKinematics(model, dtype)
        self.kernels = ModelKernels(model, dtype)
        self._is_usable = True
        check_compiler()

    def couple(
        self, coordinates: Float[Tensor, "*B C"], scale_factors: Float[Tensor, "*#B K 3"] | None = None
    ) -> Float[Tensor, "*B C"]:
        """The coordinates with every dependent one computed from the independent ones."""
        return self.reference.couple(coordinates, scale_factors)

    def forward(
        self,
        coordinates: Float[Tensor, "*B C"],
        scale_factors: Float[Tensor, "*#B K 3"] | None = None,
        marker_offsets: Float[Tensor, "*#B M 3"] | None = None,
    ) -> SkeletonPose:
        """Poses in ground, as `ForwardKinematics.forward`."""
        optional = (scale_factors, marker_offsets)
        given = [coordinates, *(x for x in optional if x is not None)]
        is_native = all(x.dtype == self.dtype and x.device.type == "cpu" for x in given)
        if not (is_native and self._is_usable):
            return self.reference(coordinates, *optional)
        batch = coordinates.shape[:-1]
        if len(given) > 1:
            batch = torch.broadcast_shapes(batch, *(x.shape[:-2] for x in given[1:]))
        rows = (_frames(coordinates, batch, 1), *(_optional_frames(x, batch) for x in optional))
        needs_gradient = torch.is_grad_enabled() and any(x.requires_grad for x in given)
        try:
            fields = _Kinematics.apply(self.kernels, *rows) if needs_gradient else _pose(self.kernels, rows)
        except (AngleTooLarge, NoCompiler) as reason:
            self._is_usable = isinstance(reason, AngleTooLarge)
            return self.reference(coordinates, *optional)
        if len(batch) != 1:
            fields = (values.unflatten(0, batch) if batch else values[0] for values in fields)
        return SkeletonPose(*fields)


def _frames(values: Tensor, batch: torch.Size, num_own: int) -> Tensor:
    """(frames, rows) of a tensor with `num_own` dimensions besides its batch dimensions."""
    if values.dim() == 2 and num_own == 1 and values.shape[:1] == batch:
        return values
    own = values.shape[values.dim() - num_own :]
    return values.expand(*batch, *own).reshape(batch.numel(), own.numel())


def _optional_frames(values: Tensor | None, batch: torch.Size) -> Tensor | None:
    """(rows,) where one set serves all frames, else (frames, rows)."""
    if values is None:
        return None
    if values.shape[:-2].numel() == 1:
        return values.reshape(-1)
    return _frames(values, batch, 2)


def _sharing(values: Tensor | None) -> Sharing:
    if values is None or values.shape[-1] == 0:
        return "absent"
    return "shared" if values.dim() == 1 else "framewise"


def _present(rows: Sequence[Tensor | None]) -> list[Tensor]:
    return [values for values in rows if values is not None and values.shape[-1] > 0]


def _pose(kernels: ModelKernels, rows: Sequence[Tensor | None]) -> tuple[Tensor, ...]:
    """The fields of a `SkeletonPose`, their first dimension the frames."""
    coordinates, scale_factors, marker_offsets = rows
    assert coordinates is not None
    kernel = kernels.forward(_sharing(scale_factors), _sharing(marker_offsets))
    return tuple(kernel(_present(rows), len(coordinates)))


class _Kinematics(torch.autograd.Function):
    """Coordinates, scale factors and marker offsets of frames to the fields of a `SkeletonPose`."""

    @staticmethod
    def forward(ctx: Any, kernels: ModelKernels, *rows: Tensor | None) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        ctx.kernels = kernels
        ctx.save_for_backward(*rows)
        return _pose(kernels, rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Tensor | None, ...]:
        rows = ctx.saved_tensors
        present = {name: grad for name, grad in zip(FIELDS, cotangents, strict=True) if grad is not None}
        needed = zip(INPUTS, rows, ctx.needs_input_grad[1:], strict=True)
        wanted = {name: values for name, values, need in needed if need and values.shape[-1]}
        kernel = ctx.kernels.backward(*map(_sharing, rows[1:]), tuple(present), tuple(wanted))
        made = kernel([*_present(rows), *(grad.flatten(1) for grad in present.values())], len(rows[0]))
        gradients = {
            # What is shared by all frames gets the sum of their gradients.
            name: group.sum(0) if values.dim() == 1 else group
            for (name, values), group in zip(wanted.items(), made, strict=True)
        }
        return None, *(gradients.get(name) for name in INPUTS)
