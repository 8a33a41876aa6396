"""All checks together: on a body that truly follows a skeleton, and on what is made wrong with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from odah.body.checks import Overlap, Plausibility, check_plausibility
from odah.body.fitting.body_fitter import BodyFit, BodyFitter
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.body.shape.subject_scaling import scale_to_body
from odah.motion.actions import plan_action
from odah.names import SMPLX_INDEX
from odah.osim.grounding import ground_action
from odah.osim.kinematics import Kinematics


@dataclass(frozen=True)
class Walk:
    """A built-in walk, whose feet stand still on z = 0, and the body on it, arms held away from it."""

    fitter: BodyFitter
    kinematics: Kinematics
    fit: BodyFit

    def check(
        self, kinematics: Kinematics | None = None, floor: float | None = None, **changes
    ) -> Plausibility:
        fit = replace(self.fit, **changes)
        skeleton = kinematics or self.kinematics
        return check_plausibility(self.fitter.body, fit.betas, fit.poses, fit.transl, skeleton, floor=floor)


@pytest.fixture(scope="module")
def walk() -> Walk:
    fitter = BodyFitter(load_body(), load_registration())
    betas = np.zeros(fitter.body.num_betas)
    model, factors = scale_to_body(fitter, betas, "walker")
    path = ground_action(model, plan_action("walking", 3, 1.5, 40.0))
    kinematics = Kinematics(model, path.values, path.rate, path.source, 0.0, factors)
    fit = fitter.fit_pose(kinematics, betas)
    for side, sign in (("left", -1), ("right", 1)):
        fit.poses[:, SMPLX_INDEX[f"{side}_shoulder"]] = [0, 0, sign * 0.9]
    return Walk(fitter, kinematics, fit)


@pytest.fixture(scope="module")
def found(walk: Walk) -> Plausibility:
    return walk.check()


def test_a_planted_walk_is_plausible(found: Plausibility) -> None:
    assert found.flags == ()
    assert found.sliding.stance_share > 0.2
    assert found.sliding.skeleton_mm < 0.5
    assert abs(found.sliding.excess_mm) < 1
    assert found.contact.penetration_p95_mm <= 5 + 1e-6
    assert found.skeleton_contact.penetration_p95_mm < 15


def test_feet_that_slide_are_flagged(walk: Walk, found: Plausibility) -> None:
    """The body drifts 0.3 m/s away from its skeleton."""
    drift = 0.3 * walk.kinematics.trajectory.time[:, None] * [0.0, 1.0, 0.0]
    slid = walk.check(transl=walk.fit.transl + drift)
    assert slid.sliding.skeleton_mm == pytest.approx(found.sliding.skeleton_mm, abs=0.05)
    assert slid.sliding.excess_mm == pytest.approx(0.3 / 60 * 1e3, abs=1)
    assert any("feet slide" in flag for flag in slid.flags)


def test_a_body_in_or_over_the_floor_is_flagged(walk: Walk) -> None:
    sunk, floating = walk.check(floor=0.05), walk.check(floor=-0.05)
    assert sunk.contact.penetration_p95_mm == pytest.approx(50, abs=10)
    assert sunk.skeleton_contact.penetration_p95_mm == pytest.approx(50, abs=10)
    assert any("below the floor in 5 % of frames (its skeleton" in flag for flag in sunk.flags)
    assert any("above the floor" in flag for flag in floating.flags)
    assert floating.contact.penetration_max_mm == 0


def test_an_arm_in_the_trunk_and_a_knee_bent_back_are_flagged(walk: Walk) -> None:
    poses = walk.fit.poses.copy()
    poses[5:50, SMPLX_INDEX["left_shoulder"]] = [0, 0, -1.9]
    poses[:, SMPLX_INDEX["right_knee"]] = [-0.6, 0, 0]
    wrong = walk.check(poses=poses)
    assert any(o.part.startswith("left ") and o.other in ("trunk", "left thigh") for o in wrong.overlaps)
    assert not any("right hand" in flag for flag in wrong.flags)
    assert any(flag.startswith("left hand up to") and "in 75% of frames" in flag for flag in wrong.flags)
    assert any(flag.startswith("right_knee bends -34 to -34 degrees") for flag in wrong.flags)


def test_one_touch_does_not_flag_a_clip(found: Plausibility) -> None:
    touch = replace(found, overlaps=(Overlap("left hand", "trunk", 45.0, 0.01),))
    often = replace(found, overlaps=(Overlap("left hand", "trunk", 23.0, 0.12),))
    assert touch.flags == ()
    assert often.flags == ("left hand up to 23 mm inside the trunk, deeper than 20 mm in 12% of frames",)
    assert touch.to_json()["self_penetration_mm"] == 45.0


def test_where_the_person_is_and_faces_does_not_matter(walk: Walk, found: Plausibility) -> None:
    """Body and skeleton turned and moved together over the floor."""
    turn = Rotation.from_euler("z", 130, degrees=True)
    pelvis = walk.fitter.body.posed_joints(torch.as_tensor(walk.fit.betas))[0][0].double().numpy()
    poses = walk.fit.poses.copy()
    poses[:, 0] = (turn * Rotation.from_rotvec(poses[:, 0])).as_rotvec()
    # the root turns about the pelvis joint
    transl = turn.apply(walk.fit.transl + pelvis) - pelvis + [4.0, -2.0, 0.0]
    moved = walk.check(poses=poses, transl=transl)
    for name in ("penetration_p95_mm", "penetration_max_mm", "floating_p95_mm"):
        assert getattr(moved.contact, name) == pytest.approx(getattr(found.contact, name), abs=0.05)
    assert [o.part for o in moved.overlaps] == [o.part for o in found.overlaps]
    assert [h.maximum_deg for h in moved.hinges] == [h.maximum_deg for h in found.hinges]


def test_the_record_is_plain_numbers(found: Plausibility) -> None:
    record = json.loads(json.dumps(found.to_json()))
    assert record["sliding_excess_mm"] == pytest.approx(found.sliding.excess_mm)
    assert record["penetration_p95_mm"] == pytest.approx(found.contact.penetration_p95_mm)
    assert record["skeleton_penetration_p95_mm"] == pytest.approx(found.skeleton_contact.penetration_p95_mm)
    assert {hinge["joint"] for hinge in record["hinges"]} >= {"left_knee", "right_elbow"}
