"""What the prior of a person's shape says, and that it can be followed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.body.model import load_body
from odah.body.shape.bone_lengths import BONE_LENGTH_BOUNDS, BONE_LENGTHS, with_bone_lengths
from odah.body.shape.prior import ShapePrior, shape_prior
from odah.errors import InputError

UNSTRETCHED = load_body()
BODY = with_bone_lengths(UNSTRETCHED)
STRANGER = replace(BODY, statistics=None, name="SMPLX_NEUTRAL")
PEOPLE = [("male", 1.83, 85.0), ("female", 1.58, 49.0), ("neutral", 1.70, 95.0)]


def cost(prior: ShapePrior, betas: torch.Tensor) -> float:
    return 0.5 * float((prior.linearize(betas)[0] ** 2).sum())


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(PEOPLE), st.booleans(), st.booleans(), st.booleans())
def test_jacobian_is_that_of_finite_differences(
    seed: int, person: tuple[str, float, float], is_measured: bool, is_weighed: bool, is_known: bool
) -> None:
    gender, height, mass = person
    body = BODY if is_known else STRANGER
    prior = shape_prior(body, gender, height if is_measured else None, mass if is_weighed else None)
    betas = prior.mean + torch.from_numpy(np.random.default_rng(seed).normal(0, 0.5, BODY.num_betas))
    residuals, jacobian = prior.linearize(betas)
    assert len(residuals) == BODY.num_betas + is_measured + is_weighed
    step = 1e-5 * torch.eye(len(betas), dtype=torch.float64)
    numeric = torch.stack(
        [(prior.linearize(betas + s)[0] - prior.linearize(betas - s)[0]) / 2e-5 for s in step], -1
    )
    torch.testing.assert_close(jacobian, numeric, atol=1e-4, rtol=1e-6)


@pytest.mark.parametrize("person", PEOPLE)
def test_a_fit_starts_at_a_person_of_that_height_and_mass(person: tuple[str, float, float]) -> None:
    gender, height, mass = person
    prior = shape_prior(BODY, gender, height, mass)
    assert prior.measures.height(prior.mean)[0] == pytest.approx(height, abs=0.003)
    assert prior.measures.mass(prior.mean)[0] == pytest.approx(mass, rel=0.01)
    assert ((prior.lower < prior.mean) & (prior.mean < prior.upper)).all()
    for seed in range(5):
        other = prior.mean + 0.01 * torch.from_numpy(np.random.default_rng(seed).normal(size=BODY.num_betas))
        assert cost(prior, other) > cost(prior, prior.mean)


def test_a_licensed_body_is_standard_normal_until_more_is_known() -> None:
    prior = shape_prior(STRANGER, "female")
    assert not prior.mean.any()
    residuals, _ = prior.linearize(torch.ones(BODY.num_betas, dtype=torch.float64))
    assert torch.equal(residuals[:16], torch.ones(16, dtype=torch.float64))
    tall = shape_prior(STRANGER, "female", 1.85, 80.0)
    assert tall.measures.height(tall.mean)[0] == pytest.approx(1.85, abs=0.005)
    assert tall.measures.mass(tall.mean)[0] == pytest.approx(80.0, rel=0.02)


def test_what_is_known_is_no_longer_free_and_the_rest_is() -> None:
    """Along height, a person of known height may move millimetres, one of unknown height centimetres."""
    spreads = []
    for height, mass in ((1.75, 75.0), (None, None)):
        prior = shape_prior(UNSTRETCHED, "male", height, mass)
        covariance = torch.linalg.inv(prior.whitening.T @ prior.whitening)
        row = prior.measures.height(prior.centre)[1]
        spreads.append(float(row @ covariance @ row) ** 0.5)
        assert covariance.diagonal().sqrt().median() > 0.7
    assert spreads[0] < 0.01
    assert 0.05 < spreads[1] < 0.12


def test_men_and_women_are_told_apart() -> None:
    """Nobody of one sex is near the typical person of the other, at the same height and mass."""
    man, woman = (shape_prior(BODY, gender, 1.70, 68.0) for gender in ("male", "female"))
    assert cost(man, woman.mean) > 10 * (cost(man, man.mean) + 1)
    assert cost(woman, man.mean) > 10 * (cost(woman, woman.mean) + 1)


def test_bone_lengths_are_bounded_and_feet_most() -> None:
    prior = shape_prior(BODY, "female", 1.65, 60.0)
    # The bounds lie about no stretch at all.
    np.testing.assert_allclose(prior.upper[-9:], BONE_LENGTH_BOUNDS)
    np.testing.assert_allclose(prior.lower[-9:], [-bound for bound in BONE_LENGTH_BOUNDS])
    assert min(BONE_LENGTH_BOUNDS) == BONE_LENGTH_BOUNDS[BONE_LENGTHS.index("foot_height")]
    assert shape_prior(UNSTRETCHED, "female").mean.shape == (16,)


@pytest.mark.parametrize(
    ("gender", "height", "mass", "field"),
    [
        ("other", None, None, "gender"),
        ("male", 18.3, 85.0, "height"),
        ("male", 1.8, 500.0, "mass of a person 1.80 m tall"),
        ("female", None, 20.0, "mass"),
        ("female", float("nan"), None, "height"),
    ],
)
def test_impossible_people_are_named(
    gender: str, height: float | None, mass: float | None, field: str
) -> None:
    with pytest.raises(InputError, match=field):
        shape_prior(BODY, gender, height, mass)


@pytest.mark.parametrize("mass", [29.4, 42.0, 125.0, 185.22])
def test_any_mass_that_some_adult_has_will_do_while_the_height_is_not_known(mass: float) -> None:
    prior = shape_prior(BODY, "neutral", None, mass)
    assert prior.measures.mass(prior.mean)[0] == pytest.approx(mass, rel=0.03)
