"""Keypoints from the truth, and their noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from odah.benchmark.methods.multi_step.projected_truth import Noise, ProjectedTruth, true_keypoints
from odah.errors import InputError, OdahError


def test_hips_are_the_true_joints_in_the_picture(filmed):
    recording = filmed()
    source = ProjectedTruth("body_25")
    truth, names = recording.truth, source.keypoint_set.names
    for view in recording.views:
        seen = source.keypoints(recording, view)
        T = recording.T_world_ground
        hip = truth.joints[:, truth.joint_names.index("hip_l")] @ T[:3, :3].T + T[:3, 3]
        pixels = recording.views[view].camera.project(hip)
        np.testing.assert_allclose(seen.pixels[:, 0, names.index("LHip")], pixels, atol=1e-6)
        assert (seen.confidence == 1).all()


def test_factors_may_be_read_off_the_model(filmed):
    truth = filmed().truth
    points = ProjectedTruth("body_25").keypoint_set
    anonymous = replace(truth, scale_factors=None, body_names=())
    np.testing.assert_allclose(true_keypoints(anonymous, points), true_keypoints(truth, points), atol=0.02)


def test_noise_has_its_size_and_is_the_recordings_own(filmed):
    recording = filmed(30, 1)
    exact = ProjectedTruth("body_25").keypoints(recording, "front").pixels

    def noise(named=recording, view="front", **settings):
        noisy = ProjectedTruth("body_25", Noise(**settings)).keypoints(named, view)
        exact = ProjectedTruth("body_25").keypoints(named, view)
        return noisy.pixels - exact.pixels

    assert np.std(noise(sigma_px=3.0)) == pytest.approx(3.0, rel=0.06)
    depth = 4.5  # m
    across = 0.03 * recording.views["front"].camera.K[0, 0] / depth
    assert np.std(noise(sigma_mm=30.0)) == pytest.approx(across, rel=0.1)
    np.testing.assert_array_equal(noise(sigma_px=3.0), noise(sigma_px=3.0))
    np.testing.assert_allclose(noise(sigma_px=6.0), 2 * noise(sigma_px=3.0), atol=1e-9)
    others = [
        noise(sigma_px=3.0, seed=1),
        noise(sigma_px=3.0, view="side"),
        noise(filmed(30, 1, name="sub1_other"), sigma_px=3.0),
    ]
    for other in others:
        assert abs(np.corrcoef(other.ravel(), noise(sigma_px=3.0).ravel())[0, 1]) < 0.15
    assert exact.shape == (30, 1, 25, 2)


def test_noise_may_last():
    noise = Noise(sigma_px=1.0, correlation_time=0.2)
    deviates = noise.deviates((4000, 20), 30.0, np.random.default_rng(3))
    assert deviates.std() == pytest.approx(1, rel=0.03)
    lagged = np.mean(deviates[6:] * deviates[:-6])  # 0.2 s
    assert lagged == pytest.approx(np.exp(-1), abs=0.03)


def test_what_the_camera_does_not_show_is_not_seen(filmed):
    recording = filmed()
    view = recording.views["front"]
    narrow = replace(view.camera, width=500)
    recording = replace(recording, views={"front": replace(view, camera=narrow)})
    seen = ProjectedTruth("body_25").keypoints(recording, "front")
    assert 0 < (seen.confidence > 0).sum() < seen.confidence.size
    np.testing.assert_array_equal(np.isfinite(seen.pixels).all(-1), seen.confidence > 0)


def test_bad_noise_and_truths_without_a_model_are_refused(filmed):
    with pytest.raises(InputError, match="sigma_mm"):
        Noise(sigma_mm=-1.0)
    with pytest.raises(InputError, match="correlation_time"):
        Noise(correlation_time=np.nan)
    truth, points = filmed().truth, ProjectedTruth("body_25").keypoint_set
    with pytest.raises(OdahError, match="no OpenSim model"):
        true_keypoints(replace(truth, model=None), points)
    few = replace(truth, coordinates=truth.coordinates[:, 1:], coordinate_names=truth.coordinate_names[1:])
    with pytest.raises(OdahError, match="pelvis_tilt"):
        true_keypoints(few, points)
