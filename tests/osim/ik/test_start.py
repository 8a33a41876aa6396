"""Roots laid onto markers, wherever people stand and whichever way they face."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from odah.osim import ForwardKinematics, Model, full_body_model
from odah.osim.functions import LinearFunction
from odah.osim.ik.problem import IkProblem
from odah.osim.ik.start import (
    RootStart,
    full_turns,
    rest_inside_bounds,
    rigid_alignments,
    without_spare_turns,
)
from odah.osim.model import TransformAxis

ANGLE = st.floats(-3.1, 3.1)
LENGTH = st.floats(-20, 20)


@given(st.tuples(ANGLE, ANGLE, ANGLE), st.tuples(LENGTH, LENGTH, LENGTH), st.integers(0, 3))
def test_a_rigid_motion_is_found(rotvec, shift, num_unseen):
    points = np.random.default_rng(0).normal(size=(7, 3))
    rotmat = Rotation.from_rotvec(rotvec).as_matrix()
    targets = points @ rotmat.T + np.array(shift)
    is_used = np.arange(7) >= num_unseen
    targets[~is_used] = 99.0
    T = rigid_alignments(points, targets[None], is_used[None])[0]
    np.testing.assert_allclose(T[:3, :3], rotmat, atol=1e-9)
    np.testing.assert_allclose(T[:3, 3], shift, atol=1e-9)


def test_a_mirror_image_is_not_a_turn():
    points = np.random.default_rng(0).normal(size=(7, 3))
    T = rigid_alignments(points, (points * [-1, 1, 1])[None], np.ones((1, 7), dtype=bool))[0]
    assert np.linalg.det(T[:3, :3]) == pytest.approx(1.0)


@given(st.tuples(ANGLE, st.floats(-1.5, 1.5), ANGLE), st.tuples(LENGTH, LENGTH, LENGTH))
def test_a_person_at_rest_is_met_exactly(angles, shift):
    model = full_body_model()
    problem = IkProblem.of(model)
    coordinates = rest_inside_bounds(problem)
    coordinates[:6] = (*angles, *shift)
    markers = ForwardKinematics(model)(torch.from_numpy(coordinates)).markers.numpy()[None]
    x = RootStart(problem)(markers, np.ones(markers.shape[:2], dtype=bool))
    coordinates[problem.free] = x[0].numpy()
    met = ForwardKinematics(model)(torch.from_numpy(coordinates)).markers.numpy()
    np.testing.assert_allclose(met, markers[0], atol=1e-6)


def test_without_pelvis_markers_all_others_are_used():
    model = full_body_model()
    problem = IkProblem.of(model)
    rest = rest_inside_bounds(problem)
    rest[3] = 4.0
    markers = ForwardKinematics(model)(torch.from_numpy(rest)).markers.numpy()[None]
    is_seen = np.array([[marker.body != "pelvis" for marker in model.markers]])
    x = RootStart(problem)(np.where(is_seen[..., None], markers, np.nan), is_seen)
    np.testing.assert_allclose(x[0], rest[problem.free], atol=1e-9)


def test_starts_are_off_the_bounds(person):
    problem = IkProblem.of(person)
    rest = rest_inside_bounds(problem)[problem.free]
    bounded = np.isfinite(problem.lower)
    width = (problem.upper - problem.lower)[bounded]
    assert (rest[bounded] - problem.lower[bounded] >= 0.0999 * width).all()
    assert (problem.upper[bounded] - rest[bounded] >= 0.0999 * width).all()


def _with_hinged_root(model: Model) -> Model:
    root, *others = model.joints
    still = TransformAxis(root.rotations[0].axis)
    axes = {
        "rotations": (root.rotations[0], still, still),
        "translations": tuple(TransformAxis(axis.axis) for axis in root.translations),
        "coordinate_names": root.coordinate_names[:1],
    }
    return replace(model, joints=(replace(root, **axes), *others), coordinates=(
        model.coordinates[0], *model.coordinates[6:]
    ))  # fmt: skip


def test_other_roots_start_at_rest(person):
    hinged = _with_hinged_root(person)
    problem = IkProblem.of(hinged)
    markers = np.random.default_rng(0).normal(size=(2, len(hinged.markers), 3))
    x = RootStart(problem)(markers, np.ones(markers.shape[:2], dtype=bool))
    np.testing.assert_array_equal(x[1], rest_inside_bounds(problem)[problem.free])
    stretched = replace(person.joints[0].rotations[0], function=LinearFunction((2.0, 0.0)))
    root = replace(person.joints[0], rotations=(stretched, *person.joints[0].rotations[1:]))
    other = replace(person, joints=(root, *person.joints[1:]))
    assert RootStart(IkProblem.of(other)).root is None


@given(st.tuples(ANGLE, st.floats(-1.4, 1.4), ANGLE), st.integers(-3, 3), st.booleans())
def test_spare_turns_go_and_the_pose_stays(angles, turns, is_flipped):
    problem = IkProblem.of(full_body_model())
    start = torch.zeros(1, len(problem.free), dtype=torch.float64)
    start[0, :3] = torch.tensor(angles, dtype=torch.float64) + 0.1
    first, middle, last = angles
    equal = (first + np.pi, np.pi - middle, last + np.pi) if is_flipped else angles
    x = start.clone()
    x[0, :3] = torch.tensor(equal, dtype=torch.float64) + 2 * np.pi * turns * torch.tensor([1, 0, -1])
    nearest = without_spare_turns(problem, x, start, full_turns(problem))
    np.testing.assert_allclose(nearest[0, :3], angles, atol=1e-6)
    assert (x[0, 3:] == start[0, 3:]).all()
