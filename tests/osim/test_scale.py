"""Scaling a model against OpenSim's `Model::scale`."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.errors import InputError
from odah.osim import ForwardKinematics, full_body_model, read_model, scale_model, write_model
from odah.osim.scale import recovered_scale_factors

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
SHARED_MODELS = sorted(SHARED.rglob("*.osim"))
MASS = 81.0


def random_scale_factors(num_bodies: int, seed: int = 0) -> np.ndarray:
    """Different along every axis, but the same along all axes of the first body."""
    factors = np.random.default_rng(seed).uniform(0.7, 1.4, (num_bodies, 3))
    factors[0] = factors[0, 0]
    return factors


def assert_scales_as_in_opensim(path, load_reference, random_coordinates, assert_same_pose, tmp_path, count):
    model = read_model(path)
    factors = random_scale_factors(len(model.bodies))
    reference = load_reference(path).scaled(model.body_names, factors, MASS)
    scaled = scale_model(model, factors, name="scaled", mass=MASS)
    coordinates = random_coordinates(model, count)
    expected = reference.poses(scaled, coordinates)
    write_model(scaled, tmp_path / "scaled.osim")
    q = torch.tensor(coordinates)
    for pose in (
        ForwardKinematics(scaled)(q),
        ForwardKinematics(model)(q, torch.tensor(factors)),
        ForwardKinematics(read_model(tmp_path / "scaled.osim"))(q),
    ):
        assert_same_pose(pose, expected)
    for body in scaled.bodies:
        theirs = reference.model.getBodySet().get(body.name)
        inertia = theirs.getInertia()
        assert body.mass == pytest.approx(theirs.getMass(), rel=1e-12)
        moments = np.concatenate([inertia.getMoments().to_numpy(), inertia.getProducts().to_numpy()])
        np.testing.assert_allclose(body.inertia, moments, rtol=1e-9, atol=1e-15)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED_MODELS, reason="no models beside the project")
@pytest.mark.parametrize("path", SHARED_MODELS, ids=lambda path: path.stem)
def test_published_models_scale_as_in_opensim(
    path, load_reference, random_coordinates, assert_same_pose, tmp_path
):
    assert_scales_as_in_opensim(path, load_reference, random_coordinates, assert_same_pose, tmp_path, 50)


def test_own_model_scales_as_in_opensim(load_reference, random_coordinates, assert_same_pose, tmp_path):
    path = tmp_path / "full_body.osim"
    write_model(full_body_model(), path)
    assert_scales_as_in_opensim(path, load_reference, random_coordinates, assert_same_pose, tmp_path, 200)


def test_every_joint_class_scales_as_in_opensim(
    joint_zoo, load_reference, random_coordinates, assert_same_pose, tmp_path
):
    for seed in range(3):
        path = tmp_path / f"zoo{seed}.osim"
        path.write_text(joint_zoo(seed, skew_translations=False))
        assert_scales_as_in_opensim(path, load_reference, random_coordinates, assert_same_pose, tmp_path, 20)


def test_scaling_by_one_changes_nothing(assert_same_pose, random_coordinates):
    model = full_body_model()
    scaled = scale_model(model, np.ones((22, 3)))
    q = torch.tensor(random_coordinates(model, 20))
    assert_same_pose(ForwardKinematics(scaled)(q), ForwardKinematics(model)(q), atol=1e-14)
    assert scaled.mass == pytest.approx(model.mass)
    for body, original in zip(scaled.bodies, model.bodies, strict=True):
        np.testing.assert_allclose(body.inertia, original.inertia)


@settings(max_examples=20, deadline=None)
@given(first=st.integers(0, 100), second=st.integers(0, 100))
def test_scaling_twice_is_scaling_by_the_product(first, second, assert_same_pose):
    model = full_body_model()
    a, b = random_scale_factors(22, first), random_scale_factors(22, second)
    q = torch.tensor(model.default_coordinates)[None]
    once = ForwardKinematics(scale_model(model, a * b))(q)
    assert_same_pose(ForwardKinematics(scale_model(scale_model(model, a), b))(q), once, atol=1e-12)


def test_uniform_scaling_scales_the_skeleton_and_its_inertia():
    model = full_body_model()
    q = torch.tensor(model.default_coordinates)
    q[model.coordinate_names.index("pelvis_ty")] = 0.0
    big = scale_model(model, np.full((22, 3), 1.3), mass=2 * model.mass)
    pose, big_pose = ForwardKinematics(model)(q), ForwardKinematics(big)(q)
    torch.testing.assert_close(big_pose.markers, 1.3 * pose.markers)
    torch.testing.assert_close(big_pose.body_coms, 1.3 * pose.body_coms)
    for body, original in zip(big.bodies, model.bodies, strict=True):
        assert body.mass == pytest.approx(2 * original.mass)
        np.testing.assert_allclose(body.inertia, 2 * 1.3**2 * original.inertia)


def test_wrong_number_of_factors_is_refused():
    with pytest.raises(ValueError, match=r"\(21, 3\), expected \(22, 3\)"):
        scale_model(full_body_model(), np.ones((21, 3)))


def test_factors_of_a_scaled_model_are_recovered_in_any_order() -> None:
    generic = full_body_model()
    factors = np.random.default_rng(0).uniform(0.85, 1.15, (len(generic.bodies), 3))
    # Their offsets lie along some axes only: the others take the mean, so the truth must be the same on all.
    flat = [k for k, name in enumerate(generic.body_names) if name.startswith(("hand", "patella"))]
    factors[flat] = factors[flat, :1]
    scaled = scale_model(generic, factors)
    np.testing.assert_allclose(recovered_scale_factors(scaled, generic), factors, atol=1e-12)
    turned = replace(scaled, bodies=scaled.bodies[::-1], joints=scaled.joints[::-1])
    np.testing.assert_allclose(recovered_scale_factors(turned, generic), factors[::-1], atol=1e-12)


def test_a_mirrored_model_is_no_scaled_one() -> None:
    generic = full_body_model()
    factors = np.ones((len(generic.bodies), 3))
    factors[generic.body_names.index("femur_l")] = -1
    with pytest.raises(InputError, match="femur_l"):
        recovered_scale_factors(scale_model(generic, factors), generic)
