"""The angles the network tells, and the keypoints that they and the segment scales lead to."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from odah.estimator.precision import exact_products
from odah.names import OPENSIM_BODIES, OPENSIM_COORDINATES, OPENSIM_JOINTS, ROOT_TRANSLATIONS
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model

ANGLES: tuple[str, ...] = tuple(name for name in OPENSIM_COORDINATES if name not in ROOT_TRANSLATIONS)
"""The 36 joint angles of the ODAH paper, section 4.2: all coordinates but the pelvis' translations."""

ANGLE_PLACES: list[int] = [OPENSIM_COORDINATES.index(name) for name in ANGLES]
"""Where they stand among the coordinates."""

FREE_ANGLES: tuple[str, ...] = (
    "pelvis_tilt", "pelvis_list", "pelvis_rotation",
    "arm_flex_r", "arm_add_r", "arm_rot_r", "arm_flex_l", "arm_add_l", "arm_rot_l",
)  # fmt: skip
"""Those that no range bounds (section 4.2): they are compared on the unit circle."""

FREE_PLACES: list[int] = [ANGLES.index(name) for name in FREE_ANGLES]
"""Where they stand among the angles."""

CONSTRAINED_ANGLES: tuple[str, ...] = tuple(name for name in ANGLES if name not in FREE_ANGLES)

KEYPOINTS: tuple[str, ...] = (*OPENSIM_JOINTS, *(f"{body}_com" for body in OPENSIM_BODIES))
"""22 joint centres and 22 mass centres (section 3.3)."""

PELVIS = OPENSIM_JOINTS.index("ground_pelvis")
"""The keypoint that the others are told from."""


class Skeleton(nn.Module):
    """The generic full-body model, from angles and scales to keypoints; without weights, float32.

    Attributes:
        ranges: of the model's angles, rad; (A, 2). free, constrained: places of `FREE_ANGLES` and
            `CONSTRAINED_ANGLES` among the angles.
    """

    places: Tensor
    ranges: Tensor
    free: Tensor
    constrained: Tensor

    def __init__(self) -> None:
        super().__init__()
        model = replace(full_body_model(), markers=())
        self.kinematics = ForwardKinematics(model, dtype=torch.float32)
        ranges = [model.coordinates[place].range for place in ANGLE_PLACES]
        constants = {
            "places": torch.tensor(ANGLE_PLACES),
            "ranges": torch.tensor(ranges, dtype=torch.float32),
            "free": torch.tensor(FREE_PLACES),
            "constrained": torch.tensor([ANGLES.index(name) for name in CONSTRAINED_ANGLES]),
        }
        for name, constant in constants.items():
            self.register_buffer(name, constant, persistent=False)

    @exact_products()
    def forward(
        self, angles: Float[Tensor, "*#B A"], scales: Float[Tensor, "*#B K 3"]
    ) -> Float[Tensor, "*B P 3"]:
        """Keypoints from the pelvis' origin, m, in the frame that the pelvis' angles are told in."""
        coordinates = angles.new_zeros(*angles.shape[:-1], len(OPENSIM_COORDINATES))
        pose = self.kinematics(coordinates.index_copy(-1, self.places, angles), scales)
        points = torch.cat([pose.joints, pose.body_coms], dim=-2)
        return points - points[..., PELVIS, None, :]

    def angle_differences(
        self, angles: Float[Tensor, "*#B A"], others: Float[Tensor, "*#B A"]
    ) -> Float[Tensor, "*B A"]:
        """angles - others, rad; free ones between -pi and pi, as a turn more or less is the same pose."""
        difference = angles - others
        free = difference[..., self.free]
        return difference.index_copy(-1, self.free, torch.atan2(free.sin(), free.cos()))
