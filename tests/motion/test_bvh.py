"""BVH files: naming families, axes, units, channel orders, and headers that lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from odah.errors import InputError
from odah.motion.bvh import read_bvh

SHARED = Path(__file__).parents[2].parent / "shared" / "data"

# role: parent, offset in m with Y up and facing +Z
PERSON = {
    "pelvis": (None, (0, 0, 0)),
    "left_hip": ("pelvis", (0.1, -0.08, 0)),
    "left_knee": ("left_hip", (0, -0.42, 0)),
    "left_ankle": ("left_knee", (0, -0.40, 0)),
    "left_foot": ("left_ankle", (0, -0.05, 0.13)),
    "right_hip": ("pelvis", (-0.1, -0.08, 0)),
    "right_knee": ("right_hip", (0, -0.42, 0)),
    "right_ankle": ("right_knee", (0, -0.40, 0)),
    "right_foot": ("right_ankle", (0, -0.05, 0.13)),
    "spine": ("pelvis", (0, 0.12, 0)),
    "neck": ("spine", (0, 0.35, 0)),
    "head": ("neck", (0, 0.1, 0)),
    "left_collar": ("spine", (0.03, 0.3, 0)),
    "left_shoulder": ("left_collar", (0.13, 0, 0)),
    "left_elbow": ("left_shoulder", (0.28, 0, 0)),
    "left_wrist": ("left_elbow", (0.26, 0, 0)),
    "right_collar": ("spine", (-0.03, 0.3, 0)),
    "right_shoulder": ("right_collar", (-0.13, 0, 0)),
    "right_elbow": ("right_shoulder", (-0.28, 0, 0)),
    "right_wrist": ("right_elbow", (-0.26, 0, 0)),
}
_MOTIONBUILDER = {"hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "foot": "ToeBase", "collar": "Shoulder",
                  "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand"}  # fmt: skip
_MAX = {"hip": "Hip", "knee": "Knee", "ankle": "Ankle", "foot": "Toe", "collar": "Collar",
        "shoulder": "Shoulder", "elbow": "Elbow", "wrist": "Wrist"}  # fmt: skip
_BIPED = {"hip": "Thigh", "knee": "Calf", "ankle": "Foot", "foot": "Toe0", "collar": "Clavicle",
          "shoulder": "UpperArm", "elbow": "Forearm", "wrist": "Hand"}  # fmt: skip
Y_UP = np.eye(3)
Z_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # facing -y


def role_name(role: str, family: str) -> str:
    prefix = "Bip01 " if family == "biped" else ""
    if "_" not in role:
        return prefix + ("Hips" if role == "pelvis" else role.capitalize())
    side, part = role.split("_")
    if family == "biped":
        return f"{prefix}{side[0].upper()} {_BIPED[part]}"
    return side.capitalize() + {"motionbuilder": _MOTIONBUILDER, "max": _MAX}[family][part]


def bvh_text(
    frames: np.ndarray,
    *,
    family="motionbuilder",
    axes=Y_UP,
    scale=1.0,
    order="ZYX",
    frame_time="0.0083333",
    stated=None,
) -> str:
    """frames (T, 3 + 3 x joints): root position, then the angles of every joint in degrees, in `order`."""
    children = {role: [r for r, (parent, _) in PERSON.items() if parent == role] for role in PERSON}
    channels = " ".join(f"{axis}rotation" for axis in order)

    def block(role: str) -> list[str]:
        offset = " ".join(f"{x:.9g}" for x in axes @ np.array(PERSON[role][1]) * scale)
        position = "6 Xposition Yposition Zposition" if role == "pelvis" else "3"
        lines = ["ROOT" if role == "pelvis" else "JOINT", role_name(role, family), "{", f"OFFSET {offset}"]
        lines.append(f"CHANNELS {position} {channels}")
        for child in children[role]:
            lines += block(child)
        if not children[role]:
            lines += ["End Site", "{", "OFFSET 0 0 0", "}"]
        return [*lines, "}"]

    header = ["HIERARCHY", *block("pelvis"), "MOTION", f"Frames: {len(frames) if stated is None else stated}"]
    values = [" ".join(f"{x:.9g}" for x in frame) for frame in frames]
    return "\n".join([*header, f"Frame Time: {frame_time}", *values]) + "\n"


def frames_of(num_frames: int = 3, **angles: tuple[float, float, float]) -> np.ndarray:
    """Frames with the root at (0, 1, 0) m and the named joints at the given angles."""
    joints = list(PERSON)
    frames = np.zeros((num_frames, 3 + 3 * len(joints)))
    frames[:, 1] = 1.0
    for role, values in angles.items():
        column = 3 + 3 * joints.index(role)
        frames[:, column : column + 3] = values
    return frames


def written(folder: Path, frames: np.ndarray, **style) -> Path:
    path = folder / "person.bvh"
    path.write_text(bvh_text(frames, **style))
    return path


def limb(motion, role: str) -> np.ndarray:
    return motion.positions[:, motion.skeleton.roles.limbs[role]]


@pytest.mark.parametrize("family", ["motionbuilder", "max", "biped"])
@pytest.mark.parametrize("unit", [1.0, 100.0, 1000.0, 1 / 0.0254, 0.45 / 0.0254])
def test_families_and_units_give_the_same_person(tmp_path, family, unit):
    frames = frames_of()
    frames[:, :3] *= unit
    motion = read_bvh(written(tmp_path, frames, family=family, scale=unit))
    assert motion.skeleton.leg_length == pytest.approx(0.82)
    np.testing.assert_allclose(limb(motion, "left_ankle")[0], [0.1, 0, 0.1], atol=1e-6)
    np.testing.assert_allclose(limb(motion, "left_foot")[0], [0.1, -0.13, 0.05], atol=1e-6)
    np.testing.assert_allclose(limb(motion, "right_wrist")[0, 0], -0.7, atol=1e-6)
    assert motion.rate == 120.0


def test_z_up_files_give_the_same_world(tmp_path):
    frames = frames_of(left_hip=(0, 0, -40.0), spine=(5.0, 10.0, 20.0))
    y_up = read_bvh(written(tmp_path, frames))
    turned = frames.copy()
    turned[:, :3] = frames[:, :3] @ Z_UP.T
    for column in range(3, frames.shape[1], 3):
        rotations = Rotation.from_euler("ZYX", frames[:, column : column + 3], degrees=True).as_matrix()
        turned[:, column : column + 3] = Rotation.from_matrix(Z_UP @ rotations @ Z_UP.T).as_euler(
            "ZYX", degrees=True
        )
    z_up = read_bvh(written(tmp_path, turned, axes=Z_UP))
    np.testing.assert_allclose(z_up.positions, y_up.positions, atol=1e-6)
    np.testing.assert_allclose(z_up.rotmats, y_up.rotmats, atol=1e-6)
    np.testing.assert_allclose(z_up.skeleton.offsets, y_up.skeleton.offsets, atol=1e-6)


@pytest.mark.parametrize("order", ["ZYX", "ZXY", "XYZ", "YXZ"])
def test_channels_are_applied_in_their_order_about_moving_axes(tmp_path, order):
    angles = (20.0, -35.0, 50.0)
    motion = read_bvh(written(tmp_path, frames_of(left_hip=angles), order=order))
    thigh = Rotation.from_euler(order, angles, degrees=True).apply([0, -0.42, 0])
    found = limb(motion, "left_knee")[0] - limb(motion, "left_hip")[0]
    np.testing.assert_allclose(found, [thigh[0], -thigh[2], thigh[1]], atol=1e-6)


def test_position_channels_replace_the_offset(tmp_path):
    text = bvh_text(frames_of())
    joint = "JOINT\nHead\n{\nOFFSET 0 0.1 0\nCHANNELS "
    assert joint + "3 " in text
    text = text.replace(joint + "3 ", joint + "6 Xposition Yposition Zposition ")
    head, motion_lines = text.split("Frame Time: 0.0083333\n")
    column = 3 + 3 * list(PERSON).index("head")
    rows = [row.split() for row in motion_lines.splitlines()]
    rows = [" ".join([*row[:column], "0.01", "0.2", "0.03", *row[column:]]) for row in rows]
    path = tmp_path / "person.bvh"
    path.write_text(head + "Frame Time: 0.0083333\n" + "\n".join(rows))
    motion = read_bvh(path)
    names = motion.skeleton.names
    offset = motion.positions[:, names.index("Head")] - motion.positions[:, names.index("Neck")]
    np.testing.assert_allclose(offset, [[0.01, -0.03, 0.2]] * 3, atol=1e-9)


@pytest.mark.parametrize(
    ("frame_time", "rate"), [("0.0083333", 120), ("0.041667", 24), ("0.0333667", 29.97), ("0.04", 25)]
)
def test_frame_times_of_few_digits_mean_whole_rates(tmp_path, frame_time, rate):
    motion = read_bvh(written(tmp_path, frames_of(), frame_time=frame_time))
    assert motion.rate == pytest.approx(rate, rel=1e-5)
    assert read_bvh(tmp_path / "person.bvh", rate=60.0).rate == 60.0


def test_a_calibration_pose_in_front_is_left_out(tmp_path):
    frames = frames_of(num_frames=6)
    frames[1:, 3:] = np.random.default_rng(0).uniform(1, 10, size=(5, frames.shape[1] - 3))
    motion = read_bvh(written(tmp_path, frames))
    assert motion.num_frames == 5
    frames[0, 3:] = 1.0
    assert read_bvh(written(tmp_path, frames)).num_frames == 6


def test_a_person_lying_down_is_not_stood_up(tmp_path):
    lying = read_bvh(written(tmp_path, frames_of(pelvis=(0, 0, -90.0))))
    assert np.ptp(lying.positions[..., 2]) < 0.4


def test_explicit_options_win(tmp_path):
    path = written(tmp_path, frames_of())
    motion = read_bvh(path, unit=2.0, up="Z")
    assert motion.skeleton.leg_length == pytest.approx(1.64)
    np.testing.assert_allclose(motion.positions[0, 0], [0, 2, 0])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"unit": "furlong"}, "furlong"), ({"unit": 0.0}, "unit"), ({"up": "w"}, "up"), ({"rate": 0}, "rate")],
)
def test_wrong_options(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        read_bvh(written(tmp_path, frames_of()), **options)


def test_a_header_with_other_frames_names_both(tmp_path):
    with pytest.raises(InputError, match=r"3 frames .* expected the 5 that the header states"):
        read_bvh(written(tmp_path, frames_of(), stated=5))
    with pytest.raises(InputError, match=r"3 frames .* expected the 2"):
        read_bvh(written(tmp_path, frames_of(), stated=2))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Frame Time: 0.0083333", "Frame Time: 0", "Frame Time"),
        ("Frame Time: 0.0083333", "Frame Time: nan", "Frame Time"),
        ("Frame Time: 0.0083333", "Frame Time: 1e-9", "rate"),
        ("HIERARCHY", "HIERACHY", "HIERACHY"),
        ("LeftUpLeg", "Tail", "left_hip"),
        ("Zrotation", "Wrotation", "CHANNELS"),
        ("CHANNELS 3", "CHANNELS 7", "CHANNELS"),
        ("OFFSET 0.1", "OFFSET x", "OFFSET"),
        ("OFFSET 0.1 -0.08 0", "OFFSET 0.1 -0.08", "OFFSET"),
        ("Frames: 3", "Frames: three", "Frames"),
        ("Frames: 3", "Frames: 0", "motion"),
    ],
)
def test_wrong_words_are_named(tmp_path, old, new, message):
    path = written(tmp_path, frames_of())
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=message) as caught:
        read_bvh(path)
    assert "person.bvh" in str(caught.value)


def test_a_toy_or_a_mirrored_person_is_refused(tmp_path):
    with pytest.raises(InputError, match="leg length"):
        read_bvh(written(tmp_path, frames_of(), scale=0.2))
    mirror = np.diag([1.0, 1.0, -1.0])
    with pytest.raises(InputError, match="mirrored"):
        read_bvh(written(tmp_path, frames_of(), axes=mirror))


WHOLE = bvh_text(frames_of(2, left_knee=(0, 0, 30.0))).encode()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    end=st.integers(1, len(WHOLE)),
    changes=st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=5),
    is_cut=st.booleans(),
)
def test_damaged_files_end_in_an_input_error_or_are_whole(tmp_path, end, changes, is_cut):
    damaged = bytearray(WHOLE)
    for position, byte in changes:
        damaged[position] = byte
    path = tmp_path / "damaged.bvh"
    path.write_bytes(damaged[:end] if is_cut else damaged)
    try:
        motion = read_bvh(path)
    except InputError:
        return
    assert np.isfinite(motion.positions).all()


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "rate", "speed"),
    [
        ("bvh_cgspeed/12_01", 120.0, (0.6, 1.2)),
        ("bvh_cgspeed/131_01", 120.0, (0.2, 0.6)),
        ("bvh_from_fbx/08_02", 120.0, (1.2, 1.8)),
        ("bvh_from_fbx/49_04", 24.0, (1.8, 3.0)),
        ("bvh_from_expmap/washwindow_1", 120.0, (-0.05, 0.05)),
    ],
)
def test_real_people_stand_on_the_floor_and_move_where_they_face(name, rate, speed):
    path = SHARED / "cmu_mocap" / f"{name}.bvh"
    if not path.exists():
        pytest.skip(f"{name} is not beside the project")
    motion = read_bvh(path)
    assert motion.rate == rate
    assert 0.75 < motion.skeleton.leg_length < 0.9
    assert -0.05 < np.median(motion.positions[..., 2].min(axis=1)) < 0.12
    forward = np.cross(limb(motion, "left_hip") - limb(motion, "right_hip"), [0, 0, 1.0])
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    velocity = np.gradient(motion.positions[:, motion.skeleton.roles.pelvis], 1 / motion.rate, axis=0)
    assert speed[0] < (velocity * forward).sum(axis=1).mean() < speed[1]
