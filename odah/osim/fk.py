"""Forward kinematics in torch: coordinates of any batch shape to the poses of bodies, joints and markers.

Follows OpenSim to rounding: body-fixed rotations about arbitrary axes, translations in the joint's
parent frame, couplers, and the scaling rules of `Model::scale`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from odah.osim.axis_turns import AxisTurns, moving_axes
from odah.osim.coupling import CouplerStage
from odah.osim.function_bank import FunctionBank
from odah.osim.model import GROUND, Joint, Model
from odah.osim.scale import scales_with_parent
from odah.osim.tree import coupler_stages, tree_levels


@dataclass(frozen=True)
class SkeletonPose:
    """Where everything is, in ground (Y-up), m. joints: child-frame origins, in the model's joint order."""

    body_rotmats: Float[Tensor, "*B K 3 3"]
    body_positions: Float[Tensor, "*B K 3"]
    joints: Float[Tensor, "*B J 3"]
    body_coms: Float[Tensor, "*B K 3"]
    markers: Float[Tensor, "*B M 3"]


class ForwardKinematics(nn.Module):
    """`ForwardKinematics(model)(coordinates)`; differentiable in all its inputs.

    Coordinates that an enforced coupler makes dependent are computed, whatever the input holds there.
    """

    translation_axes: Tensor  # (J, 3, 3) rows, in the joint's parent frame
    translation_directions: Tensor  # (J, 3, 3) rows, in the parent body
    translation_scales: Tensor  # (J, 3) bool
    parent_offsets: Tensor  # (J, 3)
    child_offsets: Tensor  # (J, 3)
    joint_parents: Tensor  # (J,) body number; ground comes after the last body
    joint_children: Tensor  # (J,)
    tree_to_joint: Tensor  # (J,)
    tree_to_body: Tensor  # (K + 1,)
    coms: Tensor  # (K, 3)
    marker_bodies: Tensor  # (M,)
    markers: Tensor  # (M, 3)

    def __init__(self, model: Model, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        self.model = model
        self.dtype = dtype
        self.couplers = nn.ModuleList(
            CouplerStage(model, stage, dtype) for stage in coupler_stages(model.couplers)
        )
        turns = [AxisTurns(model.joints, k, dtype) for k in range(3)]
        self.turns = nn.ModuleList(turns)
        self.num_turns = [len(turn.joints) for turn in turns]
        rotations = [moving_axes(model.joints[j])[k] for k, turn in enumerate(turns) for j in turn.joints]
        translations = [axis for joint in model.joints for axis in joint.translations]
        self.functions = FunctionBank(
            [(axis.function, axis.coordinates) for axis in rotations + translations],
            model.coordinate_names,
            dtype,
        )
        self._register_translations(model.joints)
        self._register_bodies(model)

    def _register(self, name: str, values: np.ndarray) -> None:
        dtype = self.dtype if values.dtype.kind == "f" else None
        self.register_buffer(name, torch.as_tensor(values, dtype=dtype), persistent=False)

    def _register_translations(self, joints: tuple[Joint, ...]) -> None:
        axes = np.array([[axis.axis for axis in joint.translations] for joint in joints])
        parent_rotmats = np.array([joint.T_parent[:3, :3] for joint in joints])
        self._register("translation_axes", axes)
        self._register("translation_directions", axes @ parent_rotmats.swapaxes(-1, -2))
        scales = [[scales_with_parent(axis) for axis in joint.translations] for joint in joints]
        self._register("translation_scales", np.array(scales))
        self._register("parent_offsets", np.array([joint.T_parent[:3, 3] for joint in joints]))
        self._register("child_offsets", np.array([joint.T_child[:3, 3] for joint in joints]))

    def _register_bodies(self, model: Model) -> None:
        number = {name: k for k, name in enumerate((*model.body_names, GROUND))}
        tree = tree_levels(model.joints)
        above = [[GROUND], *([model.joints[j].child for j in level] for level in tree)]
        self.num_levels = len(tree)
        for k, (bodies, level) in enumerate(zip(above, tree, strict=False)):
            parents = [bodies.index(model.joints[j].parent) for j in level]
            self._register(f"level{k}_joints", np.array(level))
            self._register(f"level{k}_parents", np.array(parents))  # their places in the level above
        self._register("tree_to_joint", np.argsort([j for level in tree for j in level]))
        self._register("tree_to_body", np.argsort([number[name] for names in above for name in names]))
        self._register("joint_parents", np.array([number[joint.parent] for joint in model.joints]))
        self._register("joint_children", np.array([number[joint.child] for joint in model.joints]))
        self._register("coms", np.array([body.com for body in model.bodies]))
        self._register("marker_bodies", np.array([number[m.body] for m in model.markers], dtype=np.int64))
        self._register("markers", np.array([m.offset for m in model.markers], dtype=float).reshape(-1, 3))

    def couple(
        self, coordinates: Float[Tensor, "*#B C"], scale_factors: Float[Tensor, "*#B K 3"] | None = None
    ) -> Float[Tensor, "*B C"]:
        """The coordinates with every dependent one computed from the independent ones."""
        scales = self._with_ground(scale_factors)
        for stage in self.couplers:
            coordinates = stage(coordinates, scales)
        return coordinates

    def _with_ground(self, scale_factors: Tensor | None) -> Tensor:
        """(*#B, K + 1, 3): the scale factors of all bodies, and ground's, which are 1."""
        if scale_factors is None:
            scale_factors = torch.ones_like(self.coms)
        return torch.cat([scale_factors, torch.ones_like(scale_factors[..., :1, :])], dim=-2)

    def forward(
        self,
        coordinates: Float[Tensor, "*#B C"],
        scale_factors: Float[Tensor, "*#B K 3"] | None = None,
        marker_offsets: Float[Tensor, "*#B M 3"] | None = None,
    ) -> SkeletonPose:
        """Poses in ground.

        coordinates: rad and m, in the model's order. scale_factors: per body and axis; None means 1.
        marker_offsets: added to the markers' places in their (scaled) body frames, m.
        """
        scales = self._with_ground(scale_factors)
        amounts = self.functions(self.couple(coordinates, scale_factors))
        rotmats, joints, origins = self._local(amounts, scales)
        rotmats, joints, origins = self._to_ground(rotmats, joints, origins)
        coms = origins[..., :-1, :] + rotate(rotmats[..., :-1, :, :], self.coms * scales[..., :-1, :])
        offsets = self.markers * scales[..., self.marker_bodies, :]
        if marker_offsets is not None:
            offsets = offsets + marker_offsets
        turn, start = rotmats[..., self.marker_bodies, :, :], origins[..., self.marker_bodies, :]
        markers = start + rotate(turn, offsets)
        return SkeletonPose(rotmats[..., :-1, :, :], origins[..., :-1, :], joints, coms, markers)

    def _local(self, amounts: Tensor, scales: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Each joint's child rotation, child-frame origin and child-body origin in its parent body.

        amounts: (*B, F) values along all axes. scales: (*#B, K + 1, 3), ground last.
        """
        num_shifts = amounts.shape[-1] - sum(self.num_turns)
        *angles, shifts = amounts.split([*self.num_turns, num_shifts], dim=-1)
        shifts = shifts.unflatten(-1, (-1, 3))  # (*B, J, 3)
        rotmats = self._turned(angles)
        parent_scales = scales[..., self.joint_parents, :]
        stretch = torch.linalg.vector_norm(self.translation_axes * parent_scales[..., None, :], dim=-1)
        stretch = torch.where(self.translation_scales, stretch, torch.ones_like(stretch))
        shift = torch.einsum("...ji,jix->...jx", stretch * shifts, self.translation_directions)
        joints = self.parent_offsets * parent_scales + shift
        child_offsets = self.child_offsets * scales[..., self.joint_children, :]
        return rotmats, joints, joints - rotate(rotmats, child_offsets)

    def _turned(self, angles: Sequence[Tensor]) -> Tensor:
        """(*B, J, 3, 3): all first axes, then the second and third ones of the joints that have them."""
        rotmats = self.turns[0](angles[0])
        for turns, angle in zip(self.turns[1:], angles[1:], strict=True):
            joints = turns.joints
            rotmats = rotmats.index_copy(-3, joints, rotmats[..., joints, :, :] @ turns(angle))
        return rotmats

    def rotation_axes(self, amounts: Float[Tensor, "*B F"]) -> Float[Tensor, "*B R 3"]:
        """Directions of the rotation axes, the first ones of all joints before the second ones, in the
        joints' parent bodies; amounts: the values of `functions`.
        """
        angles = amounts.split([*self.num_turns, amounts.shape[-1] - sum(self.num_turns)], dim=-1)
        first, *others = cast(list[AxisTurns], list(self.turns))
        directions = [first.axes.expand(*amounts.shape[:-1], -1, -1)]
        rotmats = first(angles[0])
        for turns, angle in zip(others, angles[1:], strict=False):
            turned = rotmats[..., turns.joints, :, :]
            directions.append(rotate(turned, turns.axes))
            rotmats = rotmats.index_copy(-3, turns.joints, turned @ turns(angle))
        return torch.cat(directions, dim=-2)

    def _to_ground(self, rotmats: Tensor, joints: Tensor, origins: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """From parent body to ground, one level of the tree at a time.

        Takes values per joint. Returns body rotations, joints and body origins, in the model's orders,
        ground after the last body.
        """
        batch = joints.shape[:-2]
        rotmats = rotmats.expand(*batch, -1, 3, 3)
        ground = torch.eye(3, dtype=joints.dtype, device=joints.device).expand(*batch, 1, 3, 3)
        turns, centres, starts = [ground], [joints[..., :0, :]], [joints.new_zeros(*batch, 1, 3)]
        for k in range(self.num_levels):
            level, parents = getattr(self, f"level{k}_joints"), getattr(self, f"level{k}_parents")
            turn, start = turns[-1][..., parents, :, :], starts[-1][..., parents, :]
            turns.append(turn @ rotmats[..., level, :, :])
            centres.append(start + rotate(turn, joints[..., level, :]))
            starts.append(start + rotate(turn, origins[..., level, :]))
        return (
            torch.cat(turns, dim=-3)[..., self.tree_to_body, :, :],
            torch.cat(centres, dim=-2)[..., self.tree_to_joint, :],
            torch.cat(starts, dim=-2)[..., self.tree_to_body, :],
        )


def rotate(rotmats: Float[Tensor, "*#B 3 3"], points: Float[Tensor, "*#B 3"]) -> Float[Tensor, "*B 3"]:
    """Each point turned by its own rotation matrix."""
    return (rotmats @ points[..., None])[..., 0]
