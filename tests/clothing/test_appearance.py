"""Appearances are plain data drawn from a seed."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.clothing import Appearance, dress, sample_appearance
from odah.clothing.patterns import garment_pattern
from odah.errors import InputError


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["male", "female", "neutral"]))
def test_an_appearance_survives_json(seed, gender):
    look = sample_appearance(np.random.default_rng(seed), gender)
    assert Appearance.from_json(json.loads(json.dumps(look.to_json()))) == look
    assert look == sample_appearance(np.random.default_rng(seed), gender)


def test_people_differ():
    looks = [sample_appearance(np.random.default_rng(k), "neutral") for k in range(200)]
    for name, least in (("upper", 3), ("lower", 4), ("hair_style", 4), ("skin_color", 100)):
        assert len({getattr(look, name) for look in looks}) >= least
    assert len({look.upper_texture.kind for look in looks}) >= 5


def test_an_unknown_garment_is_refused(body):
    look = sample_appearance(np.random.default_rng(0), "male")
    with pytest.raises(InputError, match="toga"):
        dress(body, np.zeros(body.num_betas), replace(look, upper="toga"))
    with pytest.raises(InputError, match="kilt"):
        garment_pattern("kilt")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"upper": None}, "upper"),
        ({"lower_looseness": 3.0}, "0 to 1"),
        ({"skin_color": [1, 2]}, "skin_color"),
        ({"upper_texture": {"kind": "plain"}}, "upper_texture"),
        ({"hat": 1}, "hat"),
    ],
)
def test_damaged_json_is_refused(change, match):
    data = sample_appearance(np.random.default_rng(0), "male").to_json()
    with pytest.raises(InputError, match=match):
        Appearance.from_json({**data, **change})


def test_an_unknown_gender_is_refused():
    with pytest.raises(InputError, match="gender"):
        sample_appearance(np.random.default_rng(0), "robot")
