"""All checks of a clip together: what the error budget tells, and the sentences that flag it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from odah.body.body_model import BodyModel
from odah.body.checks.body_sample import BodySample, sample_body
from odah.body.checks.floor import FloorContact, LowestPoints, floor_contact, floor_height, lowest_points
from odah.body.checks.joint_limits import HingeUse, hinge_uses
from odah.body.checks.self_penetration import Overlap, allowed_depth, self_penetration
from odah.body.checks.sliding import FootSliding, foot_sliding, nearest_vertices, skeleton_soles
from odah.body.checks.thresholds import (
    MAX_FLOATING,
    MAX_PENETRATION,
    MAX_SELF_PENETRATION_SHARE,
    MAX_SLIDING_MM,
)
from odah.osim.kinematics import Kinematics

_ROUNDING_MM = 0.1
"""A floor that is set by a quantile leaves that quantile just as deep as is allowed."""


@dataclass(frozen=True)
class Plausibility:
    """What `check_plausibility` found in a clip.

    contact: of everything that is seen; skeleton_contact: of the skeleton's own soles on the same floor,
    which no body on it can undo. floor: world height it was held against, m.
    """

    sliding: FootSliding
    contact: FloorContact
    skeleton_contact: FloorContact
    overlaps: tuple[Overlap, ...]
    hinges: tuple[HingeUse, ...]
    floor: float

    @property
    def flags(self) -> tuple[str, ...]:
        """One sentence for everything that is beyond its threshold."""
        return (*self._floor_flags(), *self._overlap_flags(), *self._hinge_flags())

    def _floor_flags(self) -> Iterator[str]:
        sliding, contact, own = self.sliding, self.contact, self.skeleton_contact
        if sliding.excess_mm > MAX_SLIDING_MM:
            yield f"feet slide {sliding.excess_mm:.1f} mm a frame at 60 fps more than the skeleton's"
        if contact.penetration_p95_mm > 1e3 * MAX_PENETRATION + _ROUNDING_MM:
            depths = contact.penetration_p95_mm, own.penetration_p95_mm
            yield "{:.0f} mm below the floor in 5 % of frames (its skeleton {:.0f} mm)".format(*depths)
        if contact.floating_p95_mm > 1e3 * MAX_FLOATING:
            gaps = contact.floating_p95_mm, own.floating_p95_mm
            yield "stands up to {:.0f} mm above the floor (its skeleton {:.0f} mm)".format(*gaps)

    def _overlap_flags(self) -> Iterator[str]:
        for overlap in self.overlaps:
            allowed = allowed_depth(overlap.part, overlap.other)
            if overlap.share > MAX_SELF_PENETRATION_SHARE:
                yield (
                    f"{overlap.part} up to {overlap.depth_mm:.0f} mm inside the {overlap.other}, "
                    f"deeper than {1e3 * allowed:.0f} mm in {overlap.share:.0%} of frames"
                )

    def _hinge_flags(self) -> Iterator[str]:
        for hinge in self.hinges:
            if hinge.outside:
                yield (
                    f"{hinge.joint} bends {hinge.minimum_deg:.0f} to {hinge.maximum_deg:.0f} degrees, "
                    f"not as people's do in {hinge.outside:.0%} of frames"
                )

    def to_json(self) -> dict[str, Any]:
        """Numbers for an error budget: flat, but for the list of overlaps and the hinges."""
        return {
            **{f"sliding_{name}": value for name, value in asdict(self.sliding).items()},
            **asdict(self.contact),
            **{f"skeleton_{name}": value for name, value in asdict(self.skeleton_contact).items()},
            "self_penetration_mm": self.overlaps[0].depth_mm if self.overlaps else 0.0,
            "overlaps": [asdict(overlap) for overlap in self.overlaps],
            "hinges": [asdict(hinge) for hinge in self.hinges],
        }


def check_plausibility(
    body: BodyModel,
    betas: Float[np.ndarray, " S"],
    poses: Float[np.ndarray, "T 55 3"],
    transl: Float[np.ndarray, "T 3"],
    kinematics: Kinematics,
    lowest: LowestPoints | None = None,
    floor: float | None = None,
) -> Plausibility:
    """Hold a body that follows a skeleton against the floor, against itself and against human limits.

    Args:
        betas, poses (rad), transl (m): of the body, in world, as `BodyFitter.fit_pose` gives them.
        kinematics: the skeleton it follows, in ground, not shifted either.
        lowest: of what is drawn, clothes and shoes included; None: of the bare body.
        floor: world height, m; None: where `floor_height` finds it.

    Raises:
        InputError: fewer than two frames.
    """
    sample, rate = sample_body(body, betas), kinematics.rate
    points, normals = sample.posed(poses, transl)
    lowest = lowest_points([points], rate) if lowest is None else lowest
    floor = floor_height(lowest) if floor is None else floor
    soles = skeleton_soles(kinematics)
    return Plausibility(
        sliding=foot_sliding(_mesh_soles(sample, points, soles), soles, rate, floor),
        contact=floor_contact(lowest, floor),
        skeleton_contact=floor_contact(lowest_points([soles], rate), floor),
        overlaps=self_penetration(sample, points, normals),
        hinges=hinge_uses(poses),
        floor=floor,
    )


def _mesh_soles(sample: BodySample, points: np.ndarray, soles: np.ndarray) -> np.ndarray:
    """(T, P, 3) the body's own points nearest to those of the skeleton's soles, right first."""
    half = soles.shape[1] // 2
    sides = [("right foot", soles[:, :half]), ("left foot", soles[:, half:])]
    return np.concatenate([nearest_vertices(points[:, sample.parts == part], own) for part, own in sides], 1)
