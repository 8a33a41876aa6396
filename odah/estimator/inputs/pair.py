"""The two views that the network gets of a sample that may have any number of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from odah.estimator.inputs.draws import happens, uniform


@dataclass(frozen=True)
class Labels:
    """What is known of the people: as in a dataset's samples, in ground, rad and m."""

    coordinates: Float[Tensor, "B T C"]
    joints: Float[Tensor, "B T J 3"]
    body_coms: Float[Tensor, "B T K 3"]
    scale_factors: Float[Tensor, "B K 3"]


@dataclass(frozen=True)
class Pair:
    """Two views of a batch of sequences. images: RGB, 0 to 255. masks: empty in a withheld view."""

    images: Shaped[Tensor, "B 2 T 3 S S"]
    masks: Bool[Tensor, "B 2 T S S"]
    K: Float[Tensor, "B 2 T 3 3"]
    T_cam_world: Float[Tensor, "B 2 4 4"]
    T_world_ground: Float[Tensor, "B 4 4"]
    is_view: Bool[Tensor, "B 2"]
    labels: Labels | None


def choose_pair(
    sample: Mapping[str, Tensor], generator: torch.Generator, *, any_pair: bool = False, dropout: float = 0.0
) -> Pair:
    """Two views of each sequence: its first two, or any two in any order.

    What is withheld is always the second; any of the two may be the first then. A lone view is the first,
    and the withheld second has its camera.

    Args:
        sample: a batch of `SequenceDataset`'s samples; labels only if it has `coordinates`.
        dropout: chance that a view is withheld.
    """
    num_sequences, num_views = sample["images"].shape[:2]
    device = sample["images"].device
    is_view = torch.ones(num_sequences, 2, dtype=torch.bool, device=device)
    order = torch.tensor([0, min(1, num_views - 1)], device=device).expand(num_sequences, 2)
    if any_pair and num_views > 1:
        order = uniform(generator, num_sequences, num_views, device=device).argsort(1)[:, :2]
    if dropout > 0:
        is_view[:, 1] = ~happens(generator, dropout, num_sequences, device=device)
        is_swapped = happens(generator, 0.5, num_sequences, device=device) & ~is_view[:, 1]
        order = torch.where(is_swapped[:, None], order.flip(1), order)
    if num_views == 1:
        is_view[:, 1] = False
    views = {name: _taken(sample[name], order) for name in ("images", "masks", "K", "T_cam_world")}
    views["masks"] = views["masks"] & is_view[..., None, None, None]
    return Pair(**views, T_world_ground=sample["T_world_ground"], is_view=is_view, labels=_labels(sample))


def _taken(tensor: Shaped[Tensor, "B V *rest"], order: Int[Tensor, "B 2"]) -> Shaped[Tensor, "B 2 *rest"]:
    num_views = tensor.shape[1]
    rows = torch.arange(len(order), device=order.device)[:, None] * num_views + order
    return tensor.flatten(0, 1).index_select(0, rows.flatten()).unflatten(0, rows.shape)


def _labels(sample: Mapping[str, Tensor]) -> Labels | None:
    if "coordinates" not in sample:
        return None
    return Labels(*(sample[name] for name in ("coordinates", "joints", "body_coms", "scale_factors")))
