"""Batches without a renderer: an upright ellipsoid seen from all around, and labels of a skeleton."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

from odah.estimator.inputs.pair import Labels, Pair
from odah.names import OPENSIM_COORDINATES
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model

RADII = torch.tensor([0.2, 0.25, 0.85])
"""m along the world's axes; as tall as people are said to be where one view alone tells."""
GROUND_TO_WORLD = torch.tensor([[0.0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])


def made_sample(
    *,
    seed: int = 0,
    sequences: int = 2,
    angles_deg: tuple[float, ...] = (-90.0, 0.0),
    frames: int = 3,
    size: int = 48,
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    labels: bool = False,
) -> dict[str, Tensor]:
    """Like a batch of `SequenceDataset`: a view for each direction; the solid is at `places` (B, T, 3).

    places, origin: m in world; origin: where all of it is moved to. labels: of a skeleton elsewhere.
    """
    random = torch.Generator().manual_seed(seed)
    places = torch.tensor([0.0, 0, 0.9]) + 0.3 * torch.randn(sequences, frames, 3, generator=random)
    places += torch.tensor(origin)
    T_cam_world = torch.stack([_looking(angle, torch.tensor(origin)) for angle in angles_deg])
    T_cam_world = T_cam_world.repeat(sequences, 1, 1, 1)
    K = torch.tensor([[1.15 * size, 0, size / 2 - 0.5], [0, 1.15 * size, size / 2 + 1.5], [0, 0, 1]])
    K = K.repeat(sequences, len(angles_deg), frames, 1, 1)
    masks = _outlines(places, K, T_cam_world, size)
    noise = torch.randint(0, 256, (*masks.shape[:3], 3, size, size), generator=random, dtype=torch.uint8)
    sample = {
        "images": noise, "masks": masks, "K": K, "T_cam_world": T_cam_world, "places": places,
        "T_world_ground": GROUND_TO_WORLD.repeat(sequences, 1, 1),
        "is_frame": torch.ones(sequences, frames, dtype=torch.bool),
    }  # fmt: skip
    return sample | (_labels(sequences, frames, random) if labels else {})


def made_pair(**options: int) -> Pair:
    """The first two views of `made_sample`."""
    sample = made_sample(**options, labels=True)  # type: ignore[arg-type]
    labels = Labels(*(sample[name] for name in ("coordinates", "joints", "body_coms", "scale_factors")))
    names = ("images", "masks", "K", "T_cam_world", "T_world_ground")
    is_view = torch.ones(len(sample["K"]), 2, dtype=torch.bool)
    return Pair(**{name: sample[name] for name in names}, is_view=is_view, labels=labels)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _labels(sequences: int, frames: int, random: torch.Generator) -> dict[str, Tensor]:
    coordinates = 0.5 * torch.randn(sequences, frames, len(OPENSIM_COORDINATES), generator=random)
    scales = 1 + 0.1 * torch.randn(sequences, 22, 3, generator=random)
    pose = _kinematics()(coordinates, scales[:, None].expand(-1, frames, -1, -1))
    points = {"joints": pose.joints, "body_coms": pose.body_coms}
    return {"coordinates": coordinates, "scale_factors": scales, **points}


@cache
def _kinematics() -> ForwardKinematics:
    return ForwardKinematics(full_body_model(), dtype=torch.float32)


def _looking(angle_deg: float, origin: Tensor) -> Tensor:
    """From 3.5 m away, 1.3 m high, a little down, and a little askew."""
    angle = math.radians(angle_deg)
    place = torch.tensor([3.5 * math.cos(angle), 3.5 * math.sin(angle), 1.3])
    forward = torch.nn.functional.normalize(torch.tensor([0.1, -0.2, 0.85]) - place, dim=0)
    right = torch.nn.functional.normalize(torch.linalg.cross(forward, torch.tensor([0.05, 0.02, 1.0])), dim=0)
    T = torch.eye(4)
    T[:3, :3] = torch.stack([right, torch.linalg.cross(forward, right), forward])
    T[:3, 3] = -T[:3, :3] @ (place + origin)
    return T


def _outlines(places: Tensor, K: Tensor, T_cam_world: Tensor, size: int) -> Tensor:
    """Pixels whose rays meet the solid: (B, V, T, S, S)."""
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    pixels = torch.stack([columns, rows, torch.ones_like(rows)], dim=-1).float().flatten(0, 1)
    turns = T_cam_world[:, :, None, :3, :3]
    centres = -(turns.mT @ T_cam_world[:, :, None, :3, 3:])[..., 0]
    directions = pixels @ (turns.mT @ torch.linalg.inv(K)).mT / RADII
    away = (centres - places[:, None])[..., None, :] / RADII
    along = (directions * away).sum(-1)
    reach = along**2 - (directions**2).sum(-1) * ((away**2).sum(-1) - 1)
    return (reach > 0).unflatten(-1, (size, size))
