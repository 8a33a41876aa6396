"""Toes of a foot that rolls over its ball; the other foot, flat feet and sunken ones keep theirs straight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from odah.motion.actions import plan_action
from odah.motion.types import Source
from odah.osim import ForwardKinematics, full_body_model
from odah.osim.contact_points import contact_points, with_contact_markers
from odah.osim.grounding import ground_action
from odah.osim.kinematics import Kinematics
from odah.osim.toe_bending import bend_toes

MODEL = full_body_model()
COLUMN = {name: i for i, name in enumerate(MODEL.coordinate_names)}
PARTS = [point.part for point in contact_points(MODEL)]
RATE = 60.0
NUM_FRAMES = 90


def points_of(kinematics: Kinematics, part: str) -> np.ndarray:
    """(T, P) heights of contact points."""
    skeleton = ForwardKinematics(with_contact_markers(MODEL))
    with torch.no_grad():
        heights = skeleton(torch.from_numpy(kinematics.coordinates)).markers[..., 1].numpy()
    return heights[:, [name == part for name in PARTS]]


def heel_off(side: str, pitch_deg: float, sink: float = 0.0) -> Kinematics:
    """Half a second flat, then one foot plantar-flexed more and more, its ball on the floor; the other foot
    hangs above it. sink: m, by which all is too low."""
    values = np.tile(MODEL.default_coordinates, (NUM_FRAMES, 1))
    pitch = np.deg2rad(pitch_deg) * np.clip(np.arange(NUM_FRAMES) - 30, 0, None) / (NUM_FRAMES - 31)
    other = "l" if side == "r" else "r"
    values[:, COLUMN[f"knee_angle_{other}"]] = 0.8
    values[:, COLUMN[f"ankle_angle_{side}"]] = -pitch
    kinematics = Kinematics(MODEL, values, RATE, Source("made", "test"), 0.0, np.ones((22, 3)))
    lowest = points_of(kinematics, f"ball_{side}").min(axis=1)
    values[:, COLUMN["pelvis_ty"]] -= lowest + sink
    return kinematics


@pytest.mark.parametrize("side", ["r", "l"])
def test_toes_stay_on_the_floor_while_the_heel_rises(side: str) -> None:
    other = "l" if side == "r" else "r"
    stiff = heel_off(side, 25.0)
    assert points_of(stiff, f"toe_{side}").min() < -0.02
    bent = bend_toes(stiff)
    angles = bent.coordinates[:, COLUMN[f"mtp_angle_{side}"]]
    assert points_of(bent, f"toe_{side}").min() > -0.0021
    assert points_of(bent, f"toe_{side}")[-1] < 0.005, "no more than needed"
    assert -np.deg2rad(45) <= angles.min() < -np.deg2rad(15)
    np.testing.assert_array_equal(angles[:20], 0.0)
    assert np.abs(np.diff(angles, 2)).max() * RATE**2 < 40.0
    np.testing.assert_array_equal(bent.coordinates[:, COLUMN[f"mtp_angle_{other}"]], 0.0)
    changed = np.flatnonzero((bent.coordinates != stiff.coordinates).any(axis=0))
    assert changed.tolist() == [COLUMN[f"mtp_angle_{side}"]]
    assert bent.notes == ("toes (mtp_angle) bent to stay above the floor, not measured",)


def test_toes_bend_no_further_than_the_model_lets_them() -> None:
    bent = bend_toes(heel_off("l", 80.0))
    assert bent.coordinates[:, COLUMN["mtp_angle_l"]].min() == pytest.approx(-np.deg2rad(45))


def test_a_foot_that_is_wholly_too_low_bends_as_one_that_is_not() -> None:
    right, sunken = (bend_toes(heel_off("r", 25.0, sink)).coordinates for sink in (0.0, 0.03))
    column = COLUMN["mtp_angle_r"]
    np.testing.assert_allclose(sunken[:, column], right[:, column], atol=1e-9)
    np.testing.assert_array_equal(sunken[:20, column], 0.0)


def test_feet_in_the_air_keep_straight_toes() -> None:
    flying = heel_off("r", 40.0, sink=-0.3)
    assert bend_toes(flying) is flying


def test_measured_toes_stay_as_they_are() -> None:
    values = ground_action(MODEL, plan_action("walking", 1, 3.0, RATE)).values
    values[:, COLUMN["pelvis_ty"]] -= 0.02
    walk = Kinematics(MODEL, values, RATE, Source("made", "test"), 0.0, np.ones((22, 3)))
    assert bend_toes(walk) is walk
    straight = values.copy()
    straight[:, [COLUMN["mtp_angle_r"], COLUMN["mtp_angle_l"]]] = 0.0
    assert bend_toes(replace(walk, coordinates=straight)).notes
