"""OpenCap's pickles: read as arrays, and nothing in them is ever run."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from odah.errors import InputError
from odah.scene.calibration import load_camera_files, load_cameras

R = Rotation.from_rotvec([0.3, -1.0, 0.8]).as_matrix()


def content() -> dict[str, Any]:
    return {
        "distortion": np.array([[0.2, -0.5, 0.001, 0.002, 0.3]]),
        "intrinsicMat": np.array([[913.0, 0, 366.5], [0, 912.0, 638.5], [0, 0, 1]]),
        "imageSize": np.array([[1280.0], [720.0]]),
        "rotation": R,
        "translation": np.array([[-300.0], [-450.0], [3100.0]]),
        "rotation_EulerAngles": cv2.Rodrigues(R)[0],
    }


def written(folder: Path, document: Any, protocol: int = 4, old_numpy: bool = True) -> Path:
    """A pickle as numpy 1, which OpenCap uses, or numpy 2 writes it."""
    folder.mkdir(exist_ok=True)
    data = pickle.dumps(document, protocol)
    if old_numpy:
        assert protocol < 4 or b"\x8c\x16numpy._core.multiarray" in data or b"numpy._core" not in data
        data = data.replace(b"\x16numpy._core.multiarray", b"\x15numpy.core.multiarray")
        data = data.replace(b"cnumpy._core.multiarray", b"cnumpy.core.multiarray")
        data = b"\x80\x04" + data[11:] if protocol == 4 else data  # without the frame and its length
    path = folder / "cameraIntrinsicsExtrinsics.pickle"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("old_numpy", [True, False])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_opencaps_camera(tmp_path, protocol, old_numpy):
    if protocol == 5 and old_numpy:
        pytest.skip("frames have lengths")
    path = written(tmp_path / "Cam0", content(), protocol, old_numpy)
    (camera,) = load_cameras(path)
    assert (camera.name, camera.width, camera.height) == ("Cam0", 720, 1280)
    points = np.random.default_rng(0).uniform(-0.5, 0.5, size=(9, 3))
    K, distortion = content()["intrinsicMat"], content()["distortion"]
    expected, _ = cv2.projectPoints(points, cv2.Rodrigues(R)[0], np.array([-0.3, -0.45, 3.1]), K, distortion)
    np.testing.assert_allclose(camera.project(points), expected[:, 0], atol=1e-6)


def test_other_kinds_of_numbers(tmp_path):
    document = content()
    document["rotation"] = np.asfortranarray(R)
    document["imageSize"] = np.array([1280, 720], ">i2")
    document["translation"] = [np.float64(-300), -450, 3100.0]
    document["translation"][0] = -300.0
    document["intrinsicMat"] = document["intrinsicMat"].astype(">f4")
    (camera,) = load_cameras(written(tmp_path / "Cam1", document, old_numpy=False))
    np.testing.assert_allclose(camera.T_cam_world[:3, :3], R, atol=1e-12)
    np.testing.assert_allclose(camera.T_cam_world[:3, 3], [-0.3, -0.45, 3.1])
    assert camera.height == 1280
    assert camera.K[1, 2] == 638.5


def test_several_files_make_one_set_with_different_names(tmp_path):
    first = written(tmp_path / "Cam0", content())
    (tmp_path / "other").mkdir()
    moved = content()
    moved["translation"] = np.array([[0.0], [0.0], [2000.0]])
    second = written(tmp_path / "other" / "Cam0", moved)
    cameras = load_camera_files([first, second, second], "-y")
    assert [camera.name for camera in cameras] == ["Cam0", "Cam0_2", "Cam0_3"]
    assert np.linalg.norm(cameras[1].position) == pytest.approx(2.0)


class Calls:
    """Pickles as a call of something."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def malicious(mark: Path) -> dict[str, Any]:
    touch = f"touch {mark}"
    return {
        "posix.system": Calls(os.system, touch),
        "subprocess.Popen": {"rotation": Calls(subprocess.Popen, ["touch", str(mark)])},
        "builtins.eval": [np.eye(3), (Calls(eval, f"open({str(mark)!r}, 'w')"),)],
        "builtins.exec": {**content(), "extra": Calls(exec, f"open({str(mark)!r}, 'w')")},
        "builtins.getattr": Calls(getattr, Calls(getattr, np.ndarray, "__class__"), "mro"),
        "pathlib.PosixPath": mark,
        "_io.open": Calls(io.open, str(mark), "w"),
        "test_opencap": {"rotation": np.array([Calls(os.system, touch)], dtype=object)},
    }


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("named", [name for name in malicious(Path("x")) if name != "test_opencap"])
def test_anything_but_arrays_is_refused_and_not_run(tmp_path, named, protocol):
    mark = tmp_path / "mark"
    path = tmp_path / "a.pickle"
    path.write_bytes(pickle.dumps(malicious(mark)[named], protocol))
    with pytest.raises(InputError, match="a pickle that wants") as caught:
        load_cameras(path)
    assert named.split(".")[-1] in str(caught.value) or protocol < 3
    assert "\n" not in str(caught.value)
    assert not mark.exists()


def test_objects_inside_arrays_are_refused_and_not_run(tmp_path):
    mark = tmp_path / "mark"
    path = tmp_path / "a.pickle"
    path.write_bytes(pickle.dumps(malicious(mark)["test_opencap"]))
    with pytest.raises(InputError, match=r"posix\.system|nt\.system"):
        load_cameras(path)
    assert not mark.exists()
    document = {**content(), "rotation": np.array([[1, 2], [3, None]], dtype=object)}
    with pytest.raises(InputError, match="rotation: found a Array, expected an array of finite numbers"):
        load_cameras(written(tmp_path / "Cam0", document, old_numpy=False))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rotation": None}, "rotation: found nothing"),
        ({"rotation": "text"}, "rotation: found a str"),
        ({"rotation": np.eye(2)}, "camera Cam0, R"),
        ({"rotation": np.full((3, 3), np.nan)}, "finite numbers"),
        ({"imageSize": np.array([720.0])}, "imageSize: found 1 numbers"),
        ({"imageSize": np.array([720.5, 1280])}, "whole numbers"),
        ({"distortion": np.array([["a"]])}, "distortion: found a"),
    ],
)
def test_wrong_arrays_are_told(tmp_path, change, message):
    with pytest.raises(InputError, match=message) as caught:
        load_cameras(written(tmp_path / "Cam0", {**content(), **change}, old_numpy=False))
    assert "\n" not in str(caught.value)


def test_large_and_other_files_are_told(tmp_path):
    path = written(tmp_path / "Cam0", {**content(), "more": np.zeros(4000)}, old_numpy=False)
    with pytest.raises(InputError, match="bytes, expected a camera's arrays, at most 16384"):
        load_cameras(path)
    path.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(InputError, match="found a list"):
        load_cameras(path)
    path.write_bytes(b"\x80\x04]" + b"\x85" * 16_000 + b"\x94}h\x00K\x01s.")  # a deep tuple as a key
    with pytest.raises(InputError, match="damaged"):
        load_cameras(path)


def read_or_refused(path: Path) -> None:
    try:
        message = f"{len(load_cameras(path))} camera"
    except InputError as error:
        message = str(error)
    assert "\n" not in message


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.integers(0, 2000),
    length=st.integers(0, 8),
    inserted=st.binary(max_size=8),
    protocol=st.sampled_from([0, 2, 4, 5]),
)
def test_any_damage_is_read_or_refused(tmp_path, start, length, inserted, protocol):
    data = pickle.dumps(content(), protocol)
    start %= len(data)
    path = tmp_path / "a.pickle"
    path.write_bytes(data[:start] + inserted + data[start + length :])
    read_or_refused(path)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(min_size=1, max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path, data):
    path = tmp_path / "a.pickle"
    path.write_bytes(b"\x80\x04" + data + b".")
    read_or_refused(path)
