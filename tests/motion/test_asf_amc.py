"""Acclaim files: a small person written here, and the CMU and HDM05 recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from odah.errors import InputError
from odah.motion.asf_amc import find_asf, read_amc
from odah.motion.c3d import read_c3d

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
CMU_UNIT = 0.0254 / 0.45

# name: parent, direction, length, axis, dof
BONES = {
    "lhipjoint": ("root", "1 -1 0", 2, "0 0 0", ""),
    "lfemur": ("lhipjoint", "0.34202 -0.939693 0", 7.5, "0 0 20", "rx ry rz"),
    "ltibia": ("lfemur", "0.34202 -0.939693 0", 7, "0 0 20", "rx"),
    "lfoot": ("ltibia", "0 -0.2 1", 2, "-90 0 20", "rx rz"),
    "ltoes": ("lfoot", "0 0 1", 1, "-90 0 20", ""),
    "rhipjoint": ("root", "-1 -1 0", 2, "0 0 0", ""),
    "rfemur": ("rhipjoint", "-0.34202 -0.939693 0", 7.5, "0 0 -20", "rx ry rz"),
    "rtibia": ("rfemur", "-0.34202 -0.939693 0", 7, "0 0 -20", "rx"),
    "rfoot": ("rtibia", "0 -0.2 1", 2, "-90 0 -20", ""),
    "rtoes": ("rfoot", "0 0 1", 1, "-90 0 -20", ""),
    "lowerback": ("root", "0 1 0", 4, "0 0 0", "rx ry rz"),
    "thorax": ("lowerback", "0 1 0", 4, "0 0 0", ""),
    "lowerneck": ("thorax", "0 1 0", 1.5, "0 0 0", ""),
    "head": ("lowerneck", "0 1 0", 1.5, "0 0 0", ""),
    "lclavicle": ("thorax", "1 0.2 0", 3, "0 0 0", ""),
    "lhumerus": ("lclavicle", "1 0 0", 5, "180 -30 -90", "rx ry rz"),
    "lradius": ("lhumerus", "1 0 0", 3.3, "180 -30 -90", "rx"),
    "lwrist": ("lradius", "1 0 0", 1.6, "0 90 90", ""),
    "lhand": ("lwrist", "1 0 0", 0.6, "0 90 90", ""),
    "rclavicle": ("thorax", "-1 0.2 0", 3, "0 0 0", ""),
    "rhumerus": ("rclavicle", "-1 0 0", 5, "180 30 90", ""),
    "rradius": ("rhumerus", "-1 0 0", 3.3, "180 30 90", ""),
    "rwrist": ("rradius", "-1 0 0", 1.6, "0 -90 -90", ""),
    "rhand": ("rwrist", "-1 0 0", 0.6, "0 -90 -90", ""),
}
WIDTHS = {"root": 6} | {name: len(bone[4].split()) for name, bone in BONES.items() if bone[4]}


def asf_text(length: float = 0.45) -> str:
    lines = [":version 1.10", ":units", f"  length {length}", "  angle deg", ":root"]
    lines += ["order TX TY TZ RX RY RZ", "axis XYZ", "position 0 0 0", "orientation 0 0 0", ":bonedata"]
    for number, (name, (_, direction, size, axis, dof)) in enumerate(BONES.items()):
        lines += ["begin", f"id {number + 1}", f"name {name}", f"direction {direction}", f"length {size}"]
        lines += [f"axis {axis} XYZ", *([f"dof {dof}", "limits (-160.0 20.0)"] if dof else []), "end"]
    lines += [":hierarchy", "begin", *(f"{bone[0]} {name}" for name, bone in BONES.items()), "end"]
    return "\n".join(lines) + "\n"


def amc_text(frames: list[dict[str, list[float]]]) -> str:
    lines = ["#!OML:ASF somewhere.ASF", ":FULLY-SPECIFIED", ":DEGREES"]
    for number, frame in enumerate(frames):
        values = {name: [0.0] * width for name, width in WIDTHS.items()} | frame
        lines += [
            str(number + 1),
            *(" ".join([name, *map(str, numbers)]) for name, numbers in values.items()),
        ]
    return "\n".join(lines) + "\n"


def written(folder: Path, frames: list[dict[str, list[float]]], length: float = 0.45) -> Path:
    (folder / "01.asf").write_text(asf_text(length))
    path = folder / "01_02.amc"
    path.write_text(amc_text(frames))
    return path


def joint(motion, name: str) -> np.ndarray:
    return motion.positions[:, motion.skeleton.names.index(name)]


def test_rest_pose_stands_in_world(tmp_path):
    motion = read_amc(written(tmp_path, [{"root": [1, 17, 3, 0, 0, 0]}]))
    np.testing.assert_allclose(joint(motion, "root"), [[CMU_UNIT, -3 * CMU_UNIT, 17 * CMU_UNIT]], atol=1e-12)
    assert motion.skeleton.leg_length == pytest.approx(14.5 * CMU_UNIT)
    left, right = joint(motion, "ltibia")[0], joint(motion, "rtibia")[0]
    assert left[0] > right[0] + 0.3
    assert joint(motion, "head_end")[0, 2] > 1.4
    assert joint(motion, "ltoes_end")[0, 1] < joint(motion, "lfoot")[0, 1] - 0.1  # forward is -y in world
    assert (motion.rate, motion.source.format) == (120.0, "asf/amc")


def test_length_unit_is_the_files(tmp_path):
    coarse = read_amc(written(tmp_path, [{"root": [0, 10, 0, 0, 0, 0]}], length=0.5))
    assert joint(coarse, "root")[0, 2] == pytest.approx(10 * 0.0254 / 0.5)
    metres = read_amc(tmp_path / "01_02.amc", unit="cmu", rate=60)
    assert joint(metres, "root")[0, 2] == pytest.approx(10 * CMU_UNIT)
    assert metres.rate == 60


def test_a_bent_knee_moves_the_foot_backwards_in_the_leg_plane(tmp_path):
    motion = read_amc(written(tmp_path, [{}, {"ltibia": [90]}]))
    shank = joint(motion, "lfoot") - joint(motion, "ltibia")
    thigh = joint(motion, "ltibia") - joint(motion, "lfemur")
    np.testing.assert_allclose(shank[1] / np.linalg.norm(shank[1]), [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose((shank * thigh).sum(axis=1)[1], 0, atol=1e-9)


def test_dof_angles_compose_first_one_first_about_the_bones_axes(tmp_path):
    angles = [20.0, -35.0, 50.0]
    motion = read_amc(written(tmp_path, [{"lfemur": angles, "root": [0, 0, 0, 10, 20, 30]}]))
    root = Rotation.from_euler("xyz", [10, 20, 30], degrees=True).as_matrix()
    rx, ry, rz = (
        Rotation.from_euler(a, v, degrees=True).as_matrix() for a, v in zip("xyz", angles, strict=True)
    )
    axis = Rotation.from_euler("z", 20, degrees=True).as_matrix()
    thigh = root @ axis @ rz @ ry @ rx @ axis.T @ np.array([0.34202, -0.939693, 0]) * 7.5 * CMU_UNIT
    found = (joint(motion, "ltibia") - joint(motion, "lfemur"))[0]
    np.testing.assert_allclose(found, [thigh[0], -thigh[2], thigh[1]], atol=1e-6)


def test_the_skeleton_is_found_by_name_or_alone(tmp_path):
    path = written(tmp_path, [{}])
    (tmp_path / "other.asf").write_text(asf_text())
    assert find_asf(path).name == "01.asf"
    assert find_asf(tmp_path / "other_03_120.amc").name == "other.asf"
    with pytest.raises(InputError, match=r"2 \.asf files"):
        find_asf(tmp_path / "stranger.amc")
    (tmp_path / "01.asf").unlink()
    assert find_asf(tmp_path / "stranger.amc").name == "other.asf"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ltibia 0.0\n", "", "ltibia"),
        ("ltibia 0.0\n", "ltibia 0.0 1.0\n", "2 values"),
        ("ltibia 0.0\n", "ltibia 0.0\nltibia 0.0\n", "ltibia"),
        ("ltibia 0.0\n", "ltibia nan\n", "finite"),
        ("ltibia 0.0\n", "ltibia x\n", "finite"),
        ("ltibia 0.0\n", "tail 0.0\n", "bones of 01.asf"),
        ("ltibia 0.0\n", "rhand 0.0\n", "dof"),
    ],
)
def test_wrong_motion_lines_are_named(tmp_path, old, new, message):
    path = written(tmp_path, [{}, {}])
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=message) as caught:
        read_amc(path)
    assert "01_02.amc" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (":units", ":unit", "units"),
        ("length 0.45", "length 0", "length"),
        ("dof rx ry rz", "dof rx ry tz", "dof"),
        ("direction 0 1 0", "direction 0 0 0", "direction"),
        ("axis 0 0 0 XYZ", "axis 0 0 0 XYY", "axis"),
        ("name lfemur", "name ltibia", "name"),
        ("lhipjoint lfemur", "lfemur lfemur", "hierarchy"),
        ("name lfemur", "name lthing", "hierarchy"),
        ("length 7.5", "length 75", None),
    ],
)
def test_wrong_skeletons_are_named(tmp_path, old, new, message):
    path = written(tmp_path, [{}])
    asf = tmp_path / "01.asf"
    asf.write_text(asf.read_text().replace(old, new, 1))
    if message is None:
        assert read_amc(path).skeleton.leg_length > 2  # the unit is stated, so long legs are believed
    else:
        with pytest.raises(InputError, match=message):
            read_amc(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kept=st.floats(0.05, 1),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4),
    of_skeleton=st.booleans(),
)
def test_damaged_files_end_in_an_input_error_or_are_whole(tmp_path, kept, changes, of_skeleton):
    path = written(tmp_path, [{}, {"ltibia": [30]}])
    damaged_path = tmp_path / "01.asf" if of_skeleton else path
    damaged = bytearray(damaged_path.read_bytes())
    for place, byte in changes:
        damaged[int(place * len(damaged))] = byte
    damaged_path.write_bytes(damaged[: int(kept * len(damaged))])
    try:
        motion = read_amc(path)
    except InputError:
        return
    assert np.isfinite(motion.positions).all()


def _shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the project")
    return path


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "speed"), [("02_01", (0.9, 1.5)), ("07_05", (0.7, 1.2)), ("09_06", (3.0, 4.5))]
)
def test_cmu_people_stand_on_the_floor_and_walk_where_they_face(name, speed):
    motion = read_amc(_shared(f"cmu_mocap/asfamc/{name}.amc"))
    limbs = motion.skeleton.roles.limbs
    assert -0.03 < np.median(motion.positions[..., 2].min(axis=1)) < 0.1
    left = motion.positions[:, limbs["left_hip"]] - motion.positions[:, limbs["right_hip"]]
    forward = np.cross(left, [0, 0, 1.0])
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    velocity = np.gradient(motion.positions[:, motion.skeleton.roles.pelvis], 1 / motion.rate, axis=0)
    assert speed[0] < (velocity * forward).sum(axis=1).mean() < speed[1]


@pytest.mark.shared
def test_a_truncated_recording_is_refused():
    with pytest.raises(InputError, match="frame 245"):
        read_amc(_shared("cmu_mocap/asfamc/07_12.amc"))


@pytest.mark.shared
def test_hdm05_joints_move_with_the_markers_of_the_same_take():
    motion = read_amc(_shared("hdm05/HDM_dg_06-03_03_120.amc"))
    markers = read_c3d(_shared("hdm05/HDM_dg_06-03_03_120.c3d"))
    pairs = {"lfoot": "LANK", "rfoot": "RANK", "lradius": "LELB", "rradius": "RELB", "ltibia": "LKNE"}
    joints = np.stack([joint(motion, name) for name in pairs], axis=1)
    places = np.stack([markers.positions[:, markers.names.index(name)] for name in pairs.values()], axis=1)
    quarter_turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])  # the laboratory's axes in the two exports
    distance = np.linalg.norm(joints @ quarter_turn.T - places, axis=-1)
    assert distance.mean() < 0.08  # joint centre to skin
    assert distance.std(axis=0).max() < 0.02
