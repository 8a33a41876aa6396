"""Is a body in motion plausible? Feet on the floor, parts apart, joints within human limits."""

from odah.body.checks.floor import FloorContact, LowestPoints, floor_contact, floor_height, lowest_points
from odah.body.checks.joint_limits import HingeUse, hinge_uses
from odah.body.checks.plausibility import Plausibility, check_plausibility
from odah.body.checks.self_penetration import Overlap
from odah.body.checks.sliding import FootSliding, foot_sliding, skeleton_soles

__all__ = [
    "FloorContact",
    "FootSliding",
    "HingeUse",
    "LowestPoints",
    "Overlap",
    "Plausibility",
    "check_plausibility",
    "floor_contact",
    "floor_height",
    "foot_sliding",
    "hinge_uses",
    "lowest_points",
    "skeleton_soles",
]
