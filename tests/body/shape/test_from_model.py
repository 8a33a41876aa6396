"""A scaled model and a body tell each other's shape."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from odah.body.fitting.body_fitter import BodyFitter
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.body.shape.from_model import everyday_coordinates, subject_of_model
from odah.body.shape.measures import body_height, body_mass
from odah.body.shape.people import betas_of_person
from odah.body.shape.population import Person
from odah.body.shape.subject_scaling import scale_to_body
from odah.errors import InputError
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model
from odah.osim.model import Model
from odah.osim.scale import scale_model

PERSON = Person("male", 1.83, 25.4)
LENGTHS_MM = {
    ("hip_r", "walker_knee_r"): 5,
    ("walker_knee_r", "ankle_r"): 9,
    ("ankle_r", "mtp_r"): 5,
    ("hip_r", "hip_l"): 8,
    ("back", "hip_r"): 8,
    ("acromial_r", "elbow_r"): 15,
    ("elbow_r", "radius_hand_r"): 5,
    ("acromial_r", "acromial_l"): 22,
}
"""What a length may change by from model to betas to model. Shoulders are the loosest: the skin there moves
with a scapula that the model lacks, so breadth and upper arm trade against each other."""


@dataclass(frozen=True)
class RoundTrip:
    betas: np.ndarray
    model: Model
    betas_again: np.ndarray
    model_again: Model


@pytest.fixture(scope="module")
def fitter() -> BodyFitter:
    return BodyFitter(load_body(), load_registration())


@pytest.fixture(scope="module")
def trip(fitter: BodyFitter) -> RoundTrip:
    betas = betas_of_person(fitter.body, PERSON, np.random.default_rng(0))
    model, _ = scale_to_body(fitter, betas, "man")
    again = subject_of_model(fitter, model, "male", PERSON.height, PERSON.mass).betas
    return RoundTrip(betas, model, again, scale_to_body(fitter, again, "man")[0])


def joint_distance(model: Model, one: str, other: str) -> float:
    rest = torch.zeros(len(model.coordinates), dtype=torch.float64)
    joints = ForwardKinematics(model)(rest).joints.numpy()
    return 1e3 * float(
        np.linalg.norm(joints[model.joint_names.index(one)] - joints[model.joint_names.index(other)])
    )


def test_betas_to_model_to_betas_keeps_height_and_mass(fitter: BodyFitter, trip: RoundTrip) -> None:
    assert body_height(fitter.body, trip.betas_again) == pytest.approx(PERSON.height, abs=0.01)
    assert body_mass(fitter.body, trip.betas_again) == pytest.approx(PERSON.mass, rel=0.05)


def test_model_to_betas_to_model_keeps_lengths(trip: RoundTrip) -> None:
    for (one, other), allowed in LENGTHS_MM.items():
        change = joint_distance(trip.model_again, one, other) - joint_distance(trip.model, one, other)
        assert abs(change) < allowed, f"{one} to {other}: {change:.1f} mm"


def test_a_longer_thigh_in_the_model_is_a_longer_thigh_in_the_body(fitter: BodyFitter) -> None:
    generic = full_body_model()
    thighs = []
    for factor in (0.94, 1.06):
        factors = np.ones((len(generic.bodies), 3))
        for side in "rl":
            factors[generic.body_names.index(f"femur_{side}"), 1] = factor
        betas = subject_of_model(fitter, scale_model(generic, factors), "female").betas
        joints = fitter.body.shaped(torch.as_tensor(betas).to(fitter.body.dtype))[1]
        thighs.append(float((joints[1] - joints[4]).norm()))
    expected = 0.12 * joint_distance(generic, "hip_r", "walker_knee_r") / 1e3
    assert thighs[1] - thighs[0] == pytest.approx(expected, rel=0.3)


def test_poses_are_within_the_ranges_and_use_them() -> None:
    model = full_body_model()
    coordinates = everyday_coordinates(model, 50, np.random.default_rng(0))
    low, high = model.coordinate_ranges.T
    dependent = [coupler.dependent for coupler in model.couplers]
    free = np.array([not n.startswith("pelvis_") and n not in dependent for n in model.coordinate_names])
    assert (coordinates >= low - 1e-9)[:, free].all()
    assert (coordinates <= high + 1e-9)[:, free].all()
    assert np.ptp(coordinates, axis=0)[model.coordinate_names.index("knee_angle_r")] > 0.6
    assert not coordinates[:, model.coordinate_names.index("pelvis_tilt")].any()


def test_another_skeleton_is_refused(fitter: BodyFitter) -> None:
    generic = full_body_model()
    with pytest.raises(InputError):
        subject_of_model(fitter, replace(generic, joints=generic.joints[:-1]), "male")
