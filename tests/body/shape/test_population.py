"""Ages and sexes of random people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from odah.body.model import load_body
from odah.body.shape.people import betas_of_person
from odah.body.shape.population import Person, sample_person


def test_ages_are_even_over_their_range() -> None:
    rng = np.random.default_rng(0)
    ages = np.array([sample_person(rng, age=(20.0, 60.0)).age for _ in range(2000)])
    assert ages.min() >= 20
    assert ages.max() <= 60
    assert np.histogram(ages, 4, (20, 60))[0] == pytest.approx(500, abs=80)


def test_an_age_moves_no_other_draw() -> None:
    """The generator goes on as if no age had been drawn."""
    one, other = np.random.default_rng(5), np.random.default_rng(5)
    young, old = sample_person(one, age=(18.0, 19.0)), sample_person(other, age=(70.0, 75.0))
    assert replace(young, age=0.0) == replace(old, age=0.0)
    assert young.age < 20 < 69 < old.age
    assert one.random() == other.random()


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0, 0), (0.25, 90, 160), (1.0, 500, 500)])
def test_the_share_of_women_is_the_one_asked_for(share: float, low: int, high: int) -> None:
    rng = np.random.default_rng(3)
    women = sum(sample_person(rng, female_share=share).gender == "female" for _ in range(500))
    assert low <= women <= high


def test_age_changes_the_body_but_not_its_height() -> None:
    body = load_body()

    def height(age: float) -> float:
        betas = betas_of_person(body, Person("male", 1.75, 25.0, age))
        vertices = body.shaped(torch.as_tensor(betas).to(body.dtype))[0]
        return float(vertices[:, 1].max() - vertices[:, 1].min())

    assert height(70.0) == pytest.approx(height(25.0), abs=0.002)
    young, old = (betas_of_person(body, Person("male", 1.75, 25.0, age)) for age in (25.0, 70.0))
    assert np.abs(young - old).max() > 0.3
