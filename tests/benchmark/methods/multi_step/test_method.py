"""The whole baseline on exact keypoints, and how noise spoils it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from odah.benchmark.methods.multi_step import MultiStep, MultiStepSettings, Noise, ProjectedTruth
from odah.errors import InputError, OdahError
from odah.motion.trc import read_trc
from odah.osim import read_model
from odah.osim.storage import read_coordinates

EXACT = MultiStepSettings(cutoff=None, keypoint_noise=2e-4, determined_within_deg=0.25)
VIEWS = ("front", "side")


@pytest.fixture(scope="module")
def exact(filmed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exact")
    recording = filmed(10, 4)
    motion = MultiStep("multi-step", ProjectedTruth("body_25"), EXACT).estimate(recording, VIEWS, folder)
    return recording, motion, folder, json.loads((folder / "multi_step.json").read_text())


def test_exact_keypoints_give_the_true_angles_that_they_determine(exact):
    recording, motion, _, report = exact
    assert motion.coordinate_names == recording.truth.coordinate_names
    errors = np.rad2deg(np.abs(motion.coordinates - recording.truth.coordinates)).max(axis=0)
    errors = dict(zip(motion.coordinate_names, errors, strict=True))
    determined = {name for name in errors if name not in report["undetermined"]}
    assert max(errors[name] for name in determined) < 0.5, {name: errors[name] for name in determined}
    sides = {f"{name}_{side}" for side in "rl" for name in ("hip_adduction", "hip_rotation", "knee_angle")}
    assert sides | {"lumbar_bending", "lumbar_rotation", "arm_add_r", "subtalar_angle_l"} <= determined
    # A wrist turns with the forearm about an axis near it, and no keypoint is beyond it; two hips do not tell
    # a tilt.
    beyond = {f"{name}_{side}" for side in "rl" for name in ("wrist_flex", "wrist_dev")}
    assert {name for name, value in report["undetermined"].items() if value is None} == beyond
    assert {"pro_sup_r", "pro_sup_l", "pelvis_tilt", "lumbar_extension"} <= report["undetermined"].keys()


def test_exact_keypoints_give_the_true_places_and_bones(exact):
    recording, motion, _, report = exact
    truth = recording.truth
    assert report["reprojection_error_px"] < 1e-3
    assert report["triangulated_share"] == 1
    for name in ("walker_knee_l", "ankle_r", "acromial_l"):
        k = truth.joint_names.index(name)
        np.testing.assert_allclose(motion.joints[:, k], truth.joints[:, k], atol=3e-3)
    femur = truth.body_names.index("femur_l")
    assert motion.scale_factors[femur, 1] == pytest.approx(truth.scale_factors[femur, 1], rel=0.01)


def test_what_is_written_is_what_is_told(exact):
    recording, motion, folder, _ = exact
    names = {path.name for path in folder.iterdir()}
    assert names == {"model.osim", "kinematics.mot", "keypoints.trc", "multi_step.json"}
    model = read_model(motion.model)
    coordinates = read_coordinates(folder / "kinematics.mot", model)
    np.testing.assert_allclose(coordinates.values, motion.coordinates, atol=1e-8)
    points = read_trc(folder / "keypoints.trc")
    assert points.names == ProjectedTruth("body_25").keypoint_set.names
    assert points.num_frames == recording.num_frames


def test_errors_grow_with_the_noise(filmed, tmp_path):
    recording = filmed(8, 4)
    settings = MultiStepSettings(cutoff=None, num_frames=8)
    means = []
    for sigma_mm in (0.0, 10.0, 30.0, 50.0):
        source = ProjectedTruth("body_25", Noise(sigma_mm=sigma_mm))
        folder = tmp_path / f"{sigma_mm:.0f}"
        folder.mkdir()
        motion = MultiStep("multi-step", source, settings).estimate(recording, VIEWS, folder)
        errors = np.rad2deg(np.abs(motion.coordinates - recording.truth.coordinates))
        told = [not name.startswith(("wrist", "pro_sup", "pelvis_t")) for name in motion.coordinate_names]
        means.append(errors[:, told].mean())
    assert means == sorted(means)
    assert means[0] < 2 < means[-1]


def test_facts_are_json_and_tell_settings_apart():
    one = MultiStep("a", ProjectedTruth("body_25"))
    other = MultiStep("a", ProjectedTruth("body_25", Noise(sigma_mm=10.0)))
    assert json.dumps(dict(one.facts)) != json.dumps(dict(other.facts))
    assert one.facts["cutoff"] == 6.0
    assert one.facts["keypoints"]["set"] == "body_25"


def test_one_view_or_an_impossible_cutoff_is_refused(filmed, tmp_path):
    recording = filmed()
    with pytest.raises(InputError, match="views: found front, expected two"):
        MultiStep("m", ProjectedTruth()).estimate(recording, ("front",), tmp_path)
    fast = MultiStep("m", ProjectedTruth(), MultiStepSettings(cutoff=15.0))
    with pytest.raises(InputError, match="cutoff: found 15 Hz"):
        fast.estimate(recording, VIEWS, tmp_path)
    strict = MultiStepSettings(max_error_px=1)
    unseen = MultiStep("m", ProjectedTruth("body_25", Noise(sigma_px=1e4)), strict)
    with pytest.raises(OdahError):
        unseen.estimate(recording, VIEWS, tmp_path)
    assert not list(tmp_path.iterdir())
