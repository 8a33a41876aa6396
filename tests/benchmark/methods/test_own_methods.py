"""Our network, the mean pose and folders of motions as methods."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmark.known_motions import known_motion, recording
from dataset.synthetic import Synthetic
from estimator.tiny_predictor import tiny_config, untrained
from filmed_person import NUM_FRAMES, RATE, Filmed, film

from odah.benchmark.methods.estimator import Estimator
from odah.benchmark.methods.folder import FolderMethod
from odah.benchmark.methods.mean_pose import MeanPoseMethod
from odah.benchmark.recording import Recording, View
from odah.errors import InputError
from odah.estimator.evaluation.mean_pose import MeanPose
from odah.estimator.predict.options import PredictOptions
from odah.estimator.predict.run import predict
from odah.estimator.skeleton import ANGLES
from odah.motion.types import R_WORLD_GROUND, CoordinateTrajectory, Source
from odah.names import OPENSIM_COORDINATES
from odah.osim import ForwardKinematics, full_body_model, read_model, write_model
from odah.osim.storage import read_coordinates, write_mot
from odah.render.video import VideoWriter


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Filmed:
    return film(tmp_path_factory.mktemp("filmed") / "trial")


def filmed_recording(filmed: Filmed) -> Recording:
    """With masks; nobody asks for the truth."""
    T_world_ground = np.eye(4)
    T_world_ground[:3, :3] = R_WORLD_GROUND
    frames = np.arange(NUM_FRAMES)
    views = {
        camera.name: View(camera, video, frames, mask)
        for camera, video, mask in zip(filmed.cameras, filmed.videos(), filmed.masks(), strict=True)
    }
    return Recording("d", "r", "s", "a", RATE, NUM_FRAMES, views, T_world_ground, known_motion, mass=70.0)


def test_our_network_answers_as_odah_predict_does(filmed: Filmed, tmp_path: Path) -> None:
    checkpoint = untrained(tiny_config())
    options = PredictOptions(masks=filmed.masks(), mass=70.0, has_overlay=False)
    predicted = predict(checkpoint, filmed.videos(), [filmed.calibration], tmp_path / "p", options)
    folder = tmp_path / "m"
    folder.mkdir()
    answer = Estimator("ours", checkpoint, "w").estimate(filmed_recording(filmed), ("cam_a", "cam_b"), folder)
    np.testing.assert_allclose(answer.coordinates, predicted.estimate.coordinates, atol=1e-6)
    assert answer.coordinate_names == tuple(OPENSIM_COORDINATES)
    assert (folder / "model.osim").read_bytes() == (tmp_path / "p/model.osim").read_bytes()


def test_frame_by_frame_is_the_same_network_without_its_part_over_time(
    filmed: Filmed, tmp_path: Path
) -> None:
    checkpoint = untrained(tiny_config())
    seen = filmed_recording(filmed), ("cam_a", "cam_b"), tmp_path
    alone = Estimator("alone", checkpoint, "w", is_frame_only=True)
    assert alone.facts != Estimator("whole", checkpoint, "w").facts
    still, whole = alone.estimate(*seen), Estimator("whole", checkpoint, "w").estimate(*seen)
    assert np.abs(still.coordinates - whole.coordinates).max() > 1e-3
    assert checkpoint.network.temporal is not None


def test_one_view(filmed: Filmed, tmp_path: Path) -> None:
    answer = Estimator("ours", untrained(tiny_config()), "w").estimate(
        filmed_recording(filmed), ("cam_b",), tmp_path
    )
    assert answer.joints.shape == (NUM_FRAMES, 22, 3)


def mean_pose() -> MeanPose:
    angles = torch.linspace(-0.3, 0.4, len(ANGLES))
    return MeanPose(angles, torch.full((22, 3), 1.02))


def test_the_mean_pose_faces_the_first_camera(tmp_path: Path) -> None:
    """The cameras stand opposite each other, so the two answers are turned by half a turn."""
    method = MeanPoseMethod("mean", mean_pose())
    walk = recording()
    first, second = (method.estimate(walk, views, tmp_path) for views in (("a", "b"), ("b", "a")))
    turn = first.coordinate_names.index("pelvis_rotation")
    apart = (first.coordinates - second.coordinates)[:, turn]
    centre = walk.truth.joints.mean(axis=(0, 1))
    towards = [np.arctan2(-v[2], v[0]) for v in _towards(walk, centre)]
    assert np.cos(apart) == pytest.approx(np.cos(towards[0] - towards[1]), abs=0.05)
    knee = first.coordinate_names.index("knee_angle_r")
    assert first.coordinates[:, knee] == pytest.approx(
        float(mean_pose().angles[ANGLES.index("knee_angle_r")])
    )
    assert read_model(tmp_path / "model.osim").body_names


def _towards(walk: Recording, centre: np.ndarray) -> list[np.ndarray]:
    ground_of_world = walk.T_world_ground[:3, :3].T
    return [ground_of_world @ view.camera.position - centre for view in walk.views.values()]


def test_the_mean_pose_of_a_dataset(tmp_path: Path) -> None:
    made = Synthetic(
        {"subject001_a": 3, "subject002_b": 5}, splits={"subject001_a": "train", "subject002_b": "test"}
    )
    dataset = made.write(tmp_path / "d")
    method = MeanPoseMethod.of("mean", dataset, dataset.views[0])
    assert method.facts["angles"] != [0.0] * len(ANGLES)


def write_motion(folder: Path, start: float = 0.0, rate: float = 40.0, num_rows: int = 12) -> np.ndarray:
    folder.mkdir(parents=True, exist_ok=True)
    model = full_body_model()
    values = np.linspace(0.1, 0.5, num_rows)[:, None] * np.linspace(0.2, 1, len(OPENSIM_COORDINATES))
    write_model(model, folder / "any.osim")
    trajectory = CoordinateTrajectory(model.coordinate_names, values, rate, Source("t", "t"), start)
    write_mot(folder / "any.mot", trajectory, model)
    rows = torch.from_numpy(read_coordinates(folder / "any.mot", model).values)
    return ForwardKinematics(model).couple(rows).numpy()


def test_a_folder_of_motions_is_read_at_the_recordings_times(tmp_path: Path) -> None:
    rows = write_motion(tmp_path / "walk")
    walk = recording()  # 6 frames at 20 a second: every other row
    answer = FolderMethod("theirs", tmp_path).estimate(walk, ("a", "b"), tmp_path)
    np.testing.assert_allclose(answer.coordinates, rows[::2], atol=1e-6)
    assert answer.model == tmp_path / "walk/any.osim"


@pytest.mark.parametrize(
    ("start", "num_rows", "said"),
    [(0.2, 12, "times 0.200 to 0.475 s, expected 0 to 0.250"), (0.0, 5, "times 0.000 to 0.100 s")],
)
def test_a_motion_that_does_not_cover_the_recording(
    tmp_path: Path, start: float, num_rows: int, said: str
) -> None:
    write_motion(tmp_path / "walk", start, num_rows=num_rows)
    with pytest.raises(InputError, match=said):
        FolderMethod("theirs", tmp_path).estimate(recording(), ("a", "b"), tmp_path)


def test_angles_that_a_file_does_not_tell_are_not_claimed(tmp_path: Path) -> None:
    write_motion(tmp_path / "walk")
    file = tmp_path / "walk/any.mot"
    text = file.read_text()
    file.write_text(text.replace("elbow_flex_l", "nothing_known").replace("hip_flexion_r", "RightHipFlexion"))
    answer = FolderMethod("theirs", tmp_path).estimate(recording(), ("a", "b"), tmp_path)
    assert "elbow_flex_l" not in answer.coordinate_names
    assert {"hip_flexion_r", "knee_angle_l_beta"} <= set(answer.coordinate_names)
    assert answer.coordinates.shape[1] == len(answer.coordinate_names)
    assert any("RightHipFlexion as hip_flexion_r" in note for note in answer.notes)


def test_a_slow_recording_is_seen_as_it_is_and_nobody_is_told(filmed: Filmed, tmp_path: Path) -> None:
    whole = filmed_recording(filmed)
    views = {name: replace(view, frames=view.frames[::4]) for name, view in whole.views.items()}
    slow = replace(whole, rate=RATE / 4, num_frames=len(views["cam_a"].frames), views=views)
    method = Estimator("ours", untrained(tiny_config()), "w")
    assert len(method.estimate(slow, ("cam_a", "cam_b"), tmp_path).times) == slow.num_frames
    masks = {
        name: replace(view, mask=black(view, tmp_path / f"{name}.mkv")) for name, view in whole.views.items()
    }
    with pytest.raises(InputError, match="nobody in any of"):
        method.estimate(replace(whole, views=masks), ("cam_a", "cam_b"), tmp_path)


def black(view: View, path: Path) -> Path:
    with VideoWriter(path, "ffv1", (view.camera.width, view.camera.height), RATE) as writer:
        for _ in view.frames:
            writer.write(np.zeros((view.camera.height, view.camera.width), np.uint8))
    return path


def test_no_motion_or_several(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"walk: found 0 \.mot files, expected one, or walk\.mot beside"):
        FolderMethod("theirs", tmp_path).estimate(recording(), ("a", "b"), tmp_path)
    write_motion(tmp_path / "walk")
    (tmp_path / "walk/other.mot").write_text("")
    with pytest.raises(InputError, match=r"found 2 \.mot files"):
        FolderMethod("theirs", tmp_path).estimate(recording(), ("a", "b"), tmp_path)


def test_a_changed_file_changes_the_facts(tmp_path: Path) -> None:
    write_motion(tmp_path / "walk")
    method = FolderMethod("theirs", tmp_path)
    before = method.facts
    write_motion(tmp_path / "walk", num_rows=13)
    assert replace(method).facts != before
