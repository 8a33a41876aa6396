"""Forward kinematics by generated code, as a differentiable torch module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from odah.osim.fast.compiler import NoCompiler, check_compiler
from odah.osim.fast.kernels import FIELD_SIZES, AngleTooLarge, ModelKernels
from odah.osim.fast.kinematics_program import FIELDS, INPUTS, Sharing
from odah.osim.fk import ForwardKinematics, SkeletonPose
from odah.osim.model import Model

if TYPE_CHECKING:
    from jaxtyping import Float


class FastKinematics(nn.Module):
    """`ForwardKinematics` compiled for one model: same arguments, same results to rounding.

    Runs on the CPU in `dtype` (float32 or float64); tensors elsewhere or of another type go through the
    reference, as do angles beyond thousands of turns. Results are strided views: the frames of one number
    lie side by side in memory. Can be differentiated once. Code for scale factors, marker offsets and
    gradients is compiled when they are first used, and kept in the user's cache.

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
        given = [x for x in (coordinates, scale_factors, marker_offsets) if x is not None]
        is_native = all(x.device.type == "cpu" and x.dtype == self.dtype for x in given)
        if not (is_native and self._is_usable):
            return self.reference(coordinates, scale_factors, marker_offsets)
        optional = (scale_factors, marker_offsets)
        batch = torch.broadcast_shapes(
            coordinates.shape[:-1], *(x.shape[:-2] for x in optional if x is not None)
        )
        rows = [_rows(coordinates, batch, 1), *(_optional_rows(x, batch) for x in optional)]
        try:
            fields = _Kinematics.apply(self.kernels, *rows)
        except (AngleTooLarge, NoCompiler) as reason:
            self._is_usable = isinstance(reason, AngleTooLarge)
            return self.reference(coordinates, scale_factors, marker_offsets)
        return SkeletonPose(*(values.reshape(*batch, *values.shape[1:]) for values in fields))


def _rows(values: Tensor, batch: torch.Size, num_own: int) -> Tensor:
    """(rows, frames) of a tensor with `num_own` dimensions besides its batch dimensions."""
    own = values.shape[values.dim() - num_own :]
    return values.expand(*batch, *own).reshape(batch.numel(), own.numel()).T


def _optional_rows(values: Tensor | None, batch: torch.Size) -> Tensor | None:
    """(rows,) where one set serves all frames, else (rows, frames)."""
    if values is None:
        return None
    if values.shape[:-2].numel() == 1:
        return values.reshape(-1)
    return _rows(values, batch, 2)


def _sharing(values: Tensor | None) -> Sharing:
    if values is None or len(values) == 0:
        return "absent"
    return "shared" if values.dim() == 1 else "framewise"


class _Kinematics(torch.autograd.Function):
    """Rows of coordinates, scale factors and marker offsets to the fields of a `SkeletonPose`."""

    @staticmethod
    def forward(
        ctx: Any, kernels: ModelKernels, coordinates: Tensor, *optional: Tensor | None
    ) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        scale_factors, marker_offsets = optional
        sharing: tuple[Sharing, Sharing] = (_sharing(scale_factors), _sharing(marker_offsets))
        ctx.kernels, ctx.sharing = kernels, sharing
        ctx.save_for_backward(coordinates, *optional)
        kernel = kernels.forward(*sharing)
        made = kernel(_given((coordinates, *optional)), coordinates.shape[1])
        return tuple(
            values.T.unflatten(1, (len(values) // FIELD_SIZES[name].numel(), *FIELD_SIZES[name]))
            for name, values in zip(FIELDS, made, strict=True)
        )

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Tensor | None, ...]:
        rows = ctx.saved_tensors
        present = {name: grad for name, grad in zip(FIELDS, cotangents, strict=True) if grad is not None}
        needed = zip(INPUTS, rows, ctx.needs_input_grad[1:], strict=True)
        wanted = tuple(name for name, values, need in needed if need and len(values))
        kernel = ctx.kernels.backward(*ctx.sharing, tuple(present), wanted)
        gradients = kernel(
            [*_given(rows), *(grad.flatten(1).T for grad in present.values())], rows[0].shape[1]
        )
        by_name = dict(zip(wanted, gradients, strict=True))
        return None, *(_summed(by_name.get(name), values) for name, values in zip(INPUTS, rows, strict=True))


def _given(rows: Sequence[Tensor | None]) -> list[Tensor]:
    return [values for values in rows if values is not None and len(values)]


def _summed(gradient: Tensor | None, values: Tensor | None) -> Tensor | None:
    """What is shared by all frames gets the sum of their gradients."""
    if gradient is None or values is None or values.dim() == gradient.dim():
        return gradient
    return gradient.sum(dim=1)
