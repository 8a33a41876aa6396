"""Variants of a subject's body and clothes that change from clip to clip, as a dataset has them."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from odah.body.shape.measures import body_height, body_mass
from odah.clothing.appearance import CLOTHES
from odah.config import GenerateConfig
from odah.dataset.plan import ClipPlan, plan_clips
from odah.pipeline.clip_maker import ClipMaker


@pytest.fixture(scope="module")
def config(tiny_config: GenerateConfig) -> GenerateConfig:
    return tiny_config.model_copy(
        update={
            "subjects": tiny_config.subjects.model_copy(update={"bmi_variants": (-4.0, 0.0, 4.0)}),
            "clothing": tiny_config.clothing.model_copy(update={"changes": "per_clip"}),
        }
    )


@pytest.fixture(scope="module")
def plans(config: GenerateConfig) -> list[ClipPlan]:
    return plan_clips(config, Path())


@pytest.fixture(scope="module")
def maker(config: GenerateConfig, plans: list[ClipPlan]) -> ClipMaker:
    return ClipMaker(config, plans)


def test_variants_differ_in_mass_only(maker: ClipMaker, plans: list[ClipPlan]) -> None:
    body, plan = maker.fitter.body, plans[0]
    own, *changed = (maker.solve(replace(plan, variant=variant)) for variant in (0.0, -4.0, 4.0))
    height = body_height(body, own.subject.betas)
    for solved, change in zip(changed, (-4.0, 4.0), strict=True):
        subject = solved.subject
        assert body_height(body, subject.betas) == pytest.approx(height, abs=0.01)
        difference = body_mass(body, subject.betas) - body_mass(body, own.subject.betas)
        assert difference / height**2 == pytest.approx(change, abs=0.1)
        assert subject.model.mass == pytest.approx(body_mass(body, subject.betas), rel=1e-3)
        assert (subject.gender, subject.age) == (own.subject.gender, own.subject.age)
        np.testing.assert_array_equal(subject.scale_factors, own.subject.scale_factors)
        for ours, theirs in zip(subject.model.joints, own.subject.model.joints, strict=True):
            np.testing.assert_array_equal(ours.T_parent, theirs.T_parent)


def test_a_variants_body_sits_on_the_skeleton_as_well_as_the_subjects_own(
    maker: ClipMaker, plans: list[ClipPlan]
) -> None:
    errors = []
    for variant in (0.0, 4.0):
        solved = maker.solve(replace(plans[0], variant=variant))
        fit = maker.fitter.fit_pose(solved.kinematics, solved.subject.body)
        errors.append((fit.joint_errors_mm.mean(), fit.marker_errors_mm.mean()))
    np.testing.assert_allclose(errors[1], errors[0], atol=0.6)


def test_clothes_change_from_clip_to_clip_and_the_person_does_not(
    config: GenerateConfig, maker: ClipMaker, plans: list[ClipPlan]
) -> None:
    first, second = (maker.solve(plan) for plan in plans)
    one, other = first.outfit.appearance, second.outfit.appearance
    names = {field.name for field in fields(one)}
    assert {name for name in names if getattr(one, name) != getattr(other, name)} <= set(CLOTHES)
    assert one.upper_texture != other.upper_texture
    assert first.look == second.look
    again = ClipMaker(config, plans).solve(plans[1])
    assert again.outfit.appearance == other
    np.testing.assert_array_equal(again.subject.betas, second.subject.betas)
    np.testing.assert_array_equal(again.kinematics.coordinates, second.kinematics.coordinates)
