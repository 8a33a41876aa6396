"""Heavier and lighter people on the same bones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.body.shape.bmi_change import BMI_RANGE, with_bmi_changed
from odah.body.shape.bone_lengths import with_bone_lengths
from odah.body.shape.measures import body_height, body_mass
from odah.body.shape.people import betas_of_person
from odah.body.shape.population import Person, sample_person

BODY = with_bone_lengths(load_body())
WEIGHTS = load_registration().regressor.weights


def bmi(betas: np.ndarray) -> float:
    return body_mass(BODY, betas) / body_height(BODY, betas) ** 2


def joints(betas: np.ndarray) -> np.ndarray:
    return WEIGHTS @ BODY.shaped(torch.as_tensor(betas, dtype=BODY.dtype))[0].double().numpy()


@settings(max_examples=12)
@given(seed=st.integers(0, 1000), change=st.floats(-5, 5))
def test_only_the_mass_changes(seed: int, change: float) -> None:
    rng = np.random.default_rng(seed)
    person = sample_person(rng, bmi=(21.5, 34.0))
    before = betas_of_person(BODY, person, rng)
    after = with_bmi_changed(BODY, before, person.gender, change, WEIGHTS)
    assert bmi(after) - bmi(before) == pytest.approx(change, abs=0.05)
    assert body_height(BODY, after) == pytest.approx(body_height(BODY, before), abs=0.001)
    assert np.linalg.norm(joints(after) - joints(before), axis=1).max() < 0.004


def test_nobody_becomes_heavier_or_lighter_than_people_are() -> None:
    for person, change, edge in (
        (Person("female", 1.62, 18.0), -6.0, 0),
        (Person("male", 1.8, 38.0), 6.0, 1),
    ):
        before = betas_of_person(BODY, person)
        after = with_bmi_changed(BODY, before, person.gender, change, WEIGHTS)
        assert bmi(after) == pytest.approx(BMI_RANGE[edge], abs=0.05)
    thin = betas_of_person(BODY, Person("female", 1.62, 15.5))
    assert bmi(with_bmi_changed(BODY, thin, "female", -2.0, WEIGHTS)) == pytest.approx(bmi(thin), abs=0.05)


def test_what_changes_is_round_the_waist_more_than_at_the_head() -> None:
    before = betas_of_person(BODY, Person("male", 1.78, 24.0))
    after = with_bmi_changed(BODY, before, "male", 4.0, WEIGHTS)
    old, new = (
        BODY.shaped(torch.as_tensor(b, dtype=BODY.dtype))[0].double().numpy() for b in (before, after)
    )
    moved, part = np.linalg.norm(new - old, axis=1), BODY.lbs_weights.argmax(1).numpy()
    waist, head = moved[part == 3].mean(), moved[part == 15].mean()
    assert waist > 2 * head
    assert waist > 0.008
