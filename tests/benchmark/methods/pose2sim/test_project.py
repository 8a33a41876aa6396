"""The files of a trial, read back by odah's own readers."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import numpy as np
import pytest
from benchmark.known_motions import recording

from odah.benchmark.methods.multi_step import JsonKeypoints, Keypoints, keypoint_set
from odah.benchmark.methods.pose2sim.project import write_project
from odah.motion.types import R_WORLD_GROUND
from odah.scene.calibration import load_cameras
from odah.scene.camera import Camera, look_at

SET = keypoint_set("coco_133")
VIEWS = ("b", "a")
CONFIG = {"project": {"frame_rate": 20}, "filtering": {"type": "butterworth"}}


@pytest.fixture
def filmed():
    """View a through a lens; ground is neither at the world's origin nor along its axes."""
    made = recording()
    T = np.eye(4)
    T[:3, :3] = R_WORLD_GROUND @ np.array([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]])
    T[:3, 3] = (0.3, -0.1, 0.2)
    views = dict(made.views)
    aside = look_at((-3.4, -2.2, 1.6), (0.0, 0.0, 1.0))
    views["b"] = replace(views["b"], camera=Camera.from_lens("b", aside, 640, 480))
    views["a"] = replace(
        views["a"], camera=replace(views["a"].camera, distortion=(-0.2, 0.05, 0.003, -0.002))
    )
    return replace(made, views=views, T_world_ground=T)


def ground_points(count: int = 6) -> np.ndarray:
    """(T, N, M, 3) ground."""
    rng = np.random.default_rng(5)
    return np.array([0.0, 1.0, 0.0]) + rng.uniform(-0.5, 0.5, (count, 2, len(SET.names), 3))


def seen(filmed, view: str) -> Keypoints:
    T = filmed.T_world_ground
    pixels = filmed.views[view].camera.project(ground_points() @ T[:3, :3].T + T[:3, 3])
    confidence = np.random.default_rng(1).uniform(0.4, 1, pixels.shape[:-1])
    pixels[2, 1], confidence[2, 1] = np.nan, 0  # nobody else in frame 2
    pixels[4, 0, 3], confidence[4, 0, 3] = np.nan, 0
    return Keypoints(pixels, confidence)


@pytest.fixture
def project(filmed, tmp_path):
    folder = tmp_path / "trial"
    write_project(folder, filmed, VIEWS, [seen(filmed, view) for view in VIEWS], SET, CONFIG)
    return folder


def test_cameras_see_ground_as_theirs_do(filmed, project):
    cameras = load_cameras(project / "calibration" / "Calib.toml")
    assert [camera.name for camera in cameras] == list(VIEWS)
    ground = ground_points()
    theirs = ground[..., [2, 0, 1]]
    np.testing.assert_array_equal(theirs[..., [1, 2, 0]], ground)  # their step to y up
    T = filmed.T_world_ground
    for name, camera in zip(VIEWS, cameras, strict=True):
        pinhole = replace(filmed.views[name].camera, distortion=())
        np.testing.assert_allclose(
            camera.project(theirs), pinhole.project(ground @ T[:3, :3].T + T[:3, 3]), atol=1e-6
        )
        assert (camera.width, camera.height, camera.distortion) == (640, 480, (0.0,) * 4)


@pytest.mark.parametrize(("number", "view"), [(1, "b"), (2, "a")])
def test_keypoints_are_read_back_without_the_lens(filmed, project, number, view):
    source = JsonKeypoints(project, f"pose/cam{number:02d}_json", SET.name)
    read, given = source.keypoints(filmed, view), seen(filmed, view)
    T = filmed.T_world_ground
    pinhole = replace(filmed.views[view].camera, distortion=())
    expected = pinhole.project(ground_points() @ T[:3, :3].T + T[:3, 3])
    expected[given.confidence == 0] = np.nan
    np.testing.assert_allclose(read.pixels, expected, atol=1e-4)
    np.testing.assert_allclose(read.confidence, given.confidence)
    assert not read.notes


def test_the_config_is_as_given(project):
    assert tomllib.loads((project / "Config.toml").read_text(encoding="utf-8")) == CONFIG
    assert {path.name for path in project.iterdir()} == {"Config.toml", "calibration", "pose"}
