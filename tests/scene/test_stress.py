"""Stress: what is asked for is done to the cameras, nothing else, and the calibration does not know all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.spatial.transform import Rotation

from odah.scene import Camera, look_at
from odah.scene.lens import LensMap
from odah.scene.stress import StressConfig, stressed

ALL = StressConfig(
    sync_offset=5, calibration_rotation_deg=2.0, calibration_position=0.03, calibration_focal=0.02,
    distortion=(-0.12, 0.1), rolling_shutter=0.01, exposure=1.0, crf=(20, 40),
)  # fmt: skip


def cameras_of(num: int = 3) -> tuple[Camera, ...]:
    return tuple(
        Camera.from_lens(f"view{i}", look_at([3.0, i + 0.5, 1.1], [0, 0, 0.9]), 320, 200) for i in range(num)
    )


def fields(cameras: tuple[Camera, ...]) -> list[dict]:
    return [camera.to_dict() for camera in cameras]


def test_without_stress_the_cameras_are_the_same_and_nothing_is_drawn():
    rng, cameras = np.random.default_rng(0), cameras_of()
    true, calibrated = stressed(rng, cameras, StressConfig())
    assert all(a is b is c for a, b, c in zip(cameras, true, calibrated, strict=True))
    assert rng.random() == np.random.default_rng(0).random()
    assert rng.spawn(1)[0].random() == np.random.default_rng(0).spawn(1)[0].random()


def test_the_same_generator_gives_the_same_stress_and_its_own_draws_stay():
    first, again, other = (stressed(np.random.default_rng(seed), cameras_of(), ALL) for seed in (1, 1, 2))
    assert [fields(cameras) for cameras in first] == [fields(cameras) for cameras in again]
    assert fields(first[0]) != fields(other[0])
    rng = np.random.default_rng(1)
    stressed(rng, cameras_of(), ALL)
    assert rng.random() == np.random.default_rng(1).random()


def test_one_kind_of_stress_does_not_change_the_draws_of_another():
    alone, _ = stressed(np.random.default_rng(3), cameras_of(), StressConfig(exposure=1.0))
    among, _ = stressed(np.random.default_rng(3), cameras_of(), ALL)
    assert [camera.exposure for camera in alone] == [camera.exposure for camera in among]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_everything_stays_in_its_range(seed):
    cameras = cameras_of()
    true, calibrated = stressed(np.random.default_rng(seed), cameras, ALL)
    assert true[0].frame_offset == 0
    for plain, camera, known in zip(cameras, true, calibrated, strict=True):
        assert abs(camera.frame_offset) <= 5
        assert 0 <= camera.readout <= 0.01
        assert abs(camera.exposure) <= 1
        assert camera.crf is not None
        assert 20 <= camera.crf <= 40
        np.testing.assert_array_equal(camera.T_world_cam, plain.T_world_cam)
        np.testing.assert_array_equal(camera.K, plain.K)
        assert (known.readout, known.frame_offset, known.exposure, known.crf) == (0, 0, 0, None)
        assert known.distortion == camera.distortion
        assert known.name == plain.name
        assert np.abs(known.position - plain.position).max() <= 0.03
        turn = Rotation.from_matrix(plain.T_world_cam[:3, :3].T @ known.T_world_cam[:3, :3]).as_rotvec()
        assert 0 < np.abs(np.rad2deg(turn)).max() <= 2.0 + 1e-9
        ratio = known.K[[0, 1], [0, 1]] / plain.K[[0, 1], [0, 1]]
        assert ratio[0] == pytest.approx(ratio[1])
        assert 0 < abs(ratio[0] - 1) <= 0.02
        np.testing.assert_array_equal(known.K[:2, 2], plain.K[:2, 2])


def test_both_signs_and_all_sizes_come_up():
    true, _ = stressed(np.random.default_rng(0), cameras_of(60), ALL)
    assert {camera.frame_offset for camera in true} == set(range(-5, 6))
    strengths = np.array([camera.distortion[0] for camera in true])
    assert strengths.min() < 0 < strengths.max()
    assert np.ptp([camera.exposure for camera in true]) > 1.7


@pytest.mark.parametrize("strength", [-0.14, -0.08, 0.2])
@pytest.mark.parametrize("focal_length_mm", [18.0, 33.0, 85.0])
def test_corners_move_by_the_share_asked_for_and_any_strength_makes_a_picture(strength, focal_length_mm):
    T = look_at([3.0, 0.5, 1.1], [0, 0, 0.9])
    plain = Camera.from_lens("front", T, 320, 200, focal_length_mm)
    config = StressConfig(distortion=(strength, strength))
    (camera,), (known,) = stressed(np.random.default_rng(0), [plain], config)
    assert fields((known,)) == fields((camera,))
    direction = np.linalg.inv(plain.K) @ [-0.5, -0.5, 1.0]
    corner = plain.T_world_cam[:3, :3] @ direction * 2 + plain.position
    middle = plain.K[:2, 2]
    moved = (camera.project(corner) - middle) / (plain.project(corner) - middle)
    np.testing.assert_allclose(moved, 1 + strength)
    assert LensMap.of(camera).pinhole.width >= 0.8 * plain.width


def test_a_lens_with_a_distortion_keeps_it():
    camera = replace(cameras_of(1)[0], distortion=(0.05, 0.0, 0.0, 0.0))
    (true,), _ = stressed(np.random.default_rng(0), [camera], ALL)
    assert true.distortion == camera.distortion


@pytest.mark.parametrize(
    "values",
    [
        {"distortion": (-0.2, 0)},
        {"distortion": (0.1, 0)},
        {"crf": (30, 20)},
        {"sync_offset": 1.5},
        {"blur": 1},
    ],
)
def test_stress_out_of_bounds_is_refused(values):
    with pytest.raises(ValidationError):
        StressConfig(**values)
