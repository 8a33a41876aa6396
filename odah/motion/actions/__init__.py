"""The 21 actions of BMLmovi as joint angles: readable tables, varied by seed."""

from odah.motion.actions.action import CONTACT_PARTS, Action
from odah.motion.actions.build import builtin_action, canonical_action_name, plan_action
from odah.motion.actions.ranges import JOINT_ANGLE_RANGES_DEG, coordinate_limits

__all__ = [
    "CONTACT_PARTS",
    "JOINT_ANGLE_RANGES_DEG",
    "Action",
    "builtin_action",
    "canonical_action_name",
    "coordinate_limits",
    "plan_action",
]
