"""A motion on another model becomes the same motion on the full-body model."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from odah.errors import InputError
from odah.motion.types import Source
from odah.names import bone_of
from odah.osim import full_body_model, scale_model
from odah.osim.kinematics import Kinematics, load_opensim_motion, model_markers
from odah.osim.model import STILL, Joint, Marker, Model, TransformAxis, rigid
from odah.osim.transfer import transfer_kinematics

ASYMMETRIC = {
    "pelvis_rotation": 20, "pelvis_list": 6, "hip_flexion_r": 45, "hip_adduction_r": -12, "hip_rotation_l": 9,
    "hip_flexion_l": -12, "knee_angle_r": 70, "knee_angle_l": 12, "ankle_angle_r": -14, "ankle_angle_l": 11,
    "subtalar_angle_l": 8, "mtp_angle_r": -15, "lumbar_bending": 9, "lumbar_extension": -14, "arm_flex_r": 62,
    "arm_add_l": -48, "arm_rot_l": 25, "elbow_flex_r": 84, "elbow_flex_l": 22, "pro_sup_r": 35,
    "pro_sup_l": 88,
}  # fmt: skip
"""Degrees; no two sides alike, all within the ranges."""


def moving(model: Model, degrees: Mapping[str, float] = ASYMMETRIC, frames: int = 4) -> Kinematics:
    """From rest to the asymmetric pose, walking away to the left."""
    values = np.tile(model.default_coordinates, (frames, 1))
    share = np.linspace(0.0, 1.0, frames)
    for name, angle_deg in degrees.items():
        if name in model.coordinate_names:
            values[:, model.coordinate_names.index(name)] = np.deg2rad(angle_deg) * share
    for name, metres in {"pelvis_tx": 1.1, "pelvis_tz": -0.4, "pelvis_ty": 0.9}.items():
        if name in model.coordinate_names:
            values[:, model.coordinate_names.index(name)] = metres * (0.5 + share / 2)
    for coupler in model.couplers:
        values[:, model.coordinate_names.index(coupler.dependent)] = values[
            :, model.coordinate_names.index(coupler.independent[0])
        ]
    return Kinematics(model, values, 30.0, Source("made.mot", "mot"), 0.25, np.ones((len(model.bodies), 3)))


def centres(solved: Kinematics, bodies: dict[str, str]) -> np.ndarray:
    """(T, N, 3) of the joints that hold the bodies."""
    joints = {joint.child: joint for joint in solved.model.joints}
    points = [Marker(name, name, joints[name].T_child[:3, 3]) for name in bodies.values()]
    return model_markers(solved.model.with_markers(tuple(points)), solved.coordinates)


def renamed(model: Model, bodies: dict[str, str], suffix: str = "_x") -> Model:
    """Other names for bodies, and `suffix` for joints and coordinates; all in the opposite order."""

    def body(name: str) -> str:
        return bodies.get(name, name)

    def axis(part: TransformAxis) -> TransformAxis:
        return replace(part, coordinates=tuple(name + suffix for name in part.coordinates))

    return replace(
        model,
        bodies=tuple(replace(b, name=body(b.name)) for b in model.bodies[::-1]),
        joints=tuple(
            replace(
                joint, name=joint.name + suffix, parent=body(joint.parent), child=body(joint.child),
                rotations=tuple(map(axis, joint.rotations)),
                translations=tuple(map(axis, joint.translations)),
                coordinate_names=tuple(name + suffix for name in joint.coordinate_names),
            )
            for joint in model.joints[::-1]
        ),
        coordinates=tuple(replace(c, name=c.name + suffix) for c in model.coordinates[::-1]),
        couplers=tuple(
            replace(c, dependent=c.dependent + suffix, independent=tuple(n + suffix for n in c.independent))
            for c in model.couplers
        ),
        markers=(),
    )  # fmt: skip


def as_renamed(solved: Kinematics, bodies: dict[str, str]) -> Kinematics:
    return replace(
        solved, model=renamed(solved.model, bodies), coordinates=solved.coordinates[:, ::-1].copy()
    )


def without(model: Model, bodies: tuple[str, ...], welded: tuple[str, ...] = ()) -> Model:
    """Lacking some bodies with what moves them, and with some joints welded."""
    joints = [joint for joint in model.joints if joint.child not in bodies]
    still = [j for j in model.joints if j.child in bodies or j.name in welded]
    gone = {name for joint in still for name in joint.coordinate_names}

    def unmoving(joint: Joint) -> Joint:
        axes = tuple(TransformAxis(axis.axis, STILL) for axis in joint.rotations)
        return replace(joint, coordinate_names=(), rotations=axes)

    joints = [unmoving(joint) if joint.name in welded else joint for joint in joints]
    return replace(
        model,
        bodies=tuple(body for body in model.bodies if body.name not in bodies),
        joints=tuple(joints),
        coordinates=tuple(c for c in model.coordinates if c.name not in gone),
        couplers=tuple(c for c in model.couplers if c.dependent not in gone),
        markers=(),
    )


OTHER_NAMES = {
    "femur_r": "r_thigh", "femur_l": "l_thigh", "tibia_r": "RightShank", "tibia_l": "LeftShank",
    "calcn_r": "foot_r", "calcn_l": "foot_l", "torso": "thorax", "humerus_r": "upperArmR",
    "humerus_l": "upperArmL",
}  # fmt: skip


def angle(solved: Kinematics, name: str) -> np.ndarray:
    return np.rad2deg(solved.coordinates[:, solved.model.coordinate_names.index(name)])


@pytest.mark.parametrize(
    ("name", "bone"),
    [
        ("femur_r", "femur_r"), ("r_thigh", "femur_r"), ("RightUpperLeg", "femur_r"), ("thighL", "femur_l"),
        ("LFemur", "femur_l"), ("thorax", "torso"), ("calcaneus_l", "calcn_l"), ("hand_r", "hand_r"),
        ("femur", None), ("torso_r", None), ("patella_r", None), ("femur_r_l", None), ("", None),
        ("lumbar1", None),
    ],
)  # fmt: skip
def test_bodies_are_known_by_other_names(name: str, bone: str | None) -> None:
    assert bone_of(name) == bone


def test_other_names_and_another_order_change_nothing_but_rounding() -> None:
    factors = np.full((22, 3), 1.07)
    ours = moving(scale_model(full_body_model(), factors, mass=81.0))
    found = transfer_kinematics(as_renamed(ours, OTHER_NAMES), full_body_model())
    np.testing.assert_allclose(found.scale_factors, factors, atol=1e-6)
    assert found.model.coordinate_names == full_body_model().coordinate_names
    assert found.model.mass == pytest.approx(81.0)
    assert (found.rate, found.start_time) == (30.0, 0.25)
    bodies = {name: name for name in ours.model.body_names}
    np.testing.assert_allclose(centres(found, bodies), centres(ours, bodies), atol=1e-4)
    for name in ASYMMETRIC:
        np.testing.assert_allclose(angle(found, name), angle(ours, name), atol=0.05, err_msg=name)
    assert found.marker_errors is not None
    assert found.marker_errors.max() < 1e-4
    assert any("joint centres 0.0 mm RMS" in note for note in found.notes)


def test_a_model_of_bones_that_are_stretched_differently_is_followed_within_millimetres() -> None:
    rng = np.random.default_rng(3)
    generic = full_body_model()
    factors = rng.uniform(0.9, 1.1, (22, 1)) * rng.uniform(0.95, 1.05, (22, 3))
    ours = moving(scale_model(generic, factors))
    found = transfer_kinematics(as_renamed(ours, {}), generic)
    bodies = {name: name for name in generic.body_names if not name.startswith("patella")}
    assert np.linalg.norm(centres(found, bodies) - centres(ours, bodies), axis=-1).mean() < 2e-3
    for name in ASYMMETRIC:
        assert np.abs(angle(found, name) - angle(ours, name)).mean() < 1.5, name


def test_a_model_without_arms_gets_arms_that_hang() -> None:
    arms = tuple(f"{bone}_{side}" for bone in ("humerus", "ulna", "radius", "hand") for side in "rl")
    theirs = moving(without(full_body_model(), arms))
    found = transfer_kinematics(theirs, full_body_model())
    for side in "rl":
        assert 5 < angle(found, f"elbow_flex_{side}")[3] < 30
        assert -15 < angle(found, f"arm_add_{side}")[3] < 0
    assert np.ptp(angle(found, "arm_flex_r")) == 0
    note = next(note for note in found.notes if "held still" in note)
    assert "arm_flex_r" in note
    assert "hip_flexion_r" not in note
    np.testing.assert_allclose(angle(found, "knee_angle_r"), angle(theirs, "knee_angle_r"), atol=0.1)


def test_welded_wrists_and_toes_stay_at_zero_and_are_named() -> None:
    theirs = moving(without(full_body_model(), (), ("radius_hand_r", "radius_hand_l", "mtp_r")))
    found = transfer_kinematics(theirs, full_body_model())
    for name in ("wrist_flex_r", "wrist_dev_l", "mtp_angle_r"):
        assert not angle(found, name).any()
        assert any("held still" in note and name in note for note in found.notes)
    np.testing.assert_allclose(angle(found, "elbow_flex_r"), angle(theirs, "elbow_flex_r"), atol=0.05)


def test_toes_and_wrists_that_were_never_moved_stay_at_zero() -> None:
    """Else they would make up for what two models' feet differ in."""
    theirs = as_renamed(moving(full_body_model(), {"subtalar_angle_l": 8, "knee_angle_r": 40}), {})
    found = transfer_kinematics(theirs, full_body_model())
    note = next(note for note in found.notes if "held still" in note)
    assert "mtp_angle_r" in note
    assert "subtalar_angle_r" in note
    assert "subtalar_angle_l" not in note
    assert angle(found, "subtalar_angle_l")[-1] == pytest.approx(8, abs=0.1)


def test_a_foot_or_forearm_of_one_piece_is_followed() -> None:
    """Ankle and elbow are then the joints of foot and forearm."""
    generic = full_body_model()
    theirs = without(generic, (), ("subtalar_r", "subtalar_l", "radioulnar_r", "radioulnar_l"))
    for near, far in (("talus", "calcn"), ("ulna", "radius")):
        for side in "rl":
            theirs = _merged(theirs, f"{near}_{side}", f"{far}_{side}")
    solved = moving(theirs)
    found = transfer_kinematics(solved, generic)
    for name in ("ankle_angle_r", "ankle_angle_l", "elbow_flex_r", "elbow_flex_l", "arm_flex_r"):
        np.testing.assert_allclose(angle(found, name), angle(solved, name), atol=2.0, err_msg=name)


def _merged(model: Model, near: str, far: str) -> Model:
    """One body for two that are welded: the near one's joint holds the far one."""
    weld = next(joint for joint in model.joints if joint.child == far)
    T_near_far = weld.T_parent @ np.linalg.inv(weld.T_child)

    def moved(joint: Joint) -> Joint:
        if joint.child == near:
            return replace(joint, child=far, T_child=np.linalg.inv(T_near_far) @ joint.T_child)
        return joint

    return replace(
        model,
        bodies=tuple(body for body in model.bodies if body.name != near),
        joints=tuple(moved(joint) for joint in model.joints if joint is not weld),
    )


def test_a_model_that_rests_with_spread_arms_is_matched_by_where_its_bones_point() -> None:
    """Its arms are zero where ours are lifted sideways; it then moves them down and bends the elbows."""
    generic = full_body_model()

    def spread(joint: Joint) -> Joint:
        if not joint.name.startswith("acromial"):
            return joint
        side = 1.0 if joint.name.endswith("_r") else -1.0
        about_x = np.array([[1, 0, 0], [0, 0, side], [0, -side, 0]])  # takes -y, down the arm, sideways
        return replace(joint, T_parent=joint.T_parent @ rigid(np.zeros(3), about_x))

    theirs = renamed(replace(generic, joints=tuple(map(spread, generic.joints))), {})
    lowered = {"arm_add_r_x": 75, "arm_add_l_x": 60, "elbow_flex_r_x": 50, "elbow_flex_l_x": 20}
    solved = moving(theirs, lowered)
    found = transfer_kinematics(solved, generic)
    bodies = {name: name for name in generic.body_names if "hand" in name or "radius" in name}
    assert np.linalg.norm(centres(found, bodies) - centres(solved, bodies), axis=-1).max() < 0.005
    assert angle(found, "arm_add_r")[0] == pytest.approx(-90, abs=3)
    assert angle(found, "arm_add_l")[-1] == pytest.approx(-30, abs=3)
    assert angle(found, "elbow_flex_r")[-1] == pytest.approx(50, abs=3)


def test_bodies_that_are_no_persons_are_refused_by_name() -> None:
    generic = full_body_model()
    with pytest.raises(InputError, match=r"made\.mot.*'calcn_r'"):
        transfer_kinematics(moving(renamed(generic, {"calcn_r": "wheel", "talus_r": "axle"})), generic)


@pytest.mark.parametrize(
    ("turn", "told"),
    [
        ([[1, 0, 0], [0, 0, -1], [0, 1, 0]], "up is not along y"),
        ([[-1, 0, 0], [0, 1, 0], [0, 0, -1]], "to the right is not along z"),
    ],
)
def test_a_model_that_does_not_stand_upright_facing_x_is_refused(turn: list[list[int]], told: str) -> None:
    generic = full_body_model()
    root = replace(generic.joints[0], T_parent=rigid(np.zeros(3), np.array(turn, dtype=float)))
    model = replace(generic, joints=(root, *generic.joints[1:]))
    with pytest.raises(InputError, match=told):
        transfer_kinematics(moving(renamed(model, {}), {}), generic)


def test_a_model_in_millimetres_is_refused() -> None:
    generic = full_body_model()
    with pytest.raises(InputError, match="in metres"):
        transfer_kinematics(moving(renamed(scale_model(generic, np.full((22, 3), 1e3)), {}), {}), generic)


REAL = {
    "opencap_walking": (
        "opencap_processing/Moco/exampleWalking/walking1_videoAndMocap.mot",
        "opencap_processing/OpenSimPipeline/Models/LaiUhlrich2022.osim",
        3.0, 1.2,
    ),
    "opencap_squats": (
        "opencap_processing/Moco/exampleSquat/squats1_videoAndMocap.mot",
        "opencap_processing/OpenSimPipeline/Models/LaiUhlrich2022.osim",
        3.0, 1.2,
    ),
    "gait2354": (
        "opensim_models/Pipelines/Gait2354_Simbody/OutputReference/subject01_walk1_ik.mot",
        "opensim_models/Pipelines/Gait2354_Simbody/OutputReference/subject01_simbody.osim",
        12.0, 6.0,
    ),
    "addbiomechanics": (
        "opensim_core/moco3dwalking/coordinates.sto", "opensim_core/moco3dwalking/subject_walk_scaled.osim",
        3.0, 1.2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_real_results_keep_their_joint_centres_and_angles(shared_data: Path, name: str) -> None:
    """Around the deepest bend of the knee, where models differ most."""
    motion, model, limit_mm, limit_deg = REAL[name]
    solved = load_opensim_motion(shared_data / motion, shared_data / model)
    most_bent = int(np.abs(angle(solved, "knee_angle_r")).argmax())
    frames = slice(max(most_bent - 4, 0), most_bent + 4)
    solved = replace(solved, coordinates=solved.coordinates[frames].copy())
    found = transfer_kinematics(solved, full_body_model())
    assert found.marker_errors is not None
    assert found.marker_errors.mean() < limit_mm / 1e3
    bent = -1 if name == "gait2354" else 1  # that model counts flexion of the knee negative
    for side in "rl":
        for coordinate in (f"hip_flexion_{side}", f"ankle_angle_{side}", f"hip_adduction_{side}"):
            away = angle(found, coordinate) - angle(solved, coordinate)
            assert np.abs(away).mean() < limit_deg, coordinate
        away = angle(found, f"knee_angle_{side}") - bent * angle(solved, f"knee_angle_{side}")
        assert np.abs(away).mean() < limit_deg
    assert angle(found, "knee_angle_r").max() > 55
