"""Height and mass of a body, and their derivatives by betas."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.body.mesh import enclosed_volume
from odah.body.model import load_body
from odah.body.shape.bone_lengths import with_bone_lengths
from odah.body.shape.measures import BODY_DENSITY, BodyMeasures, body_height, body_mass, body_measures
from odah.errors import InputError

BODY = with_bone_lengths(load_body(dtype=torch.float64))


def random_betas(seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(0, 1.2, BODY.num_betas))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_height_and_mass_are_the_mesh_s(seed: int) -> None:
    betas = random_betas(seed)
    vertices = BODY.shaped(betas)[0].numpy()
    assert body_height(BODY, betas.numpy()) == pytest.approx(np.ptp(vertices[:, 1]), abs=1e-12)
    mass = BODY_DENSITY * enclosed_volume(vertices, BODY.faces)
    assert body_mass(BODY, betas.numpy()) == pytest.approx(mass, rel=1e-10)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["height", "mass", "bmi"]))
def test_gradients_are_those_of_finite_differences(seed: int, name: Literal["height", "mass", "bmi"]) -> None:
    measure = getattr(body_measures(BODY), name)
    betas, step = random_betas(seed), 1e-5 * torch.eye(BODY.num_betas, dtype=torch.float64)
    numeric = np.array([(measure(betas + s)[0] - measure(betas - s)[0]) / 2e-5 for s in step])
    np.testing.assert_allclose(measure(betas)[1].numpy(), numeric, atol=1e-6 * abs(numeric).max())


def test_a_part_of_a_body_has_no_mass() -> None:
    with pytest.raises(InputError, match="a body without faces"):
        BodyMeasures(BODY.restricted_to([0, 1, 2]))
