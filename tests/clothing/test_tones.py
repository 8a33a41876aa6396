"""Skin spans the human range, hair greys with age."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odah.clothing.tones import (
    grey_share,
    linear_to_srgb,
    sample_eye_color,
    sample_hair_color,
    sample_skin_tone,
    skin_tone,
    srgb_to_linear,
)


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_srgb_survives_the_way_to_linear_and_back(color):
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(color)), color, atol=1e-6)


@given(st.floats(0, 1), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
def test_skin_is_red_before_green_before_blue(depth, undertone, redness):
    red, green, blue = skin_tone(depth, undertone, redness)
    assert 255 > red > green > blue > 15


def test_skin_darkens_with_depth_and_yellows_with_undertone():
    luminance = [
        srgb_to_linear(skin_tone(depth)) @ [0.2126, 0.7152, 0.0722] for depth in np.linspace(0, 1, 11)
    ]
    assert (np.diff(luminance) < 0).all()
    assert luminance[0] > 0.42
    assert luminance[-1] < 0.06
    assert skin_tone(0.4, 1.0)[2] < skin_tone(0.4, -1.0)[2]


def test_every_tenth_of_the_range_of_skin_is_drawn():
    rng = np.random.default_rng(0)
    depths = [sample_skin_tone(rng)[1] for _ in range(1000)]
    assert np.histogram(depths, 10, (0, 1))[0].min() > 60


@pytest.mark.parametrize(("age", "low", "high"), [(25, 0.0, 0.02), (53, 0.5, 0.5), (80, 0.98, 1.0)])
def test_half_of_the_hair_is_grey_at_the_onset(age, low, high):
    assert low <= grey_share(age, 53) <= high


def test_old_people_have_lighter_hair_and_dark_skin_has_dark_hair_and_eyes():
    rng = np.random.default_rng(1)

    def brightness(depth, age):
        return np.mean([np.mean(sample_hair_color(rng, depth, age)) for _ in range(200)])

    assert brightness(0.8, 75) > brightness(0.8, 30) + 50
    assert brightness(0.1, 30) > brightness(0.8, 30) + 20
    assert all(max(sample_eye_color(rng, 0.7)) < 90 for _ in range(100))


@given(st.integers(0, 2**31), st.floats(0, 1), st.floats(18, 80))
def test_hair_is_never_green_or_blue(seed, depth, age):
    red, green, blue = sample_hair_color(np.random.default_rng(seed), depth, age)
    assert red >= green >= blue
