"""Random adults: as tall and heavy as real ones, and bodies that are what was asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from odah.body.model import load_body
from odah.body.shape.bone_lengths import with_bone_lengths
from odah.body.shape.measures import body_height, body_mass
from odah.body.shape.people import betas_of_person
from odah.body.shape.population import ADULTS, Person, sample_person
from odah.body.shape.statistics import GENDERS
from odah.errors import InputError
from odah.motion.types import Gender

BODY = with_bone_lengths(load_body())


@pytest.mark.parametrize("gender", GENDERS)
def test_two_hundred_people_have_the_height_and_mass_asked_for(gender: Gender) -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        person = sample_person(rng, gender)
        betas = betas_of_person(BODY, person, rng)
        assert body_height(BODY, betas) == pytest.approx(person.height, abs=0.001)
        assert body_mass(BODY, betas) == pytest.approx(person.mass, rel=0.001)
        assert np.abs(betas[-9:]).max() < 1.5


def test_heights_and_mass_indices_are_those_of_the_population() -> None:
    rng = np.random.default_rng(1)
    wide = {"height": (1.3, 2.2), "bmi": (12.0, 70.0)}
    for gender, adults in ADULTS.items():
        people = [sample_person(rng, gender, **wide) for _ in range(2000)]  # pyright: ignore[reportArgumentType]
        heights, logs = np.array([p.height for p in people]), np.log([p.bmi for p in people])
        assert heights.mean() == pytest.approx(adults.mean_height, abs=0.006)
        assert heights.std() == pytest.approx(adults.height_spread, rel=0.06)
        assert np.exp(logs.mean()) == pytest.approx(adults.median_bmi, rel=0.02)
        assert logs.std() == pytest.approx(adults.log_bmi_spread, rel=0.06)


def test_ranges_cut_the_population_off_without_heaping_it_up() -> None:
    rng = np.random.default_rng(2)
    people = [sample_person(rng, height=(1.70, 1.80), bmi=(20.0, 25.0)) for _ in range(200)]
    assert all(1.70 < p.height < 1.80 and 20 < p.bmi < 25 for p in people)
    assert {p.gender for p in people} == {"male", "female"}


def test_people_of_one_height_and_mass_differ_in_their_limbs() -> None:
    rng = np.random.default_rng(3)
    person = Person("female", 1.66, 23.0)
    joints = torch.stack(
        [
            BODY.shaped(torch.as_tensor(betas_of_person(BODY, person, rng)).to(BODY.dtype))[1]
            for _ in range(30)
        ]
    )
    bones = (joints[:, 1] - joints[:, 4]).norm(dim=-1), (joints[:, 16] - joints[:, 18]).norm(dim=-1)
    for lengths in bones:
        assert 0.02 < lengths.std() / lengths.mean() < 0.05
    typical = betas_of_person(BODY, person)
    np.testing.assert_array_equal(typical, betas_of_person(BODY, person))
    assert body_height(BODY, typical) == pytest.approx(1.66, abs=0.001)


def test_a_body_of_unknown_meaning_gets_height_and_mass_all_the_same() -> None:
    stranger = replace(BODY, statistics=None, name="SMPLX_MALE")
    betas = betas_of_person(stranger, Person("male", 1.82, 26.0), np.random.default_rng(4))
    assert body_height(stranger, betas) == pytest.approx(1.82, abs=0.002)
    assert body_mass(stranger, betas) == pytest.approx(26.0 * 1.82**2, rel=0.01)


def test_ranges_without_adults_are_named() -> None:
    with pytest.raises(InputError, match="height of male people, m: found the range 3 to 4"):
        sample_person(np.random.default_rng(0), "male", height=(3.0, 4.0))
    with pytest.raises(InputError, match="body mass index of female people"):
        sample_person(np.random.default_rng(0), "female", bmi=(200.0, 300.0))
