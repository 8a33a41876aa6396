"""The real Pose2Sim, where ODAH_POSE2SIM_PYTHON names the Python of its environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from benchmark.known_motions import GROUND_TO_WORLD

from odah.benchmark.methods.multi_step import Keypoints, ProjectedTruth
from odah.benchmark.methods.pose2sim import Pose2Sim, find_environment
from odah.benchmark.methods.pose2sim.environment import PYTHON_VARIABLE
from odah.benchmark.model_motion import motion_of
from odah.benchmark.recording import Recording, View
from odah.osim import full_body_model, write_model
from odah.scene.camera import Camera, look_at

pytestmark = pytest.mark.skipif(
    PYTHON_VARIABLE not in os.environ, reason=f"{PYTHON_VARIABLE} names no environment with Pose2Sim"
)
NUM_FRAMES, RATE = 24, 30.0
SIMPLE = {"kinematics": {"use_simple_model": True}}


@dataclass(frozen=True)
class WithPasserby(ProjectedTruth):
    """Somebody comes first in the files of one view."""

    def keypoints(self, recording, view):
        alone = super().keypoints(recording, view)
        if view != "side":
            return alone
        pixels = np.concatenate([alone.pixels + np.array([170.0, 35.0]), alone.pixels], axis=1)
        return Keypoints(pixels, np.concatenate([alone.confidence, alone.confidence], axis=1))


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Lifts the right leg and turns a little; the side view has a lens."""
    model = full_body_model()
    path = tmp_path_factory.mktemp("truth") / "truth.osim"
    write_model(model, path)
    values = np.tile([c.default for c in model.coordinates], (NUM_FRAMES, 1))
    phase = np.linspace(0, np.pi, NUM_FRAMES)
    for name, rad in {"hip_flexion_r": 0.6, "knee_angle_r": 0.9, "elbow_flex_l": 0.7}.items():
        values[:, model.coordinate_names.index(name)] += rad * np.sin(phase) ** 2
    values[:, model.coordinate_names.index("pelvis_rotation")] = 0.4 + 0.3 * phase
    times = np.arange(NUM_FRAMES) / RATE
    factors = np.ones((len(model.body_names), 3))
    places = {"front": (4.2, -2.0, 1.2), "side": (1.2, 4.5, 1.0)}
    views = {}
    for name, place in places.items():
        camera = Camera.from_lens(name, look_at(place, (0.0, 0.0, 0.9)), 1280, 960)
        if name == "side":
            camera = replace(camera, distortion=(-0.12, 0.05, 0.002, -0.001))
        views[name] = View(camera, Path(f"{name}.mp4"), np.arange(NUM_FRAMES))
    truth = motion_of(model, values, times, path, factors)
    return Recording(
        "set", "lift", "s", "lifting", RATE, NUM_FRAMES, views, GROUND_TO_WORLD, lambda: truth, 1.8, 75.0
    )


@pytest.mark.parametrize("source", [ProjectedTruth("body_25"), WithPasserby("halpe_26")])
def test_true_keypoints_give_nearly_the_true_motion(filmed, source, tmp_path):
    method = Pose2Sim("p", source, find_environment(), settings=SIMPLE)
    motion = method.estimate(filmed, ("front", "side"), tmp_path)
    truth = filmed.truth
    assert np.isfinite(motion.coordinates[:-1]).all()
    assert np.isnan(motion.coordinates[-1]).all()  # which its filter drops
    for name in ("walker_knee_r", "ankle_l", "ground_pelvis"):
        told = motion.joints[:-1, motion.joint_names.index(name)]
        np.testing.assert_allclose(told, truth.joints[:-1, truth.joint_names.index(name)], atol=0.04)
    for name, most_deg in {"knee_angle_r": 10, "hip_adduction_l": 6, "pelvis_rotation": 4}.items():
        told = motion.coordinates[:-1, motion.coordinate_names.index(name)]
        true = truth.coordinates[:-1, truth.coordinate_names.index(name)]
        assert np.rad2deg(np.abs(told - true)).max() < most_deg, name


def test_opencaps_markers_are_added(filmed, tmp_path):
    method = Pose2Sim("p", ProjectedTruth("body_25"), find_environment(), augment=True, settings=SIMPLE)
    motion = method.estimate(filmed, ("front", "side"), tmp_path)
    assert "r_knee_study" in (tmp_path / "keypoints.trc").read_text()
    k = motion.joint_names.index("walker_knee_r")
    true = filmed.truth.joints[:-1, filmed.truth.joint_names.index("walker_knee_r")]
    assert np.linalg.norm(motion.joints[:-1, k] - true, axis=-1).mean() < 0.06
