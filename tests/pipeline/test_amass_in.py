"""AMASS files drive body and skeleton alike: SMPL-X as it is, the open body with steps that fit its legs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from odah.body.checks import check_plausibility, floor_contact, lowest_points
from odah.body.fitting.body_fitter import BodyFitter
from odah.body.model import BodyModel, load_body
from odah.body.registration import load_registration
from odah.body.shape.bone_lengths import BONE_LENGTHS, with_bone_lengths
from odah.body.smplx_export import write_smplx_npz
from odah.config import SubjectsConfig
from odah.motion import Motion, Source, write_amass
from odah.motion.amass import read_amass
from odah.motion.retarget import REST_PELVIS
from odah.names import SIDES, SMPLX_INDEX
from odah.pipeline.kinematics import motion_kinematics, place_on_body
from odah.pipeline.subjects import subject_of_motion

RATE = 60.0
SMPLH_REST_PELVIS = np.array([-0.0018, -0.2233, 0.0282])


@pytest.fixture(scope="module")
def fitter() -> BodyFitter:
    return BodyFitter(load_body(), load_registration())


def person(fitter: BodyFitter, height: float, gender: str) -> np.ndarray:
    betas = fitter.unstretched.betas_from_attributes(height, 22.0, gender)
    return np.concatenate([betas, np.zeros(fitter.body.num_betas - len(betas))])


def planted(body: BodyModel, betas: np.ndarray, num_frames: int = 90) -> Motion:
    """Someone who squats and sways with both feet flat and still on z = 0, as a motion of SMPL-X.

    Thighs and shanks turn in parallel; the ankles turn back, and `transl` holds the left one.
    """
    phase = np.linspace(0, 2 * np.pi, num_frames)
    bend, sway = 0.35 * (1 - np.cos(phase)), 0.08 * np.sin(phase)
    thigh, shank = (Rotation.from_euler("ZX", np.stack([sway, angle], axis=1)) for angle in (-bend, bend))
    poses = np.zeros((num_frames, 55, 3))
    poses[:, 0] = (
        Rotation.from_euler("z", 70, degrees=True) * Rotation.from_euler("x", 90, degrees=True)
    ).as_rotvec()
    for side in SIDES:
        poses[:, SMPLX_INDEX[f"{side}_hip"]] = thigh.as_rotvec()
        poses[:, SMPLX_INDEX[f"{side}_knee"]] = (thigh.inv() * shank).as_rotvec()
        poses[:, SMPLX_INDEX[f"{side}_ankle"]] = shank.inv().as_rotvec()
        poses[:, SMPLX_INDEX[f"{side}_shoulder"], 2] = -1.0 if side == "left" else 1.0
    vertices, joints = posed(body, betas, poses, np.zeros((num_frames, 3)))
    ankle = joints[:, SMPLX_INDEX["left_ankle"]]
    floor = (vertices[..., 2].min(axis=1) - ankle[:, 2]).min()
    transl = [2.0, -1.0, -floor] - ankle + joints[:, 0] - REST_PELVIS
    return Motion(poses, transl, RATE, Source("made", "amass"), surface_model="smplx")


def posed(body: BodyModel, betas: np.ndarray, poses: np.ndarray, transl: np.ndarray):
    tensors = [torch.as_tensor(a, dtype=body.dtype) for a in (betas, poses, transl)]
    with torch.no_grad():
        pose = body(*tensors)
    return pose.vertices.double().numpy(), pose.joints.double().numpy()


def smplh_entries(motion: Motion) -> dict[str, Any]:
    """The same motion as the SMPL-H files of AMASS hold it: no jaw and eyes, the pelvis joint elsewhere."""
    columns = np.concatenate([motion.poses[:, :22], motion.poses[:, 25:]], axis=1)
    return {
        "poses": columns.reshape(len(columns), 156),
        "trans": motion.transl + REST_PELVIS - SMPLH_REST_PELVIS,
        "betas": np.full(16, 1.5),
        "dmpls": np.ones((len(columns), 8)),
        "gender": np.array(b"female"),
        "mocap_framerate": np.array(120.00004577),
    }


@pytest.mark.parametrize(("recorded", "shown"), [(1.55, 1.90), (1.88, 1.56)])
def test_planted_feet_stay_planted_on_other_legs(fitter: BodyFitter, recorded: float, shown: float) -> None:
    body = fitter.body
    motion = planted(body, person(fitter, recorded, "female"))
    betas = person(fitter, shown, "male")
    placed = place_on_body(motion, body, betas)
    vertices, joints = posed(body, betas, placed.poses, placed.transl)
    contact = floor_contact(lowest_points([vertices], RATE), floor=0.0)
    assert contact.penetration_max_mm < 5
    assert contact.floating_p95_mm < 5
    for side in SIDES:
        ankle = joints[:, SMPLX_INDEX[f"{side}_ankle"]]
        sliding_mm = 1e3 * np.linalg.norm(np.diff(ankle, axis=0), axis=1)
        assert sliding_mm.mean() < 1.5, "other proportions of thigh and shank leave some"
    assert np.ptp(joints[:, 0, 2]) > 0.1, "the hips go up and down"


def test_the_path_is_scaled_as_the_legs_are(fitter: BodyFitter) -> None:
    """Hips as high, and steps as long, as the legs are long."""
    short, tall = person(fitter, 1.55, "female"), person(fitter, 1.90, "male")
    motion = planted(fitter.body, short)
    motion = replace(motion, transl=motion.transl + np.linspace(0, 1, motion.num_frames)[:, None] * [3, 4, 0])
    own = place_on_body(motion, fitter.body, short)
    placed = place_on_body(motion, fitter.body, tall)
    way = placed.transl[-1] - placed.transl[0]
    assert np.linalg.norm(own.transl[-1] - own.transl[0]) == pytest.approx(5, rel=0.01)
    joints = [
        posed(fitter.body, betas, np.zeros((1, 55, 3)), np.zeros((1, 3)))[1][0] for betas in (short, tall)
    ]
    left = [SMPLX_INDEX[f"left_{name}"] for name in ("hip", "knee", "ankle")]
    legs = [np.linalg.norm(np.diff(joint[left], axis=0), axis=1).sum() for joint in joints]
    assert np.linalg.norm(way) / 5 == pytest.approx(legs[1] / legs[0], rel=0.03)
    np.testing.assert_allclose(way / np.linalg.norm(way), [0.6, 0.8, 0], atol=1e-3)


def test_smplh_and_smplx_files_of_one_motion_agree(fitter: BodyFitter, tmp_path: Path) -> None:
    """Their pelvis joints are told from different places; their betas mean nothing on the open body."""
    betas = person(fitter, 1.75, "male")
    motion = planted(fitter.body, person(fitter, 1.6, "female"))
    write_amass(tmp_path / "x.npz", motion)
    np.savez(tmp_path / "h.npz", **smplh_entries(motion))
    found = [read_amass(tmp_path / name) for name in ("x.npz", "h.npz")]
    assert [each.surface_model for each in found] == ["smplx", "smplh"]
    placed = [place_on_body(each, fitter.body, betas) for each in found]
    np.testing.assert_allclose(placed[0].transl, placed[1].transl, atol=1e-9)
    np.testing.assert_array_equal(placed[0].poses, placed[1].poses)


def test_skeleton_and_mesh_of_an_smplh_file_stand_on_its_floor(fitter: BodyFitter, tmp_path: Path) -> None:
    """The whole way: file, virtual markers, inverse kinematics, fitted body."""
    np.savez(tmp_path / "h.npz", **smplh_entries(planted(fitter.body, person(fitter, 1.6, "female"))))
    motion = read_amass(tmp_path / "h.npz", rate=RATE)
    people = SubjectsConfig(height=(1.85, 1.88), bmi=(21, 24))
    subject = subject_of_motion("tall", fitter, motion, "male", people, np.random.default_rng(0))
    kinematics = motion_kinematics(motion, fitter, subject)
    fit = fitter.fit_pose(kinematics, subject.betas, motion.poses)
    found = check_plausibility(fitter.body, fit.betas, fit.poses, fit.transl, kinematics, floor=0.0)
    assert found.sliding.stance_share > 0.9
    assert found.sliding.skeleton_mm < 0.5
    assert abs(found.sliding.excess_mm) < 0.5
    assert found.contact.penetration_p95_mm < 10
    assert found.contact.floating_p95_mm < 10
    assert found.overlaps == ()


@pytest.mark.parametrize("side", SIDES)
def test_left_stays_left(fitter: BodyFitter, tmp_path: Path, side: str) -> None:
    """One knee and one elbow of the file bend; those of the skeleton's same side do."""
    motion = planted(fitter.body, person(fitter, 1.7, "female"), num_frames=4)
    motion.poses[:, SMPLX_INDEX[f"{side}_knee"], 0] += 1.0
    motion.poses[:, SMPLX_INDEX[f"{side}_elbow"], 1] += -1.2 if side == "left" else 1.2
    np.savez(tmp_path / "h.npz", **smplh_entries(motion))
    read = read_amass(tmp_path / "h.npz")
    subject = subject_of_motion("one", fitter, read, "male", SubjectsConfig(), np.random.default_rng(0))
    solved = motion_kinematics(read, fitter, subject)
    values = dict(zip(solved.model.coordinate_names, solved.coordinates.T, strict=True))
    other = "r" if side == "left" else "l"
    for name in ("knee_angle", "elbow_flex"):
        assert (values[f"{name}_{side[0]}"] > values[f"{name}_{other}"] + 0.7).all()


@pytest.fixture(scope="module")
def licensed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the open body in the place of the licensed file."""
    folder = tmp_path_factory.mktemp("models")
    write_smplx_npz(load_body(dtype=torch.float64), folder / "smplx" / "SMPLX_NEUTRAL.npz")
    return folder


def smplx_files(folder: Path) -> dict[str, Path]:
    """One random motion with 165 columns, and split by body part, as AMASS has it."""
    rng = np.random.default_rng(5)
    poses = rng.normal(0, 0.3, (3, 165))
    common: dict[str, Any] = {
        "trans": rng.normal(size=(3, 3)),
        "betas": rng.normal(size=16),
        "gender": np.array("neutral"),
        "surface_model_type": np.array("smplx_locked_head"),
        "mocap_frame_rate": np.array(120.0),
        "mocap_time_length": np.array(0.025),
    }
    parts = {"root_orient": (0, 3), "pose_body": (3, 66), "pose_jaw": (66, 69), "pose_eye": (69, 75),
             "pose_hand": (75, 165)}  # fmt: skip
    np.savez(folder / "joined.npz", poses=poses, **common)
    split: dict[str, Any] = {name: poses[:, a:b] for name, (a, b) in parts.items()}
    np.savez(folder / "split.npz", **common, **split)
    return {name: folder / f"{name}.npz" for name in ("joined", "split")}


@pytest.mark.parametrize("layout", ["joined", "split"])
def test_the_mesh_of_a_file_is_that_of_the_smplx_package(licensed: Path, tmp_path: Path, layout: str) -> None:
    smplx = pytest.importorskip("smplx", reason="the smplx package (non-commercial licence) is not installed")
    path = smplx_files(tmp_path)[layout]
    with np.load(path) as entries:
        file = {name: torch.as_tensor(entries[name]) for name in entries.files if entries[name].ndim > 0}
    if layout == "joined":
        file |= {"root_orient": file["poses"][:, :3], "pose_body": file["poses"][:, 3:66],
                 "pose_jaw": file["poses"][:, 66:69], "pose_eye": file["poses"][:, 69:75],
                 "pose_hand": file["poses"][:, 75:]}  # fmt: skip
    reference = smplx.create(
        licensed, "smplx", use_pca=False, flat_hand_mean=True, num_betas=16, batch_size=3, dtype=torch.float64
    )
    expected = reference(
        betas=file["betas"].expand(3, 16), global_orient=file["root_orient"], body_pose=file["pose_body"],
        jaw_pose=file["pose_jaw"], leye_pose=file["pose_eye"][:, :3], reye_pose=file["pose_eye"][:, 3:],
        left_hand_pose=file["pose_hand"][:, :45], right_hand_pose=file["pose_hand"][:, 45:],
        transl=file["trans"],
    )  # fmt: skip
    motion = read_amass(path)
    assert motion.betas is not None
    body = with_bone_lengths(load_body(licensed, dtype=torch.float64))
    betas = np.concatenate([motion.betas, np.zeros(len(BONE_LENGTHS))])
    placed = place_on_body(motion, body, betas)
    np.testing.assert_array_equal(placed.transl, file["trans"])
    vertices, _ = posed(body, betas, placed.poses, placed.transl)
    np.testing.assert_allclose(vertices, expected.vertices.detach().numpy(), atol=1e-5)


def test_other_betas_or_another_body_are_scaled(licensed: Path, tmp_path: Path, fitter: BodyFitter) -> None:
    motion = read_amass(smplx_files(tmp_path)["joined"])
    assert motion.betas is not None
    body = with_bone_lengths(load_body(licensed, dtype=torch.float64))
    betas = np.concatenate([motion.betas, np.zeros(len(BONE_LENGTHS))])
    for changed, on, shape in (
        (motion, body, betas + 0.1),
        (replace(motion, surface_model="smplh"), body, betas),
        (motion, fitter.body, betas),
    ):
        assert not np.allclose(place_on_body(changed, on, shape).transl, motion.transl, atol=1e-4)
