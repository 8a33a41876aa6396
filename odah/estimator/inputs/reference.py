"""The axes `ref` that the network answers in: ground's, or turned about the vertical to the first camera.

A turn of ref changes the pelvis' three angles and no other. The pelvis' rotation in ground is
R = Rz(tilt) Rx(list) Ry(rotation), as the full-body model's first joint turns it.

A person on hands and knees who looks along ref's z axis has a list of 90 degrees: there only the sum (at -90:
the difference) of tilt and rotation is told. Angles that come out of a rotation have the list between -90 and
90 degrees and are exact as a rotation everywhere; at 90 degrees the tilt is arbitrary (exactly there, 0) and
the rotation goes with it. What compares angles one by one is at odds with itself near there.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from odah.estimator.skeleton import ANGLE_PLACES, ANGLES

_PELVIS = slice(0, 3)
assert ANGLES[_PELVIS] == ("pelvis_tilt", "pelvis_list", "pelvis_rotation")
_NEAR = 1e-3
"""m; a camera nearer to the vertical through the person is right above."""


def ground_reference(centres: Float[Tensor, "B T 3"]) -> Float[Tensor, "B 3 3"]:
    """Ref to ground where ref is ground, as in the ODAH paper."""
    return torch.eye(3, dtype=centres.dtype, device=centres.device).repeat(len(centres), 1, 1)


def camera_reference(
    T_cam_world: Float[Tensor, "B V 4 4"],
    T_world_ground: Float[Tensor, "B 4 4"],
    centres: Float[Tensor, "B T 3"],
) -> Float[Tensor, "B 3 3"]:
    """Ref to ground where ref's x points horizontally from the person to the first camera and y up.

    centres: of the person, m in ground; their mean counts. A camera right above the person has no such
    direction; then x is where the top of its picture is.
    """
    T_cam_ground = T_cam_world[:, 0] @ T_world_ground
    turn, shift = T_cam_ground[:, :3, :3], T_cam_ground[:, :3, 3:]
    towards = -(turn.mT @ shift)[..., 0] - centres.mean(dim=1)
    across = torch.hypot(towards[:, 0], towards[:, 2])
    towards = torch.where((across > _NEAR)[:, None], towards, -turn[:, 1])
    x = torch.nn.functional.normalize(towards * towards.new_tensor([1.0, 0.0, 1.0]), dim=-1)
    y = x.new_tensor([0.0, 1.0, 0.0]).expand_as(x)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)


def angles_in_reference(
    coordinates: Float[Tensor, "B T C"], rotmats: Float[Tensor, "B 3 3"]
) -> Float[Tensor, "B T A"]:
    """The joint angles, rad, with the pelvis' told in ref; coordinates: in ground; rotmats: ref to ground."""
    return _turned(coordinates[..., ANGLE_PLACES], rotmats.mT)


def angles_in_ground(
    angles: Float[Tensor, "B T A"], rotmats: Float[Tensor, "B 3 3"]
) -> Float[Tensor, "B T A"]:
    """The joint angles, rad, with the pelvis' told in ground instead of ref; rotmats: ref to ground."""
    return _turned(angles, rotmats)


def pelvis_rotmats(angles: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3 3"]:
    """Rz(tilt) Rx(list) Ry(rotation)."""
    (ct, cl, cr), (st, sl, sr) = torch.cos(angles).unbind(-1), torch.sin(angles).unbind(-1)
    rows = [
        torch.stack([ct * cr - st * sl * sr, -st * cl, ct * sr + st * sl * cr], dim=-1),
        torch.stack([st * cr + ct * sl * sr, ct * cl, st * sr - ct * sl * cr], dim=-1),
        torch.stack([-cl * sr, sl, cl * cr], dim=-1),
    ]
    return torch.stack(rows, dim=-2)


def pelvis_angles(rotmats: Float[Tensor, "*B 3 3"]) -> Float[Tensor, "*B 3"]:
    """Tilt, list and rotation, rad, of a rotation; the list between -90 and 90 degrees. Not for gradients.

    The tilt is taken out of the rotation before the other two are read, so that they make good what rounding
    does to it near a list of 90 degrees.
    """
    tilt = torch.atan2(-rotmats[..., 0, 1], rotmats[..., 1, 1])
    c, s = torch.cos(tilt)[..., None], torch.sin(tilt)[..., None]
    first = c * rotmats[..., 0, :] + s * rotmats[..., 1, :]  # of Rx(list) Ry(rotation): cos r, 0, sin r
    second = c * rotmats[..., 1, :] - s * rotmats[..., 0, :]  # its middle is cos l
    side = torch.atan2(rotmats[..., 2, 1], second[..., 1])
    return torch.stack([tilt, side, torch.atan2(first[..., 2], first[..., 0])], dim=-1)


def _turned(angles: Tensor, rotmats: Tensor) -> Tensor:
    pelvis = pelvis_angles(rotmats[:, None] @ pelvis_rotmats(angles[..., _PELVIS]))
    return torch.cat([pelvis, angles[..., _PELVIS.stop :]], dim=-1)
