"""Calibration files: odah's JSON, OpenCV's YAML, Pose2Sim's TOML, and what is wrong with damaged ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from odah.errors import InputError
from odah.scene import Camera, look_at
from odah.scene.calibration import load_cameras, save_cameras

TOML = """\
[int_cam01_img]
name = "int cam-01.img"
size = [ 1088.0, 1920.0]
matrix = [ [ 1681.2, 0.0, 532.9], [ 0.0, 1679.1, 948.1], [ 0.0, 0.0, 1.0]]
distortions = [ -0.046, 0.139, 0.0006, 0.0007]
rotation = [ 0.95, 1.2, -1.1]
translation = [ -1.2, 0.3, 3.1]
fisheye = false

[cam_2]
port = 2
size = [ 1280, 720]
matrix = [ [ 900.0, 0.0, 640.0], [ 0.0, 900.0, 360.0], [ 0.0, 0.0, 1.0]]
distortions = [ 0.1, 0.0, 0.0, 0.0, 0.02]
rotation = [ [ 0.0, 1.0, 0.0], [ 0.0, 0.0, -1.0], [ -1.0, 0.0, 0.0]]
translation = [ 0.1, 0.9, 3.0]

[cam_3]
ignore = true
size = [ 1280, 720]

[charuco]
columns = 4
rows = 5

[metadata]
adjusted = false
error = 0.0
"""

LAUGHS = "l0: &l0 [1, 1]\n" + "".join(
    f"l{i}: &l{i} [*l{i - 1}, *l{i - 1}, *l{i - 1}]\n" for i in range(1, 60)
)
LAUGHS += "size: [9, 9]\nK: *l59\n"

ONE = {
    "name": "a",
    "K": [[500, 0, 320], [0, 510, 240], [0, 0, 1]],
    "T_world_cam": np.eye(4).tolist(),
    "width": 640,
    "height": 480,
    "distortion": [0.1, -0.05, 0.001, 0.002],
}


def written(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def cameras_of() -> tuple[Camera, ...]:
    front = Camera.from_lens("front", look_at([3.0, 0.5, 1.1], [0, 0, 0.9]), 1080, 720)
    side = Camera.from_lens("side", look_at([0.2, -4.0, 1.3], [0, 0, 1.0]), 640, 480, 50.0)
    K = side.K.copy()
    K[1, 1] *= 1.02
    return front, replace(side, K=K, distortion=(-0.1, 0.02, 0.001, -0.002, 0.003))


def test_saved_cameras_come_back(tmp_path):
    cameras = cameras_of()
    save_cameras(tmp_path / "cameras.json", cameras)
    for saved, loaded in zip(cameras, load_cameras(tmp_path / "cameras.json"), strict=True):
        assert (loaded.name, loaded.width, loaded.height) == (saved.name, saved.width, saved.height)
        assert loaded.distortion == saved.distortion
        np.testing.assert_allclose(loaded.K, saved.K)
        np.testing.assert_allclose(loaded.T_world_cam, saved.T_world_cam, atol=1e-12)
        lens = loaded.focal_length_mm / loaded.sensor_width_mm * loaded.width
        assert lens == pytest.approx(loaded.K[0, 0])


def test_pose2sim_and_caliscope_toml_project_as_opencv_does(tmp_path):
    first, second = load_cameras(written(tmp_path / "Calib.toml", TOML))
    assert (first.name, first.width, first.height) == ("int_cam_01_img", 1088, 1920)
    assert (second.name, second.distortion) == ("cam_2", (0.1, 0, 0, 0, 0.02))
    points = np.random.default_rng(0).uniform(-0.4, 0.4, size=(9, 3))
    for camera, rotvec, t in [
        (first, np.array([0.95, 1.2, -1.1]), [-1.2, 0.3, 3.1]),
        (second, cv2.Rodrigues(np.array([[0.0, 1, 0], [0, 0, -1], [-1, 0, 0]]))[0], [0.1, 0.9, 3.0]),
    ]:
        expected, _ = cv2.projectPoints(points, rotvec, np.array(t), camera.K, np.array(camera.distortion))
        np.testing.assert_allclose(camera.project(points), expected[:, 0], atol=1e-6)
    # A camera that looks along the file's -x, with its z upwards, stands upright on the positive side.
    np.testing.assert_allclose(second.T_world_cam[:3, 2], [-1, 0, 0], atol=1e-9)
    np.testing.assert_allclose(second.position, [3.0, -0.1, 0.9], atol=1e-9)


def test_yaml_written_by_opencv(tmp_path):
    path = tmp_path / "left cam.yml"
    R = Rotation.from_rotvec([0.3, -1.0, 0.8]).as_matrix()
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write("image_width", 640)
    storage.write("image_height", 480)
    storage.write("camera_matrix", np.array([[500.0, 0, 320], [0, 510, 240], [0, 0, 1]]))
    storage.write("distortion_coefficients", np.array([[0.1, -0.05, 0.001, 0.002, 0.0]]))
    storage.write("R", R)
    storage.write("T", np.array([[0.1], [0.2], [3.0]]))
    storage.release()
    (camera,) = load_cameras(path)
    assert camera.name == "left_cam"
    assert camera.distortion == (0.1, -0.05, 0.001, 0.002, 0.0)
    np.testing.assert_allclose(camera.T_cam_world[:3, :3], R, atol=1e-9)
    np.testing.assert_allclose(camera.T_cam_world[:3, 3], [0.1, 0.2, 3.0], atol=1e-9)


def test_a_list_of_cameras_in_yaml_needs_no_opencv(tmp_path):
    record = """\
cameras:
  - name: 7th
    camera_matrix: {rows: 3, cols: 3, data: [500, 0, 320, 0, 510, 240, 0, 0, 1]}
    image_width: 640
    image_height: 480
    rotation: [0.0, 0.0, 0.5]
    translation: [0, 0, 3]
"""
    (camera,) = load_cameras(written(tmp_path / "a.yaml", record))
    assert camera.name == "view_7th"
    assert camera.distortion == ()
    assert camera.K[1, 2] == 240


@pytest.mark.parametrize("up", ["x", "y", "z", "-x", "-y", "-z"])
def test_the_axis_that_points_up_becomes_z_and_nothing_is_mirrored(tmp_path, up):
    save_cameras(tmp_path / "a.json", cameras_of())
    (plain, _), (turned, _) = load_cameras(tmp_path / "a.json"), load_cameras(tmp_path / "a.json", up)
    T = turned.T_world_cam @ plain.T_cam_world
    axis = np.eye(3)["xyz".index(up[-1])] * (-1 if up[0] == "-" else 1)
    np.testing.assert_allclose(T[:3, :3] @ axis, [0, 0, 1], atol=1e-9)
    assert np.linalg.det(T[:3, :3]) == pytest.approx(1)
    np.testing.assert_allclose(T[:3, 3], 0, atol=1e-9)


def test_y_up_is_turned_as_opensims_ground_is(tmp_path):
    save_cameras(tmp_path / "a.json", cameras_of())
    (plain, _), (turned, _) = load_cameras(tmp_path / "a.json"), load_cameras(tmp_path / "a.json", "y")
    x, y, z = plain.position
    np.testing.assert_allclose(turned.position, [x, -z, y])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"K": [[500, 0], [0, 500]]}, r"camera a, K: found .*, expected finite numbers, 3 x 3"),
        ({"K": [[500, 5, 320], [0, 510, 240], [0, 0, 1]]}, r"camera a, K: .*\[\[fx, 0, cx\]"),
        ({"K": [[-500, 0, 320], [0, 510, 240], [0, 0, 1]]}, "two positive numbers"),
        ({"K": [["500", 0, 320], [0, 510, 240], [0, 0, 1]]}, "camera a, K"),
        ({"K": None}, "camera a, K: found nothing"),
        ({"T_world_cam": np.diag([1, 1, -1, 1]).tolist()}, "expected a rotation"),
        ({"T_world_cam": np.diag([2.0, 1, 1, 1]).tolist()}, "expected a rotation"),
        ({"T_world_cam": (np.eye(4) + np.eye(4)[::-1]).tolist()}, "camera a, T_world_cam"),
        ({"T_world_cam": None}, "camera a, R: found nothing"),
        ({"T_world_cam": None, "R": [0, 0, 1.0]}, "camera a, t: found nothing"),
        ({"width": 640.5}, "camera a, size.*whole numbers"),
        ({"width": True}, "camera a, width: found True"),
        ({"height": 0}, "camera a, size"),
        ({"width": 10**400}, "camera a, width"),
        ({"distortion": [0.1, 0.2]}, "camera a, distortion"),
        ({"distortion": [0.1] * 8}, "k1, k2, p1, p2 and k3 only"),
        ({"fisheye": True}, "camera a, fisheye"),
        ({"K": [[1e300, 0, 320], [0, 510, 240], [0, 0, 1]]}, "camera a, K"),
    ],
)
def test_a_bad_field_is_named(tmp_path, change, message):
    path = written(tmp_path / "a.json", json.dumps({"cameras": [{**ONE, **change}]}))
    with pytest.raises(InputError, match=message) as caught:
        load_cameras(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "{", "valid JSON"),
        ("a.json", "[" * 100_000, "nested too deeply|valid JSON"),
        ("a.json", "[]", "no cameras"),
        ("a.json", "3", "a list of cameras"),
        ("a.json", '{"cameras": [3]}', "camera 0: found 3"),
        ("a.json", json.dumps([ONE, ONE]), "different ones"),
        ("a.toml", "[a\n", "valid TOML"),
        ("a.toml", "[charuco]\nrows = 3\n", "no cameras"),
        ("a.toml", "[cam_1]\nsize = [640, 480]\n", "camera cam_1, K: found nothing"),
        ("a.yml", "%YAML:1.0\n---\na: [", "valid YAML"),
        ("a.yml", "a: !!python/object:os.system x", "valid YAML"),
        ("a.yml", "K: !!opencv-matrix [1, 2]", "valid YAML"),
        ("a.yml", "{[1]: 2}: 3", "valid YAML"),
        ("a.yml", "cameras: [{K: 0x" + "f" * 9000 + "}]", "whole|width: found nothing"),
        ("a.yml", "cameras: [{K: [[0x" + "f" * 9000 + "]], size: [9, 9]}]", "camera view0, K"),
        ("a.yml", "cameras: &a [*a]", "camera 0: found"),
        ("a.yml", LAUGHS, "camera a, K"),
        ("a.yml", "text", "a list of cameras"),
        ("a.txt", "text", "one of .json, .toml"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_told_in_one_sentence(tmp_path, name, content, message):
    with pytest.raises(InputError, match=message) as caught:
        load_cameras(written(tmp_path / name, content))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_cameras(tmp_path / "none.json")


def assert_read_or_refused(path: Path) -> None:
    try:
        names = [camera.name for camera in load_cameras(path)]
    except InputError as error:
        names, message = ["refused"], str(error)
    else:
        message = ""
    assert names
    assert all(name.isidentifier() for name in names)
    assert "\n" not in message


leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from([*ONE, "R", "t", "size", "fisheye"]), value=anything)
def test_any_value_of_a_field_is_read_or_refused(tmp_path, field, value):
    path = written(tmp_path / "a.json", json.dumps([{**ONE, field: value}]))
    assert_read_or_refused(path)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(["toml", "json", "yml"]))
def test_any_damage_to_a_file_is_read_or_refused(tmp_path, data, kind):
    text = TOML if kind == "toml" else json.dumps({"cameras": [ONE]})  # JSON is YAML
    start = data.draw(st.integers(0, len(text)))
    end = min(len(text), start + data.draw(st.integers(0, 12)))
    inserted = data.draw(
        st.text(max_size=6) | st.sampled_from(["]", "[", "}", '"', "!!x ", "&a ", "*a", "1e999", "nan"])
    )
    path = tmp_path / f"a.{kind}"
    path.write_bytes((text[:start] + inserted + text[end:]).encode("utf-8", "surrogatepass"))
    assert_read_or_refused(path)
