"""Knees and elbows bend one way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from odah.body.checks import hinge_uses
from odah.body.checks.joint_limits import flexion
from odah.body.model import load_body
from odah.names import SMPLX_INDEX

BEND = {"left_knee": (1, 0, 0), "right_knee": (1, 0, 0), "left_elbow": (0, -1, 0), "right_elbow": (0, 1, 0)}


@pytest.mark.parametrize("joint", BEND)
def test_flexion_moves_shanks_back_and_forearms_forward(joint: str) -> None:
    poses = torch.zeros(55, 3)
    poses[SMPLX_INDEX[joint]] = 0.8 * torch.tensor(BEND[joint], dtype=torch.float32)
    assert flexion(joint, poses[SMPLX_INDEX[joint]][None].numpy())[0] == pytest.approx(0.8)
    side, name = joint.split("_")
    end = SMPLX_INDEX[f"{side}_{'ankle' if name == 'knee' else 'wrist'}"]
    body = load_body()
    moved = (body.posed_joints(None, poses)[0] - body.posed_joints()[0])[end, 2]
    assert moved < -0.2 if name == "knee" else moved > 0.1


@given(angle=st.floats(-3, 3), twist=st.floats(-0.5, 0.5))
def test_pronation_does_not_count_as_flexion(angle: float, twist: float) -> None:
    turned = Rotation.from_rotvec([0, -angle, 0]) * Rotation.from_rotvec([twist, 0, 0])
    assert flexion("left_elbow", turned.as_rotvec()[None])[0] == pytest.approx(angle, abs=1e-6)


def test_a_limb_bent_the_wrong_way_is_told() -> None:
    poses = np.zeros((4, 55, 3))
    poses[:, SMPLX_INDEX["right_knee"], 0] = [0, 2.0, -0.5, 0.1]
    poses[:, SMPLX_INDEX["left_elbow"], 1] = [0, 0.6, 0.6, -1.0]
    uses = {use.joint: use for use in hinge_uses(poses)}
    outside = {name: use.outside for name, use in uses.items()}
    assert outside == {"left_knee": 0.0, "right_knee": 0.25, "left_elbow": 0.5, "right_elbow": 0.0}
    assert uses["right_knee"].maximum_deg == pytest.approx(np.rad2deg(2.0))
