"""Pictures of what a network answers in training: its skeleton over what it saw, beside the true one."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from odah.dataset.overlay import draw_skeleton
from odah.estimator.inputs.prepare import Prepared
from odah.estimator.skeleton import Skeleton
from odah.estimator.training.module import Answer
from odah.names import OPENSIM_JOINTS

_SIDE = 256
"""px of a picture at least."""
_TRUE = (235, 235, 235)
_BACKGROUND = 0.35
"""Share of grey where the person is not, for the network sees none of it."""


def panels(answer: Answer, skeleton: Skeleton) -> UInt8[np.ndarray, "H W 3"]:
    """RGB: a row for each sample of the batch, its middle frame in both views.

    The true skeleton is white, the answer coloured by side. Where the network does not tell the place of
    the pelvis, the true one is taken.
    """
    prepared, targets, prediction = answer.prepared, answer.targets, answer.prediction
    assert prepared is not None, "kept features have no pictures"
    pelvis = targets.pelvis if prediction.pelvis is None else prediction.pelvis
    joints = len(OPENSIM_JOINTS)
    told = skeleton(prediction.angles, prediction.scales)[..., :joints, :] + pelvis[..., None, :]
    true = targets.keypoints[..., :joints, :] + targets.pelvis[..., None, :]
    middle = targets.is_frame.shape[1] // 2
    images = _images(prepared)[:, :, middle]
    over = [projected(points, prepared)[:, :, middle].float().cpu().numpy() for points in (true, told)]
    rows = [
        np.concatenate([_drawn(images[b, v], over[0][b, v], over[1][b, v]) for v in range(2)], axis=1)
        for b in range(len(images))
    ]
    return np.concatenate(rows)


def projected(points: Float[Tensor, "B T P 3"], prepared: Prepared) -> Float[Tensor, "B 2 T P 2"]:
    """Where points in ref, m from the mean of the network's points, are in its pictures; px."""
    reference = prepared.reference
    ground = points @ reference.rotmats[:, None].mT + reference.centres[:, :, None]
    T_cam_ground = prepared.T_cam_world @ prepared.T_world_ground[:, None]
    turns, shifts = T_cam_ground[..., None, :3, :3], T_cam_ground[..., None, None, :3, 3]
    cam = ground[:, None] @ turns.mT + shifts
    pixels = cam @ prepared.K.mT
    return pixels[..., :2] / pixels[..., 2:].clamp(min=1e-6)


def _images(prepared: Prepared) -> np.ndarray:
    """(B, 2, T, S, S, 3) uint8, RGB; grey where the network sees nothing."""
    images = prepared.pictures.images.float()
    low = images.amin(dim=(-3, -2, -1), keepdim=True)
    high = images.amax(dim=(-3, -2, -1), keepdim=True)
    shown = (images - low) / (high - low).clamp(min=1e-6)
    shown = torch.where(prepared.masks[:, :, :, None], shown, _BACKGROUND)
    return (shown.movedim(-3, -1) * 255).round().to(torch.uint8).cpu().numpy()


def _drawn(image: np.ndarray, true: np.ndarray, told: np.ndarray) -> np.ndarray:
    scale = max(1, -(-_SIDE // image.shape[0]))
    picture = np.ascontiguousarray(image.repeat(scale, 0).repeat(scale, 1))
    for points, color, thickness in ((true, _TRUE, 1), (told, None, 2)):
        draw_skeleton(picture, (points + 0.5) * scale - 0.5, thickness=thickness, color=color)
    return picture
