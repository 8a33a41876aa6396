"""Qualisys' calibration files: the axes, the units and what is wrong with damaged ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odah.errors import InputError
from odah.scene import Camera, look_at
from odah.scene.calibration import load_cameras

LENS = (-0.046, 0.14, 0.0006, -0.0007, 0.002)


def original() -> Camera:
    K = np.array([[1681.25, 0, 533.0], [0, 1680.5, 948.25], [0, 0, 1]])
    return Camera("c", K, look_at([1.5, -1.9, 1.8], [0.1, 0.0, 0.9]), 1088, 1920, 33.0, 36.0, LENS)


def qca(camera: Camera, serial: str = "cam-01", left: int = 0, top: int = 0, active: int = 1) -> str:
    """A camera as Qualisys writes it: axes x right, y up, z backwards; mm; 64ths of pixels."""
    R = np.diag([1, -1, -1]) @ camera.T_cam_world[:3, :3]
    axes = " ".join(f'r{i + 1}{j + 1}="{R[i, j]:.12f}"' for i in range(3) for j in range(3))
    x, y, z = camera.position * 1000
    k1, k2, p1, p2, k3 = camera.distortion
    K = camera.K
    return f"""
  <camera active="{active}" serial="{serial}" viewrotation="0">
   <fov_marker left="0" top="0" right="99" bottom="99"/>
   <fov_video left="{left}" top="{top}" right="{left + camera.width - 1}" bottom="{top + camera.height - 1}"/>
   <transform {axes} x="{x}" y="{y}" z="{z}"/>
   <intrinsic focalLengthU="{K[0, 0] * 64}" focalLengthV="{K[1, 1] * 64}" skew="0.0"
    centerPointU="{(K[0, 2] + left) * 64}" centerPointV="{(K[1, 2] + top) * 64}"
    radialDistortion1="{k1}" radialDistortion2="{k2}" radialDistortion3="{k3}"
    tangentalDistortion1="{p1}" tangentalDistortion2="{p2}"/>
  </camera>"""


def written(tmp_path: Path, *cameras: str) -> Path:
    path = tmp_path / "Calib.qca.txt"
    body = "".join(cameras)
    path.write_text(
        f"<?xml version='1.0' encoding='ASCII'?>\n<calibration><cameras>{body}</cameras></calibration>"
    )
    return path


def test_a_camera_projects_as_before_it_was_written(tmp_path):
    path = written(tmp_path, qca(original(), active=0), qca(original(), left=16, top=8))
    (camera,) = load_cameras(path)
    assert (camera.name, camera.width, camera.height) == ("cam_01", 1088, 1920)
    assert camera.distortion == LENS
    points = np.random.default_rng(0).uniform([-0.5, -0.5, 0], [0.5, 0.5, 1.8], size=(20, 3))
    np.testing.assert_allclose(camera.project(points), original().project(points), atol=1e-4)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<fov_video", "<fov_other", "camera cam-01: found no <fov_video>"),
        ('focalLengthU="', 'focalLengthU="x', "intrinsic focalLengthU: found 'x"),
        ('focalLengthU="', 'focalLengthW="', "intrinsic focalLengthU: found ''"),
        ('r11="', 'r11="nan" q="', "transform r11: found 'nan'"),
        ('r11="', 'r11="7" q="', "camera cam-01, R: .*expected a rotation"),
        ('viewrotation="0"', 'viewrotation="90"', "viewrotation: found '90'"),
        ("<calibration>", "<calibration", "Qualisys' XML"),
        ("<cameras>", "</cameras>", "Qualisys' XML"),
        ("<calibration>", '<!DOCTYPE c [<!ENTITY a "b">]><calibration>', "a document type"),
        ("<camera ", "<cam ", "Qualisys' XML"),
    ],
)
def test_damage_is_told_in_one_sentence(tmp_path, old, new, message):
    path = written(tmp_path, qca(original()))
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=message) as caught:
        load_cameras(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_without_cameras_is_told(tmp_path):
    with pytest.raises(InputError, match="no cameras"):
        load_cameras(written(tmp_path))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_is_read_or_refused(tmp_path, data):
    text = written(tmp_path, qca(original())).read_text()
    start = data.draw(st.integers(0, len(text)))
    end = min(len(text), start + data.draw(st.integers(0, 30)))
    inserted = data.draw(st.text(max_size=5) | st.sampled_from(["<", ">", '"', "&a;", "1e999", "nan", "\0"]))
    path = tmp_path / "b.qca.txt"
    path.write_bytes((text[:start] + inserted + text[end:]).encode("utf-8", "surrogatepass"))
    try:
        message = f"{len(load_cameras(path))} camera"
    except InputError as error:
        message = str(error)
    assert "\n" not in message


def test_the_real_cameras_stand_upright_round_their_subject(shared_data):
    cameras = load_cameras(shared_data / "pose2sim_demo" / "calibration" / "Calib.qca.txt")
    assert [camera.name for camera in cameras] == ["cam01", "cam02", "cam03", "cam04"]
    for camera in cameras:
        assert (camera.width, camera.height) == (1088, 1920)
        assert camera.T_world_cam[2, 1] < -0.5  # the picture's down is the world's
        assert 1.5 < camera.position[2] < 2.5
    # Where the two nearest cameras' middles meet is a place all four see.
    rays = [(camera.position, camera.T_world_cam[:3, 2]) for camera in cameras[:2]]
    A = sum(np.eye(3) - np.outer(d, d) for _, d in rays)
    b = sum((np.eye(3) - np.outer(d, d)) @ c for c, d in rays)
    meeting = np.linalg.solve(A, b)
    assert all(camera.sees(meeting) for camera in cameras)
