"""People of a dataset: body and skeleton of one person, from either side."""

from __future__ import annotations

import numpy as np
import pytest

from odah.body.fitting.body_fitter import BodyFitter
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.body.shape.measures import body_height, body_mass
from odah.config import SubjectsConfig
from odah.motion import Motion
from odah.motion.types import Gender, Source
from odah.pipeline.subjects import leg_length, subject_of_motion, synthetic_subject

CONFIG = SubjectsConfig(height=(1.60, 1.70), bmi=(22.0, 24.0))


@pytest.fixture(scope="module")
def fitter() -> BodyFitter:
    return BodyFitter(load_body(), load_registration())


def standing(gender: Gender, legs: float | None) -> Motion:
    return Motion(
        np.zeros((4, 55, 3)), np.zeros((4, 3)), 30.0, Source("made", "amass"), gender=gender, leg_length=legs
    )


def test_a_synthetic_subject_is_an_adult_in_range_with_a_model_of_its_mass(fitter: BodyFitter) -> None:
    subject = synthetic_subject("one", fitter, CONFIG, np.random.default_rng(0))
    height, mass = body_height(fitter.body, subject.betas), body_mass(fitter.body, subject.betas)
    assert 1.599 < height < 1.701
    assert 21.9 < mass / height**2 < 24.1
    assert subject.model.mass == pytest.approx(mass, rel=1e-6)
    again = synthetic_subject("one", fitter, CONFIG, np.random.default_rng(0))
    np.testing.assert_array_equal(subject.betas, again.betas)


@pytest.mark.parametrize("legs", [0.78, 0.88])
def test_a_subject_of_a_motion_is_as_tall_as_its_legs(fitter: BodyFitter, legs: float) -> None:
    subject = subject_of_motion(
        "one", fitter, standing("female", legs), None, CONFIG, np.random.default_rng(1)
    )
    assert subject.gender == "female"
    assert leg_length(fitter.body, subject.betas) == pytest.approx(legs, abs=0.012)


def test_the_asked_gender_wins_over_the_file_s(fitter: BodyFitter) -> None:
    subject = subject_of_motion(
        "one", fitter, standing("female", None), "male", CONFIG, np.random.default_rng(2)
    )
    assert subject.gender == "male"
    assert 1.599 < body_height(fitter.body, subject.betas) < 1.701
