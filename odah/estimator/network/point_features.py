"""What the feature maps say about points, at the places where each view sees them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from odah.estimator.config import DataConfig, HourglassConfig


class PointFeatures(nn.Module):
    """Heads, one a stack, applied to the maps at the points' places only.

    Interpolating a map and then applying a linear layer is the same as the other way round, as long as the
    weights of the interpolation sum to one: hence places outside the picture are moved to its border.
    """

    def __init__(self, hourglass: HourglassConfig, data: DataConfig) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Linear(hourglass.channels, hourglass.head_channels) for _ in range(hourglass.stacks)
        )
        self.is_rounded = data.pixels == "rounded"
        self.stride = hourglass.stem_stride
        self.size = data.size

    def forward(
        self,
        maps: Sequence[Float[Tensor, "M C H H"]],
        outputs: nn.ModuleList,
        pixels: Float[Tensor, "B V T N 2"],
        is_view: Bool[Tensor, "B V"],
    ) -> Float[Tensor, "B T N L"]:
        """The first view's features, all stacks', then the second's; zero where a view is withheld.

        maps: one a stack, of pictures in the order (B, V, T). outputs: `StackedHourglass.outputs`.
        """
        shape = pixels.shape[:-1]
        places = self.places(pixels.flatten(0, 2), maps[0].shape[-1])
        corners, weights = _corners(places, maps[0].shape[-1])
        features = [
            head(output(_gather(stack_map, corners, weights)))
            for head, output, stack_map in zip(self.heads, outputs, maps, strict=True)
        ]
        per_view = torch.cat(features, dim=-1).unflatten(0, shape[:3])
        per_view = torch.where(is_view[:, :, None, None, None], per_view, 0.0)
        return per_view.permute(0, 2, 3, 1, 4).flatten(3)

    def places(self, pixels: Float[Tensor, "*B 2"], side: int) -> Float[Tensor, "*B 2"]:
        """Where pixels lie in a map of `side` cells, in cells, cell centres on whole numbers.

        Rounded as in the paper's code: whole pixels, and a scale that is a cell short at the far border.
        """
        if self.is_rounded:
            return pixels.clamp(0, self.size - 1).floor() * ((side - 1) / self.size)
        return (pixels / self.stride).clamp(0, side - 1)


def _corners(places: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Rows of the four cells about each place, in maps laid out (M, H, W), and their weights: (4, M, N)."""
    low = places.floor().clamp(0, side - 2)
    x, y = (places - low).unbind(-1)
    left, top = low.long().unbind(-1)
    first = torch.arange(len(places), device=places.device)[:, None] * side**2 + top * side + left
    rows = torch.stack([first, first + 1, first + side, first + side + 1])
    return rows, torch.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y])


def _gather(stack_map: Tensor, rows: Tensor, weights: Tensor) -> Tensor:
    """(M, N, C): the map between the four cells of each place."""
    cells = stack_map.permute(0, 2, 3, 1).flatten(0, 2)  # a view, for the channels lie innermost
    corners = cells.index_select(0, rows.flatten()).unflatten(0, rows.shape)
    return (corners * weights[..., None]).sum(0)
