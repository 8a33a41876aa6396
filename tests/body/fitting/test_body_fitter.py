"""Measured markers on a body: placing, following, telling how well, and refusing what is mislabelled."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch

from odah.body.animation import BodyAnimation, body_topology, load_animation, write_animation
from odah.body.fitting.body_fitter import BodyFitter, FittedSubject
from odah.body.fitting.marker_checks import (
    check_seen,
    check_sides,
    crossed_pairs,
    exchanged,
    misplacement,
    side_pairs,
)
from odah.body.fitting.measured_markers import (
    MarkerPlacement,
    MeasuredMarkers,
    marker_rows,
    measured_markers,
    place_markers,
    vertices_of_bone,
)
from odah.body.fitting.residuals import BodyFit
from odah.body.fitting.skinned_points import SkinnedPoints
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.body.registration.pose_sampling import sample_poses
from odah.body.shape.bone_lengths import BONE_LENGTHS
from odah.body.so3 import rotvec_to_rotmat
from odah.errors import InputError
from odah.motion.amass import read_amass
from odah.motion.types import R_WORLD_GROUND, MarkerTrajectories, Source
from odah.names import SMPLX_INDEX
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model
from odah.osim.kinematics import Kinematics, solve_kinematics
from odah.osim.scale import scale_model

FRAMES = 12
GAP = (slice(2, 5), "RASI")


@pytest.fixture(scope="module")
def fitter() -> BodyFitter:
    return BodyFitter(load_body(), load_registration())


@pytest.fixture(scope="module")
def kinematics() -> Kinematics:
    """The full-body model, a little larger, whose limbs swing, left unlike right."""
    generic = full_body_model()
    factors = np.full((len(generic.bodies), 3), 1.04)
    model = scale_model(generic, factors)
    values = np.tile(model.default_coordinates, (FRAMES, 1))
    phase = np.linspace(0, 2 * np.pi, FRAMES)
    swings = {"hip_flexion_r": (0.2, 0.5, 0.0), "hip_flexion_l": (0.1, 0.4, 2.0),
              "knee_angle_r": (0.6, 0.4, 1.0), "knee_angle_l": (0.5, 0.3, 3.0),
              "arm_flex_r": (0.2, 0.6, 0.5), "arm_add_r": (-0.6, 0.2, 0.0),
              "arm_add_l": (-0.5, 0.2, 1.0), "elbow_flex_r": (0.9, 0.4, 0.0), "elbow_flex_l": (0.6, 0.5, 2.5),
              "lumbar_bending": (0.0, 0.1, 0.0), "pelvis_tx": (0.5, 0.5, 0.0)}  # fmt: skip
    for name, (middle, reach, start) in swings.items():
        values[:, model.coordinate_names.index(name)] = middle + reach * np.sin(phase + start)
    values = ForwardKinematics(model).couple(torch.from_numpy(values)).numpy()
    source = Source("made.trc", "test")
    names = model.marker_names
    return Kinematics(model, values, 50.0, source, 1.0, factors, tracked_markers=names)


@pytest.fixture(scope="module")
def recorded(kinematics: Kinematics) -> MarkerTrajectories:
    """Its markers, worn up to a centimetre elsewhere, one of them with a gap; five frames longer."""
    rng = np.random.default_rng(0)
    moved = tuple(
        replace(marker, offset=marker.offset + rng.uniform(-0.01, 0.01, 3))
        for marker in kinematics.model.markers
    )
    fk = ForwardKinematics(kinematics.model.with_markers(moved))
    positions = fk(torch.from_numpy(kinematics.coordinates)).markers.numpy()
    frames, name = GAP
    positions[frames, kinematics.model.marker_names.index(name)] = np.nan
    positions = np.concatenate([positions[:1].repeat(5, 0), positions])
    names = kinematics.model.marker_names
    return MarkerTrajectories(names, positions, 50.0, "ground", kinematics.source, start_time=0.9)


@pytest.fixture(scope="module")
def measured(recorded: MarkerTrajectories, kinematics: Kinematics) -> MeasuredMarkers:
    return measured_markers(recorded, kinematics)


@pytest.fixture(scope="module")
def subject(fitter: BodyFitter, kinematics: Kinematics, measured: MeasuredMarkers) -> FittedSubject:
    return fitter.fit_subject(kinematics, "female", height=1.72, markers=measured)


def test_measured_markers_are_those_of_the_solved_frames_in_world(measured, recorded):
    assert measured.positions.shape == (FRAMES, len(recorded.names), 3)
    np.testing.assert_allclose(measured.positions[3] @ R_WORLD_GROUND, recorded.positions[8])
    off = np.linalg.norm(measured.positions - measured.places, axis=-1)
    assert 0.001 < np.nanmedian(off) < 0.018
    assert measured.is_soft[measured.names.index("RTH1")]
    assert not measured.is_soft[measured.names.index("LASI")]


def test_markers_of_another_recording_are_refused(kinematics, recorded):
    with pytest.raises(InputError, match="no 'RACR'"):
        measured_markers(replace(recorded, names=("x", *recorded.names[1:])), kinematics)
    with pytest.raises(InputError, match="frames: found 10"):
        measured_markers(replace(recorded, positions=recorded.positions[:15]), kinematics)


@pytest.mark.parametrize("bone", ["pelvis", "femur_r", "tibia_l", "calcn_r", "torso", "humerus_l", "hand_r"])
def test_a_bones_skin_is_on_its_side(fitter, bone):
    across = fitter.body.v_template[vertices_of_bone(fitter.body, bone), 0].numpy()
    side = {"r": -1, "l": 1}.get(bone[-1:] if "_" in bone else "", 0)
    assert len(across) > 50
    assert (across * side >= -0.02).all() if side else across.min() < -0.05 < 0.05 < across.max()


def test_placed_markers_are_carried_as_the_skin_is(fitter):
    rng = np.random.default_rng(4)
    betas, poses, transl = np.zeros(fitter.body.num_betas), sample_poses(rng, 5), rng.normal(0, 1, (5, 3))
    bones = ("femur_r", "torso", "radius_l", "tibia_l")
    vertices = np.array([rng.choice(vertices_of_bone(fitter.body, bone)) for bone in bones])
    worn = MarkerPlacement(("a", "b", "c", "d"), vertices, rng.normal(0, 0.006, (4, 3)))
    places = carried(fitter, worn, betas, poses, transl)
    seen = MeasuredMarkers(worn.names, bones, places, places, np.zeros(4, bool))
    found = place_markers(fitter.body, seen, betas, poses, transl)
    assert found.names == worn.names
    np.testing.assert_allclose(carried(fitter, found, betas, poses, transl), places, atol=0.004)


def carried(fitter, placement, betas, poses, transl) -> np.ndarray:
    points = SkinnedPoints(fitter.body, marker_rows(placement, fitter.body.num_vertices))
    arrays = (torch.from_numpy(a) for a in (betas, poses, transl, placement.offsets))
    shape, turns, shift, offsets = arrays
    return points.pose(shape, rotvec_to_rotmat(turns), shift, offsets).points.numpy()


def test_joint_centres_are_no_surface_markers(fitter):
    betas, poses = np.zeros(fitter.body.num_betas), np.zeros((2, 55, 3))
    with torch.no_grad():
        posed = fitter.body(torch.from_numpy(betas), torch.from_numpy(poses), torch.zeros(2, 3))
    on_skin, hip = vertices_of_bone(fitter.body, "femur_r")[0], SMPLX_INDEX["right_hip"]
    places = torch.stack([posed.vertices[:, on_skin], posed.joints[:, hip]], 1).numpy().astype(float)
    seen = MeasuredMarkers(("RTHI", "RHJC"), ("femur_r",) * 2, places, places, np.zeros(2, bool))
    assert place_markers(fitter.body, seen, betas, poses, np.zeros((2, 3))).names == ("RTHI",)
    inside = seen.chosen(("RHJC",))
    with pytest.raises(InputError, match="none within 80 mm of the skin"):
        place_markers(fitter.body, inside, betas, poses, np.zeros((2, 3)))


def test_measured_markers_are_followed_where_they_are_worn(fitter, kinematics, measured, subject):
    fit = fitter.fit_pose(kinematics, subject, markers=measured)
    assert fit.marker_names == subject.placement.names
    assert fit.summary()["joints_mean_mm"] < 6
    assert fit.summary()["markers_mean_mm"] < 6
    frames, name = GAP
    gap = fit.marker_errors_mm[:, fit.marker_names.index(name)]
    assert np.isnan(gap[frames]).all()
    assert np.isfinite(np.delete(gap, range(FRAMES)[frames])).all()
    assert fit.by_marker()[name]["max"] == pytest.approx(np.nanmax(gap))
    assert set(fit.by_joint()) == set(fitter.registration.regressor.joint_names)


def test_placed_markers_keep_their_side(fitter, subject):
    across = fitter.body.v_template[subject.placement.vertices, 0].numpy()
    for name, x in zip(subject.placement.names, across, strict=True):
        if name not in ("C7", "CLAV"):
            assert (x > 0) == name.startswith("L"), name


def test_one_slipped_marker_does_not_pull_the_body(fitter, kinematics, measured, subject):
    clean = fitter.fit_pose(kinematics, subject, markers=measured)
    positions = measured.positions.copy()
    column = measured.names.index("LMT5")
    positions[6:, column] += [0.0, 0.0, 0.3]
    fit = fitter.fit_pose(kinematics, subject, markers=replace(measured, positions=positions))
    assert fit.marker_errors_mm[8, fit.marker_names.index("LMT5")] > 250
    np.testing.assert_allclose(fit.joint_errors_mm, clean.joint_errors_mm, atol=3)


def test_a_known_shape_stays_and_markers_are_placed_on_it(fitter, kinematics, measured):
    betas = np.zeros(fitter.body.num_betas)
    betas[0], betas[-1] = 0.4, 0.1
    known = fitter.fit_subject(kinematics, markers=measured, betas=betas)
    np.testing.assert_allclose(known.betas, betas, atol=1e-9)
    assert known.placement is not None


def test_wrong_use_is_named(fitter, kinematics, measured, subject):
    with pytest.raises(InputError, match="no marker placement"):
        fitter.fit_pose(kinematics, subject.betas, markers=measured)
    with pytest.raises(InputError, match="betas: found shape"):
        fitter.fit_subject(kinematics, betas=np.zeros(4))
    with pytest.raises(InputError, match="finite"):
        fitter.fit_pose(kinematics, np.full(fitter.body.num_betas, np.nan))
    with pytest.raises(InputError, match="height: found 3"):
        fitter.fit_subject(kinematics, height=3.0)


def fit_of(joints: np.ndarray, markers: np.ndarray) -> BodyFit:
    names = tuple(f"j{k}" for k in range(joints.shape[1])), tuple(f"m{k}" for k in range(markers.shape[1]))
    frames, errors = len(joints), np.concatenate([joints, markers], axis=1)
    points = np.stack([np.zeros_like(errors), 1e-3 * errors, np.zeros_like(errors)], axis=-1)
    still = np.zeros(2), np.zeros((frames, 55, 3)), np.zeros((frames, 3))
    return BodyFit(*still, np.zeros_like(points), points, *names)


def test_large_residuals_and_gaps_are_flagged():
    joints, markers = np.full((5, 2), 3.0), np.full((5, 4), 8.0)
    assert fit_of(joints, markers).flags() == ()
    joints[3] = [30, 25]
    markers[1, 1:] = np.nan
    fit = fit_of(joints, markers)
    assert fit.frame_flags() == (
        "", "less than half of the markers", "", "joints beyond 10 mm", "",
    )  # fmt: skip
    assert fit.flags() == ("2 of 5 frames are flagged",)
    told = " ".join(fit_of(joints + 9, np.where(np.isnan(markers), np.nan, 40.0)).flags())
    assert "joints are 16.9 mm off on average, beyond 10 mm; worst: j0" in told
    assert "markers are 40.0 mm off" in told
    told = fit_of(joints, np.where(np.arange(4) > 2, np.nan, markers)).flags()
    assert "35% of the marker positions are missing" in told


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (("RKNE", "LKNE", "C7", "RBAC"), (("RKNE", "LKNE"),)),
        (("R.Knee", "L.Knee", "T10"), (("R.Knee", "L.Knee"),)),
        (("knee_l", "knee_r"), (("knee_r", "knee_l"),)),
        (("RightHeel", "LeftHeel"), (("RightHeel", "LeftHeel"),)),
        (("CLAV", "STRN"), ()),
    ],
)
def test_side_pairs(names, pairs):
    assert side_pairs(names) == pairs


def test_exchanged_pairs_point_against_the_others(recorded):
    assert crossed_pairs(recorded) == ()
    wrong = (("RASI", "LASI"), ("RTOE", "LTOE"))
    assert set(crossed_pairs(exchanged(recorded, wrong))) == set(wrong)


def test_pairs_that_are_not_seen_or_fall_together_are_not_crossed(recorded):
    positions = recorded.positions.copy()
    positions[:, recorded.names.index("RTOE")] = np.nan
    positions[:, recorded.names.index("RLFC")] = positions[:, recorded.names.index("LLFC")]
    positions[1:, recorded.names.index("RASI")] = np.nan
    gappy = replace(recorded, positions=positions)
    assert crossed_pairs(gappy) == ()
    assert crossed_pairs(exchanged(gappy, [("RASI", "LASI")])) == (("RASI", "LASI"),)


def test_looking_for_exchanged_pairs_takes_memory_as_the_clip_does(recorded):
    long = replace(recorded, positions=np.tile(recorded.positions, (400, 1, 1)))
    tracemalloc.start()
    assert crossed_pairs(long) == ()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * long.positions.nbytes


def solve(markers: MarkerTrajectories) -> Kinematics:
    return solve_kinematics(markers)


def test_all_sides_exchanged_are_refused(recorded):
    wrong = exchanged(recorded, side_pairs(recorded.names))
    with pytest.raises(
        InputError, match=r"made\.trc, marker names: found all left and right names exchanged"
    ):
        check_sides(wrong, solve(wrong), solve)


@pytest.mark.parametrize("pairs", [(("RASI", "LASI"),), (("RLFC", "LLFC"), ("RTOE", "LTOE"))])
def test_exchanged_pairs_are_refused_by_name(recorded, kinematics, pairs):
    """Against the skeleton that the right names tell: what a solver makes of wrong ones is its own affair."""
    frames = replace(recorded, positions=recorded.positions[5:], start_time=kinematics.start_time)
    wrong = exchanged(frames, pairs)
    named = " and ".join("/".join(pair) for pair in pairs)
    with pytest.raises(InputError, match=f"found {named} exchanged"):
        check_sides(wrong, kinematics, lambda markers: kinematics)


def test_right_names_pass(recorded):
    solved = solve(recorded)
    assert misplacement(recorded, solved) < 0.05
    check_sides(recorded, solved, solve)
    check_seen(recorded, solved)


def test_a_recording_without_most_of_its_markers_is_refused(recorded, kinematics):
    positions = recorded.positions.copy()
    positions[np.random.default_rng(1).random(positions.shape[:2]) < 0.7] = np.nan
    with pytest.raises(InputError, match=r"marker positions: found (6|7)\d% of them missing"):
        check_seen(replace(recorded, positions=positions), kinematics)


@pytest.fixture
def animation(fitter: BodyFitter, subject: FittedSubject) -> BodyAnimation:
    rng = np.random.default_rng(3)
    return BodyAnimation(
        subject.betas, sample_poses(rng, 3), rng.normal(0, 1, (3, 3)), 60.0, "female",
        fitter.unstretched.name, body_topology(fitter.unstretched), subject.placement,
    )  # fmt: skip


def test_an_animation_poses_the_same_mesh_when_read_back(fitter, animation, tmp_path):
    write_animation(tmp_path / "a.npz", animation)
    found = load_animation(tmp_path / "a.npz")
    found.check_body(fitter.body, "a.npz")
    meshes = [
        fitter.body(*(torch.from_numpy(a) for a in (each.betas, each.poses, each.transl))).vertices
        for each in (animation, found)
    ]
    torch.testing.assert_close(meshes[0], meshes[1], atol=0, rtol=0)
    assert (found.rate, found.gender) == (60.0, "female")
    assert found.placement is not None
    assert found.placement.names == animation.placement.names
    np.testing.assert_array_equal(found.placement.offsets, animation.placement.offsets)
    assert found.bone_lengths["thigh"] == animation.betas[-len(BONE_LENGTHS)]


def test_an_animation_is_a_motion_of_amass(animation, tmp_path):
    write_animation(tmp_path / "a.npz", animation)
    motion = read_amass(tmp_path / "a.npz")
    np.testing.assert_array_equal(motion.poses, animation.poses)
    np.testing.assert_array_equal(motion.transl, animation.transl)
    np.testing.assert_array_equal(motion.betas, animation.betas[: -len(BONE_LENGTHS)])
    assert (motion.rate, motion.gender, motion.surface_model) == (60.0, "female", "odah_open")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"body_name": "SMPLX_MALE"}, "body: found 'SMPLX_MALE', expected 'open'"),
        ({"topology": "0123"}, "topology: found 0123"),
        ({"betas": np.zeros(19)}, "betas: found 10 numbers, expected the 16 of open"),
    ],
)
def test_an_animation_of_another_body_is_refused(fitter, animation, changes, message):
    with pytest.raises(InputError, match=message):
        replace(animation, **changes).check_body(fitter.body, "a.npz")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"betas": np.array(["tall"] * 16)}, r"a\.npz: betas: found values of type <U4, expected numbers"),
        ({"mocap_frame_rate": np.array("fast")}, "mocap_frame_rate: found values of type <U4"),
        ({"gender": np.array(1)}, "gender: found values of type int64, expected text"),
        (
            {"marker_vertices": np.zeros(2, int)},
            r"marker_vertices: found 2 markers, expected those of \d+ names",
        ),
    ],
)
def test_a_damaged_animation_is_refused(animation, tmp_path, changes, message):
    path = tmp_path / "a.npz"
    write_animation(path, animation)
    with np.load(path) as found:
        np.savez(path, **(dict(found) | changes))
    with pytest.raises(InputError, match=message):
        load_animation(path)
