"""Position errors against hand-worked cases, scipy's Procrustes analyses and what must not matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from odah.benchmark.metrics.positions import (
    aligned,
    mpblpe,
    mpjpe,
    mpjve,
    mv_points,
    pa_mpjpe,
    pa_mpjve,
)

NAN = np.nan
SEEDS = st.integers(0, 2**31)


def people(seed: int, noise: float = 0.2) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """An estimate, (4, 22, 3), and the truth."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(4, 22, 3))
    return true + noise * rng.normal(size=true.shape), true, rng


def turned(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Otherwise in each frame."""
    turns = Rotation.random(len(points), random_state=rng).as_matrix()
    return points @ turns


def test_mpjpe_by_hand() -> None:
    true = np.array([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]] * 2)
    estimated = true + np.array([5.0, 6.0, 7.0])  # the root's place does not matter
    estimated[0, 1] += [3.0, 0, 4.0]
    estimated[1, 2] += [0, 0, 1.0]
    np.testing.assert_allclose(mpjpe(estimated, true, root=0).values, [0, 2.5, 0.5], atol=1e-9)
    # Told from joint 1, its error is everybody's.
    np.testing.assert_allclose(mpjpe(estimated, true, root=1).values[1], 0, atol=1e-9)
    np.testing.assert_allclose(mpjpe(estimated, true, root=1).values[0], 2.5, atol=1e-9)


def test_mpblpe_tells_landmarks_from_a_root_that_is_none_of_them() -> None:
    true, root = np.zeros((1, 2, 3)), np.array([[0.0, 1.0, 0.0]])
    estimated = np.array([[[0.3, 0.0, 0.4], [0.0, 2.0, 0.0]]])
    found = mpblpe(estimated, true, root + np.array([0.0, 1.0, 0.0]), root)
    np.testing.assert_allclose(found.values, [np.sqrt(1.25), 1.0], atol=1e-9)


@given(SEEDS, st.floats(0.2, 5))
def test_a_moved_turned_and_stretched_copy_is_aligned_exactly(seed: int, stretch: float) -> None:
    _, true, rng = people(seed)
    copy = stretch * turned(true, rng) + rng.normal(size=(4, 1, 3))
    np.testing.assert_allclose(aligned(copy, true), true, atol=1e-9)
    np.testing.assert_allclose(pa_mpjpe(copy, true).values, 0, atol=1e-9)


@given(SEEDS, st.floats(0.2, 5))
def test_pa_mpjpe_forgives_place_turn_and_size_of_the_estimate(seed: int, stretch: float) -> None:
    estimated, true, rng = people(seed)
    other = stretch * turned(estimated, rng) + rng.normal(size=(4, 1, 3))
    np.testing.assert_allclose(pa_mpjpe(other, true).values, pa_mpjpe(estimated, true).values, atol=1e-9)


@given(SEEDS, st.floats(0.2, 5))
def test_pa_mpjpe_turns_with_the_world_and_grows_with_the_person(seed: int, size: float) -> None:
    estimated, true, rng = people(seed)
    turn = Rotation.random(random_state=rng).as_matrix()
    found = pa_mpjpe(estimated, size * (true @ turn) + 3.0)
    np.testing.assert_allclose(found.values, size * pa_mpjpe(estimated, true).values, atol=1e-9)


@given(SEEDS)
def test_alignment_is_scipys_where_no_reflection_is_better(seed: int) -> None:
    estimated, true, rng = people(seed)
    estimated = turned(estimated, rng)
    found = aligned(estimated, true)
    for each, target, result in zip(estimated, true, found, strict=True):
        shape, true_shape = each - each.mean(0), target - target.mean(0)
        turn, strength = orthogonal_procrustes(shape, true_shape)
        expected = strength / np.square(shape).sum() * shape @ turn + target.mean(0)
        np.testing.assert_allclose(result, expected, atol=1e-9)
        _, _, disparity = procrustes(target, each)  # of shapes of size 1
        expected_rest = disparity * np.square(true_shape).sum()
        assert np.square(result - target).sum() == pytest.approx(expected_rest, abs=1e-9)


@given(SEEDS)
def test_a_reflection_is_not_forgiven(seed: int) -> None:
    """Left taken for right has to cost; of all proper rotations none does better than the one found."""
    _, true, rng = people(seed)
    mirrored = true * [1.0, 1.0, -1.0]
    found = aligned(mirrored, true)
    assert pa_mpjpe(mirrored, true).values.mean() > 0.1
    best = np.square(found[0] - true[0]).sum()
    shape, target = mirrored[0] - mirrored[0].mean(0), true[0] - true[0].mean(0)
    tried = shape @ Rotation.random(50, random_state=rng).as_matrix()
    stretches = np.maximum((tried * target).sum((1, 2)) / np.square(shape).sum(), 0)
    assert (np.square(stretches[:, None, None] * tried - target).sum((1, 2)) >= best - 1e-9).all()
    # It is scipy's with the least strong direction turned back.
    u, strengths, vh = np.linalg.svd(shape.T @ target)
    flip = np.diag([1, 1, np.linalg.det(u) * np.linalg.det(vh)])
    scale = (strengths * np.diag(flip)).sum() / np.square(shape).sum()
    np.testing.assert_allclose(found[0], scale * shape @ u @ flip @ vh + true[0].mean(0), atol=1e-9)


def test_left_taken_for_right_costs_though_the_points_are_the_same() -> None:
    left_and_right = np.array([[[0, 0, 0], [0, 1, 0], [0.2, 0, -1], [0.1, 0, 1], [0.3, 0.4, 0]]], dtype=float)
    swapped = left_and_right[:, [0, 1, 3, 2, 4]]
    assert pa_mpjpe(swapped, left_and_right).values.mean() > 0.1


def test_points_that_all_coincide_are_put_on_the_true_centre() -> None:
    _, true, _ = people(4)
    found = aligned(np.ones_like(true), true)
    np.testing.assert_allclose(found, np.broadcast_to(true.mean(1, keepdims=True), true.shape), atol=1e-12)


def test_velocity_errors_by_hand() -> None:
    true = np.zeros((4, 2, 3))
    true[:, :, 0] = np.arange(4)[:, None]  # both joints travel together
    estimated = true.copy()
    estimated[2:, 1] += [0, 0.3, 0.4]  # a jump between frames 1 and 2
    found = mpjve(estimated, true, rate=20.0, root=0)
    np.testing.assert_allclose(found.values, [0, 10 / 3], atol=1e-9)
    assert found.num_frames.tolist() == [3, 3]
    np.testing.assert_allclose(mpjve(estimated + 9, true, 20.0, root=0).values, found.values, atol=1e-9)


@given(SEEDS)
def test_velocities_with_alignment_forgive_what_changes_from_frame_to_frame(seed: int) -> None:
    _, true, rng = people(seed)
    jumping = turned(true, rng) * rng.uniform(0.5, 2, size=(4, 1, 1))
    np.testing.assert_allclose(pa_mpjve(jumping, true, 30.0).values, 0, atol=1e-7)
    assert (mpjve(jumping, true, 30.0, root=0).values[1:] > 1).all()


def test_velocities_with_alignment_are_those_of_the_aligned_points() -> None:
    estimated, true, _ = people(6)
    apart = aligned(estimated, true) - true
    expected = 25.0 * np.linalg.norm(np.diff(apart, axis=0), axis=-1).mean(0)
    np.testing.assert_allclose(pa_mpjve(estimated, true, 25.0).values, expected, atol=1e-9)


def test_the_mean_speed_of_points_by_hand() -> None:
    points = np.zeros((3, 1, 3))
    points[1:, 0] = [[0.3, 0.4, 0], [0.3, 0.4, 0.1]]
    np.testing.assert_allclose(mv_points(points, 10.0).values, 3.0, atol=1e-9)


def test_a_missing_joint_fails_for_itself_and_a_missing_root_for_all() -> None:
    estimated, true, _ = people(7)
    estimated[0, 3], estimated[1, 0] = NAN, NAN
    found = mpjpe(estimated, true, root=0)
    assert found.num_frames.tolist() == [4] * 22
    assert found.num_failed.tolist() == [2 if joint == 3 else 1 for joint in range(22)]
    assert np.isfinite(found.values).all()


def test_alignment_needs_all_points() -> None:
    estimated, true, _ = people(8)
    whole = pa_mpjpe(estimated[2:], true[2:])
    estimated[0, 3, 1], true[1, 5, 2] = NAN, NAN
    found = pa_mpjpe(estimated, true)
    np.testing.assert_allclose(found.values, whole.values, atol=1e-12)
    assert found.num_frames.tolist() == [3] * 22  # the truth of frame 1 is not known
    assert found.num_failed.tolist() == [1] * 22
    velocities = pa_mpjve(estimated, true, 1.0)
    assert velocities.num_frames.tolist() == [1] * 22
    assert velocities.num_failed.tolist() == [0] * 22


def test_a_method_that_fails_altogether_fails_in_every_frame() -> None:
    _, true, _ = people(9)
    nothing = np.full_like(true, NAN)
    for found in (mpjpe(nothing, true, 0), pa_mpjpe(nothing, true)):
        assert np.isnan(found.values).all()
        assert found.num_failed.tolist() == [4] * 22
