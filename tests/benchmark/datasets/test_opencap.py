"""OpenCap's folders: a checkerboard's world in mm, videos cut to markers' time, transforms that fail."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from odah.benchmark.datasets.findings import Findings
from odah.benchmark.datasets.opencap import read_opencap
from odah.benchmark.datasets.opencap_world import upright_world
from odah.errors import InputError
from odah.motion.trc import write_trc
from odah.motion.types import CoordinateTrajectory, MarkerTrajectories, Source
from odah.names import OPENSIM_COORDINATES, OPENSIM_JOINTS
from odah.osim import full_body_model, write_model
from odah.osim.storage import Storage, write_mot, write_storage
from odah.scene.camera import Camera, look_at

SIZE = (360, 640)
K = np.array([[456.0, 0, 183.2], [0, 455.0, 319.1], [0, 0, 1]])
LENS = np.array([[0.12, -0.3, 0.001, -0.002, 0.21]])
RATE, NUM_FRAMES, START, FIRST_ROW = 60, 20, 0.5, 0.06
ANGLES_DEG = {"Cam0": -70, "Cam1": -45, "Cam2": 0, "Cam3": 45, "Cam4": 70}
WALL = np.array([[0.0, 0, -1], [0, -1, 0], [-1, 0, 0]])
FLOOR = np.array([[0.0, 0, -1], [1, 0, 0], [0, -1, 0]])
UPSIDE_DOWN = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
ORIGIN = np.array([0.9, 0.4, -0.35])
"""Of the board, in ground, m."""


def camera_of_ground(angle_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """R (3, 3) and t (3,) m from ground to a camera that stands round the person's front, which is +x."""
    angle = np.deg2rad(angle_deg)
    place = np.array([3.3 * np.cos(angle), 1.2, 0.1 - 3.3 * np.sin(angle)])
    forward = np.array([0.0, 0.85, 0.1]) - place
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 1, 0])
    right /= np.linalg.norm(right)
    R = np.stack([right, np.cross(forward, right), forward])
    return R, -R @ place


class Session:
    """Writes one person's folder. R_board_ground: as it is; told: as the file says, None for no file."""

    def __init__(
        self, root: Path, dots, R_board_ground=None, told="as it is", person: str = "subject2"
    ) -> None:
        self.dots, self.person = dots, dots.Person()
        tilt = Rotation.from_euler("xyz", [2, -5, 3], degrees=True).as_matrix()
        self.R = tilt @ WALL if R_board_ground is None else R_board_ground
        self.told = self.R if isinstance(told, str) else told
        self.folder = root / person
        self.session = self.folder / "VideoData" / "Session0"

    def write(self, trial: str = "squats1", cameras=("Cam0", "Cam2", "Cam3"), stamps=None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "sessionMetadata.yaml").write_text("height_m: 1.81\nmass_kg: 74.5\nsex: m\n")
        for name in cameras:
            self.write_camera(name, trial, stamps)
        if self.told is not None:
            content = {
                "R_fromMocap_toVideo": np.asarray(self.told).tolist(),
                "position_fromMocapOrigin_toVideoOrigin": [[value] for value in ORIGIN.tolist()],
            }
            (self.session / "mocapToVideoTransform.yaml").write_text(yaml.dump(content))
        self.write_mocap(trial)

    def write_camera(self, name: str, trial: str, stamps=None) -> None:
        R_cam, t_cam = camera_of_ground(ANGLES_DEG[name])
        rotation, translation = R_cam @ self.R.T, 1000 * (R_cam @ ORIGIN + t_cam)
        content = {
            "distortion": LENS, "intrinsicMat": K,
            "imageSize": np.array([[float(SIZE[1])], [float(SIZE[0])]]),
            "rotation": rotation, "translation": translation[:, None],
            "rotation_EulerAngles": cv2.Rodrigues(rotation)[0],
        }  # fmt: skip
        folder = self.session / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cameraIntrinsicsExtrinsics.pickle").write_bytes(pickle.dumps(content, 4))
        numbers = np.array(list(range(NUM_FRAMES)) if stamps is None else stamps)
        ground = self.person.dots(START + numbers / RATE)
        board = 1000 * (ground - ORIGIN) @ self.R.T
        pixels = [
            cv2.projectPoints(each, cv2.Rodrigues(rotation)[0], translation, K, LENS)[0][:, 0]
            for each in board
        ]
        frames = [self.dots.dotted(each, SIZE) for each in pixels]
        self.dots.write_video(folder / trial / f"{trial}_syncdWithMocap.avi", frames, RATE, numbers.tolist())

    def write_mocap(self, trial: str) -> None:
        opensim = self.folder / "OpenSimData" / "Mocap"
        (opensim / "Model").mkdir(parents=True, exist_ok=True)
        (opensim / "IK").mkdir(exist_ok=True)
        name = "LaiArnoldModified2017_poly_withArms_weldHand"
        write_model(self.person.model, opensim / "Model" / f"{name}_scaled.osim")
        write_model(full_body_model(), opensim / "Model" / f"{name}_generic.osim")
        times = START + FIRST_ROW + np.arange(24) / 100
        values = self.person.coordinates(times)
        trajectory = CoordinateTrajectory(OPENSIM_COORDINATES, values, 100.0, Source("x", "mot"), times[0])
        write_mot(self.mot(trial), trajectory, self.person.model)
        (self.folder / "MarkerData" / "Mocap").mkdir(parents=True, exist_ok=True)
        markers = MarkerTrajectories(
            ("r.ASIS",), np.zeros((34, 1, 3)), 100.0, "ground", Source("x", "trc"), START
        )
        write_trc(self.folder / "MarkerData" / "Mocap" / f"{trial}.trc", markers)

    def mot(self, trial: str = "squats1") -> Path:
        return self.folder / "OpenSimData" / "Mocap" / "IK" / f"{trial}.mot"


@pytest.fixture(scope="module")
def written(tmp_path_factory, dots) -> Path:
    root = tmp_path_factory.mktemp("opencap")
    Session(root, dots).write()
    return root


@pytest.fixture
def copy(written, tmp_path) -> Path:
    shutil.copytree(written, tmp_path / "copy")
    return tmp_path / "copy"


def read_one(root: Path, **options):
    (recording,), notes = read_opencap(root, **options)
    return recording, notes


def true_times(recording) -> np.ndarray:
    """Of the motion capture, s, at the recording's frames."""
    return START + next(iter(recording.views.values())).frames / RATE


def test_joints_project_onto_the_dots_of_every_camera(written, dots):
    recording, notes = read_one(written)
    assert list(recording.views) == ["Cam0", "Cam2", "Cam3"]
    assert (recording.subject, recording.action, recording.name) == ("subject2", "squats", "subject2_squats1")
    assert (recording.height, recording.mass, recording.rate) == (1.81, 74.5, 60.0)
    first = int(np.ceil(FIRST_ROW * RATE - 1e-6))
    for view in recording.views.values():
        assert view.frames[0] == first
        assert dots.pixel_errors(recording, view).max() < 2
    assert any("Cam1" in note for note in notes)
    assert any("Cam4" in note for note in notes)
    assert len(notes) == 2


def test_truth_is_that_of_the_coordinates(written, dots):
    recording, _ = read_one(written)
    truth, person = recording.truth, dots.Person()
    assert truth.coordinate_names == OPENSIM_COORDINATES
    assert truth.joint_names == OPENSIM_JOINTS
    times = true_times(recording)
    np.testing.assert_allclose(truth.times, times - times[0], atol=1e-12)
    np.testing.assert_allclose(truth.coordinates, person.coordinates(times), atol=1e-4)
    np.testing.assert_allclose(truth.joints, person.joints(times), atol=1e-4)
    assert truth.model is not None
    assert truth.model.name.endswith("_scaled.osim")
    assert recording.num_frames == len(truth.times) == len(recording.views["Cam2"].frames)


@pytest.mark.parametrize("board", [WALL, FLOOR, UPSIDE_DOWN])
def test_world_is_upright_wherever_the_board_was(tmp_path, dots, board):
    Session(tmp_path, dots, board).write(cameras=("Cam1", "Cam4"))
    recording, notes = read_one(tmp_path)
    np.testing.assert_allclose(recording.T_world_ground[:3, :3] @ [0, 1, 0], [0, 0, 1], atol=1e-9)
    assert dots.pixel_errors(recording, recording.views["Cam4"]).max() < 2
    assert all(view.camera.position[2] > -ORIGIN[1] for view in recording.views.values())
    assert not any("board" in note for note in notes)


DEGENERATE = np.array([[0.0, 0, -1], [0, -1, 0], [0, 0, -1]])
"""As published for the walking sessions."""


@pytest.mark.parametrize("told", [DEGENERATE, WALL @ np.diag([1, -1, -1.0]), np.zeros((3, 3)), FLOOR])
def test_degenerate_transforms_fall_back_to_the_boards_axes(tmp_path, dots, told):
    Session(tmp_path, dots, WALL, told).write(cameras=("Cam1", "Cam4"))
    recording, notes = read_one(tmp_path)
    assert dots.pixel_errors(recording, recording.views["Cam1"]).max() < 2
    assert sum("R_fromMocap_toVideo" in note and "on a wall" in note for note in notes) == 1
    with pytest.raises(InputError, match="R_fromMocap_toVideo"):
        read_opencap(tmp_path, strict=True, cameras=("Cam1", "Cam4"))


def test_without_a_transform_cameras_and_truth_are_still_upright(tmp_path, dots):
    Session(tmp_path, dots, FLOOR, None).write(cameras=("Cam1", "Cam4"))
    recording, notes = read_one(tmp_path)
    np.testing.assert_allclose(recording.T_world_ground[:3, :3] @ [0, 1, 0], [0, 0, 1], atol=1e-9)
    assert any("mocapToVideoTransform.yaml" in note for note in notes)


def test_dropped_frames_are_empty_entries_that_take_time(tmp_path, dots):
    stamps = [0, *range(8, NUM_FRAMES + 4)]
    session = Session(tmp_path, dots)
    session.write(cameras=("Cam0", "Cam2"))
    session.write_camera("Cam2", "squats1", stamps)
    path = session.session / "Cam2" / "squats1" / "squats1_syncdWithMocap.avi"
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == NUM_FRAMES + 4 > len(stamps)
    recording, notes = read_one(tmp_path)
    assert (recording.views["Cam2"].frames == recording.views["Cam0"].frames).all()
    for view in recording.views.values():
        errors = dots.pixel_errors(recording, view)
        assert np.mean(errors < 2) > (0.7 if view is recording.views["Cam2"] else 0.999)
    assert dots.pixel_errors(recording, recording.views["Cam2"]).max() < 30
    assert any("nearest" in note and "Cam2" in note for note in notes)


def test_cameras_of_other_lengths_are_left_out(tmp_path, dots):
    session = Session(tmp_path, dots)
    session.write(cameras=("Cam0", "Cam2", "Cam4"))
    session.write_camera("Cam2", "squats1", list(range(NUM_FRAMES - 9)))
    recording, notes = read_one(tmp_path)
    assert list(recording.views) == ["Cam0", "Cam4"]
    assert any("synchronised" in note and "Cam2" in note for note in notes)


def test_missing_trials_are_listed(copy, dots):
    session = Session(copy, dots)
    shutil.copy(session.mot(), session.mot("DJ1"))
    (session.session / "Cam0" / "STS1").mkdir()
    (session.session / "Cam0" / "extrinsics").mkdir()
    shutil.rmtree(session.session / "Cam2" / "squats1")
    recording, notes = read_one(copy)
    assert list(recording.views) == ["Cam0", "Cam3"]
    told = "\n".join(notes)
    assert "DJ1" in told
    assert "STS1" in told
    assert "extrinsics" not in told
    assert "Cam2/squats1" in told
    with pytest.raises(InputError):
        read_opencap(copy, strict=True)


def test_strict_takes_a_whole_folder(tmp_path, dots):
    Session(tmp_path, dots).write(cameras=tuple(ANGLES_DEG))
    recording, notes = read_one(tmp_path, strict=True, cameras=("Cam3", "Cam1"))
    assert list(recording.views) == ["Cam1", "Cam3"]
    assert notes == []


def test_picture_size_comes_from_the_video(copy, dots):
    for name, size, K_told in (
        ("Cam0", [SIZE[0], SIZE[1]], K),
        ("Cam2", [2 * SIZE[1], 2 * SIZE[0]], np.array([[912.0, 0, 366.9], [0, 910, 638.7], [0, 0, 1]])),
    ):
        path = copy / "subject2" / "VideoData" / "Session0" / name / "cameraIntrinsicsExtrinsics.pickle"
        content = pickle.loads(path.read_bytes())
        path.write_bytes(pickle.dumps({**content, "imageSize": np.array(size), "intrinsicMat": K_told}, 4))
    recording, notes = read_one(copy)
    for view in recording.views.values():
        assert (view.camera.width, view.camera.height) == SIZE
        assert dots.pixel_errors(recording, view).max() < 2
    assert sum("calibrated for" in note for note in notes) == 2


def test_angles_in_another_unit_than_stated(copy, dots):
    path = Session(copy, dots).mot()
    text = path.read_text().replace("inDegrees=yes", "inDegrees=no")
    path.write_text(text)
    recording, notes = read_one(copy)
    expected = dots.Person().coordinates(true_times(recording))
    np.testing.assert_allclose(recording.truth.coordinates, expected, atol=1e-4)
    assert any("taken as degrees" in note for note in notes)
    with pytest.raises(InputError, match="degrees"):
        read_opencap(copy, strict=True, cameras=("Cam0",))


def test_radians_where_degrees_are_said(copy, dots):
    session = Session(copy, dots)
    times = START + FIRST_ROW + np.arange(24) / 100
    table = Storage(OPENSIM_COORDINATES, session.person.coordinates(times), times, True)
    write_storage(session.mot(), table, title="Coordinates")
    recording, notes = read_one(copy)
    expected = session.person.coordinates(true_times(recording))
    np.testing.assert_allclose(recording.truth.coordinates, expected, atol=1e-4)
    assert any("radians" in note for note in notes)


def test_coordinates_of_other_names(copy, dots):
    path = Session(copy, dots).mot()
    text = path.read_text()
    for own, other in (
        ("hip_flexion_r", "RightHipFlexion"),
        ("knee_angle_l\t", "/jointset/walker_knee_l/knee_angle_l/value\t"),
        ("arm_add_l", "whatever"), ("pelvis_tilt", "Pelvis_Tilt"),
    ):  # fmt: skip
        text = text.replace(own, other, 1)
    path.write_text(text)
    recording, notes = read_one(copy)
    told = "\n".join(notes)
    assert "RightHipFlexion as hip_flexion_r" in told
    assert "no coordinate of the model: whatever" in told
    assert "arm_add_l" in told
    expected = dots.Person().coordinates(true_times(recording))
    kept = [k for k, name in enumerate(OPENSIM_COORDINATES) if name != "arm_add_l"]
    assert "arm_add_l" not in recording.truth.coordinate_names, "nobody knows it"
    np.testing.assert_allclose(recording.truth.coordinates, expected[:, kept], atol=1e-4)


def test_lengths_in_mm_are_refused(copy, dots):
    session = Session(copy, dots)
    times = START + FIRST_ROW + np.arange(24) / 100
    values = session.person.coordinates(times)
    values[:, OPENSIM_COORDINATES.index("pelvis_ty")] *= 1000
    write_storage(session.mot(), Storage(OPENSIM_COORDINATES, values, times, False), title="Coordinates")
    with pytest.raises(InputError, match="not farther than 100 m"):
        read_opencap(copy)


def test_no_such_folder_or_subject(tmp_path, written):
    with pytest.raises(InputError, match="no such folder"):
        read_opencap(tmp_path / "nothing")
    with pytest.raises(InputError, match="no subject"):
        read_opencap(tmp_path)
    with pytest.raises(InputError, match="subject9"):
        read_opencap(written, subjects=["subject9"])


FILES = (
    "sessionMetadata.yaml", "VideoData/Session0/Cam0/cameraIntrinsicsExtrinsics.pickle",
    "VideoData/Session0/Cam0/squats1/squats1_syncdWithMocap.avi",
    "VideoData/Session0/mocapToVideoTransform.yaml", "OpenSimData/Mocap/IK/squats1.mot",
    "MarkerData/Mocap/squats1.trc",
)  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_damaged_files_are_told_of_in_a_sentence(written, tmp_path, damaged, name):
    root = tmp_path / "copy"
    shutil.copytree(written, root)
    whole = (root / "subject2" / name).read_bytes()
    for seed in range(4):
        (root / "subject2" / name).write_bytes(whole)
        damaged(root / "subject2" / name, np.random.default_rng(seed))
        try:
            recordings, _ = read_opencap(root, cameras=("Cam0",), strict=seed == 0)
        except InputError:
            continue
        assert np.isfinite(recordings[0].truth.joints).all()


@settings(max_examples=30)
@given(st.recursive(st.none() | st.floats() | st.integers() | st.text(max_size=5), st.lists))
def test_any_transform_is_a_rotation_in_the_end(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "mocapToVideoTransform.yaml"
    told = {"R_fromMocap_toVideo": content, "position_fromMocapOrigin_toVideoOrigin": content}
    path.write_text(yaml.safe_dump(told))
    T = look_at((3.0, 1.0, 1.2), (0.0, 0.0, 1.0))
    world = upright_world([Camera.from_lens("Cam0", T, 90, 160)], path, Findings())
    R = world.T_world_ground[:3, :3]
    np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-9)
