"""Pose2Sim as a method: what it is given and what becomes of its answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from benchmark.known_motions import known_motion, recording

from odah.benchmark.config import BenchmarkConfig
from odah.benchmark.methods.multi_step import Keypoints, keypoint_set
from odah.benchmark.methods.pose2sim import Pose2Sim, find_environment
from odah.benchmark.open import open_methods
from odah.errors import InputError, OdahError
from odah.motion.types import CoordinateTrajectory, Source
from odah.osim import full_body_model, write_model
from odah.osim.storage import write_mot

VIEWS = ("a", "b")
COPYING = """
here = Path(__file__).parent
for folder in ("pose-3d", "kinematics"):
    (project / folder).mkdir()
(project / "pose-3d" / "trial_0-5.trc").write_text("raw")
(project / "pose-3d" / "trial_0-5_filt.trc").write_text("filtered")
assert (project / "pose" / "cam02_json" / "cam02_000005.json").is_file()
for suffix in (".osim", ".mot"):
    shutil.copyfile(here / f"answer{suffix}", project / "kinematics" / f"trial_0-5_filt{suffix}")
"""


@dataclass
class Somebody:
    """Keypoints in the middle of every picture, of some people."""

    people: int = 1
    place_deviation: float = 0.0
    set_name: str = "body_25"

    @property
    def keypoint_set(self):
        return keypoint_set(self.set_name)

    @property
    def facts(self):
        return {"source": "somebody"}

    def keypoints(self, recording, view):
        shape = (recording.num_frames, self.people, len(self.keypoint_set.names))
        return Keypoints(np.full((*shape, 2), 200.0), np.full(shape, 0.9), ("seen in fog",))


def answering(python: Path, first: int = 1, count: int = 4) -> None:
    """Has the program answer with these frames of the truth."""
    model = full_body_model()
    write_model(model, python.parent / "answer.osim")
    values = known_motion().coordinates[first : first + count]
    source = Source("trial", "test")
    trajectory = CoordinateTrajectory(model.coordinate_names, values, 20.0, source, start_time=first / 20)
    write_mot(python.parent / "answer.mot", trajectory, model)


def test_its_answer_becomes_a_motion_with_gaps_where_it_says_nothing(pretender, tmp_path):
    python = pretender(COPYING)
    answering(python)
    folder = tmp_path / "out"
    folder.mkdir()
    motion = Pose2Sim("p", Somebody(), find_environment(python)).estimate(recording(), VIEWS, folder)
    truth = recording().truth
    assert motion.coordinate_names == truth.coordinate_names
    np.testing.assert_allclose(motion.coordinates[1:5], truth.coordinates[1:5], atol=1e-6)
    np.testing.assert_allclose(motion.joints[1:5], truth.joints[1:5], atol=1e-6)
    assert np.isnan(motion.coordinates[[0, 5]]).all()
    assert np.isnan(motion.joints[[0, 5]]).all()
    np.testing.assert_allclose(motion.times, truth.times)
    assert motion.model == folder / "model.osim"
    assert (folder / "keypoints.trc").read_text() == "filtered"
    assert (folder / "pose2sim.log").read_text() == "asked for triangulation filtering kinematics\n"
    report = json.loads((folder / "pose2sim.json").read_text())
    assert report["frames_left_out"] == [0, 5]
    assert report["notes"][:2] == ["a: seen in fog", "b: seen in fog"]
    names = {"model.osim", "kinematics.mot", "keypoints.trc", "Config.toml", "pose2sim.log", "pose2sim.json"}
    assert {path.name for path in folder.iterdir()} == names


def test_people_are_told_apart_and_markers_added_where_wanted(pretender, tmp_path):
    python = pretender(COPYING)
    answering(python)
    Pose2Sim("p", Somebody(2), find_environment(python), augment=True).estimate(recording(), VIEWS, tmp_path)
    steps = "personAssociation triangulation filtering markerAugmentation kinematics"
    assert (tmp_path / "pose2sim.log").read_text() == f"asked for {steps}\n"
    assert '"use_augmentation" = true' in (tmp_path / "Config.toml").read_text()


def test_frames_of_another_recording_are_refused(pretender, tmp_path):
    python = pretender(COPYING)
    answering(python)
    method = Pose2Sim("p", Somebody(), find_environment(python))
    with pytest.raises(OdahError, match=r"4 frames of 0.050 to 0.200 s for 6 at 60 Hz"):
        method.estimate(replace(recording(), rate=60.0), VIEWS, tmp_path)


def test_failure_and_silence_are_told(pretender, tmp_path):
    failing = Pose2Sim("p", Somebody(), find_environment(pretender("sys.exit('calibration missing')")))
    with pytest.raises(OdahError, match="Pose2Sim failed: calibration missing"):
        failing.estimate(recording(), VIEWS, tmp_path)
    with pytest.raises(InputError, match="views: found a, expected two at least"):
        failing.estimate(recording(), ("a",), tmp_path)
    silent = Pose2Sim("p", Somebody(), find_environment(pretender()))
    with pytest.raises(OdahError, match=r"wrote no \.trc file"):
        silent.estimate(recording(), VIEWS, tmp_path)
    slow = replace(silent, environment=find_environment(pretender("time.sleep(600)")), time_limit=1.0)
    with pytest.raises(OdahError, match=r"not done after 1 s"):
        slow.estimate(recording(), VIEWS, tmp_path)


def test_facts_tell_settings_and_versions_apart(pretender):
    environment = find_environment(pretender())
    one = Pose2Sim("p", Somebody(), environment).facts
    wanted = {"kinematics": {"use_simple_model": True}}
    other = Pose2Sim("p", Somebody(), environment, settings=wanted).facts
    assert json.loads(json.dumps(dict(one))) == one
    assert one["pose2sim"] == "9.8.7"
    assert one["config"] != other["config"]
    assert other["settings"] == wanted
    assert one["config"] != Pose2Sim("p", Somebody(), environment, augment=True).facts["config"]


def test_mistakes_are_told_before_anything_runs(pretender):
    environment = find_environment(pretender())
    with pytest.raises(InputError, match=r"settings\.kinematics\.simple: found a setting unknown"):
        Pose2Sim("p", Somebody(), environment, settings={"kinematics": {"simple": 1}})
    with pytest.raises(InputError, match="found None"):
        Pose2Sim("p", Somebody(), environment, settings={"triangulation": {"min_chunk_size": None}})
    with pytest.raises(InputError, match="'anatomical'"):
        Pose2Sim("p", Somebody(set_name="anatomical"), environment)


def test_a_config_names_its_environment(pretender, tmp_path):
    settings = {"kinematics": {"use_simple_model": True}}
    theirs = {"kind": "pose2sim", "python": str(pretender()), "augment": True, "settings": settings}
    data = {"own": {"kind": "odah", "path": "data"}}
    config = BenchmarkConfig.model_validate({"name": "b", "datasets": data, "methods": {"theirs": theirs}})
    (method,) = open_methods(config, {})
    assert method.facts["augment"] is True
    assert method.facts["settings"] == settings
    assert method.facts["keypoints"]["set"] == "body_25"
    theirs["python"] = str(tmp_path / "nowhere")
    config = BenchmarkConfig.model_validate({"name": "b", "datasets": data, "methods": {"theirs": theirs}})
    with pytest.raises(InputError, match=r"methods\.theirs\.python: found .*nowhere, which is no program"):
        open_methods(config, {})
