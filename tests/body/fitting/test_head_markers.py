"""Markers on the head: which are known, where they sit, and a body's head that turns as they do."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from odah.body.fitting.body_fitter import BodyFitter
from odah.body.fitting.head_markers import head_markers, head_places, head_turns, place_on_head
from odah.body.fitting.marker_checks import exchanged
from odah.body.fitting.measured_markers import measured_markers, vertices_of_bone
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.errors import InputError
from odah.motion.types import R_WORLD_GROUND, MarkerTrajectories, Source
from odah.names import SMPLX_INDEX
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model
from odah.osim.kinematics import Kinematics

FRAMES = 12
BAND = ("LFHD", "RFHD", "LBHD", "RBHD")
GAP = slice(4, 7)
NECK, HEAD = SMPLX_INDEX["neck"], SMPLX_INDEX["head"]


@pytest.fixture(scope="module")
def fitter() -> BodyFitter:
    return BodyFitter(load_body(), load_registration())


@pytest.fixture(scope="module")
def kinematics() -> Kinematics:
    """The full-body model walks ahead and bends to its right; it has no markers on the head."""
    model = full_body_model()
    values = np.tile(model.default_coordinates, (FRAMES, 1))
    for name, reach in {
        "pelvis_tx": 0.5,
        "lumbar_bending": 0.2,
        "arm_add_r": -0.9,
        "arm_add_l": -0.7,
    }.items():
        values[:, model.coordinate_names.index(name)] += np.linspace(0.5, 1, FRAMES) * reach
    values = ForwardKinematics(model).couple(torch.from_numpy(values)).numpy()
    factors = np.ones((len(model.bodies), 3))
    source = Source("made.trc", "test")
    return Kinematics(model, values, 50.0, source, 0.0, factors, tracked_markers=model.marker_names)


@pytest.fixture(scope="module")
def bare(kinematics: Kinematics) -> MarkerTrajectories:
    """The model's own markers."""
    positions = ForwardKinematics(kinematics.model)(torch.from_numpy(kinematics.coordinates)).markers.numpy()
    names = kinematics.model.marker_names
    return MarkerTrajectories(names, positions, kinematics.rate, "ground", kinematics.source)


@pytest.fixture(scope="module")
def moved(fitter: BodyFitter, kinematics: Kinematics) -> tuple[np.ndarray, ...]:
    """betas, poses and transl of a body on that skeleton that looks to its left more and more, nodding."""
    subject = fitter.fit_subject(kinematics)
    fit = fitter.fit_pose(kinematics, subject)
    poses = fit.poses.copy()
    poses[:, NECK, 1] = np.linspace(0, 0.5, FRAMES)
    poses[:, HEAD] = np.stack(
        [0.2 * np.sin(0.5 * np.arange(FRAMES)), np.linspace(0, 0.4, FRAMES), np.zeros(FRAMES)], 1
    )
    return fit.betas, poses, fit.transl


@pytest.fixture(scope="module")
def banded(fitter: BodyFitter, bare: MarkerTrajectories, moved: tuple[np.ndarray, ...]) -> MarkerTrajectories:
    """With a band on that body's head, its markers up to a centimetre elsewhere than usual, and a gap."""
    betas, poses, transl = moved
    pool = vertices_of_bone(fitter.body, "head")
    vertices, offsets = place_on_head(fitter.body, betas, BAND, pool)
    offsets = offsets + np.random.default_rng(2).uniform(-0.01, 0.01, offsets.shape)
    with torch.no_grad():
        arrays = (torch.as_tensor(a, dtype=fitter.body.dtype) for a in (betas, poses, transl))
        posed = fitter.body(*arrays)
    rotmats = posed.joint_rotmats[:, HEAD].double().numpy()
    band = posed.vertices[:, vertices].double().numpy() + offsets @ rotmats.mT
    band[GAP, 1:3] = np.nan
    names = (*bare.names, *(f"Subject:{name.lower()}" for name in BAND))
    return replace(bare, names=names, positions=np.concatenate([bare.positions, band @ R_WORLD_GROUND], 1))


def renamed(markers: MarkerTrajectories, **names: str) -> MarkerTrajectories:
    return replace(markers, names=tuple(names.get(name.rsplit(":", 1)[-1], name) for name in markers.names))


def test_names_are_known_with_prefix_in_any_case_and_mirrored():
    places = head_places(["S1:LFHD", "rfhd", "Top.Head", "Rear.Head", "R_BHD", "LSHO", "C7", "S2:LFHD"])
    assert set(places) == {"S1:LFHD", "rfhd", "Top.Head", "Rear.Head", "R_BHD"}
    np.testing.assert_array_equal(places["S1:LFHD"] * [-1, 1, 1], places["rfhd"])
    assert places["S1:LFHD"][0] > 0 > places["R_BHD"][0]
    assert places["S1:LFHD"][2] > 0 > places["Rear.Head"][2]
    assert places["Top.Head"][1] == max(place[1] for place in places.values())


def test_markers_are_placed_on_the_heads_skin_where_their_names_say(fitter):
    pool = vertices_of_bone(fitter.body, "head")
    names = (*BAND, "ARIEL", "Front.Head", "HeadR")
    vertices, offsets = place_on_head(fitter.body, np.zeros(fitter.body.num_betas), names, pool)
    assert set(vertices) <= set(pool)
    np.testing.assert_allclose(np.linalg.norm(offsets, axis=1), 0.01)
    skin = fitter.body.v_template.numpy()
    places = dict(zip(names, skin[vertices], strict=True))
    assert places["LFHD"][0] > 0.04 > -0.04 > places["RFHD"][0]
    assert places["LFHD"][2] - places["LBHD"][2] > 0.1
    assert places["ARIEL"][1] > skin[:, 1].max() - 0.005
    assert places["Front.Head"][2] > places["LFHD"][2]
    assert places["HeadR"][0] < -0.06


def test_the_heads_turn_is_told_against_the_chest_and_across_gaps():
    rng = np.random.default_rng(3)
    worn = rng.normal(0, 0.1, (4, 3))
    chest = Rotation.random(5, rng=rng)
    turns = np.linspace(0.1, 0.9, 5)[:, None] * [0.3, 1.0, -0.4]
    head = (chest * Rotation.from_rotvec(turns)).as_matrix()
    seen = worn @ head.mT + rng.normal(0, 1, (5, 1, 3))
    seen[2, :2], seen[3, 1] = np.nan, np.nan
    found = head_turns(worn, seen, chest.as_matrix())
    assert found is not None
    np.testing.assert_allclose(found, turns, atol=1e-9)
    seen[:, :2] = np.nan
    assert head_turns(worn, seen, chest.as_matrix()) is None


def test_a_head_turns_as_its_markers(fitter, kinematics, banded, moved):
    betas, poses, _ = moved
    measured = measured_markers(banded, kinematics)
    assert measured.is_on_head.sum() == len(BAND)
    subject = fitter.fit_subject(kinematics, markers=measured, betas=betas)
    fit = fitter.fit_pose(kinematics, subject, markers=measured)

    def looks(rotvecs: np.ndarray) -> Rotation:
        turns = [Rotation.from_rotvec(rotvecs[:, SMPLX_INDEX[name]]) for name in CHAIN]
        whole = turns[0]
        for turn in turns[1:]:
            whole = whole * turn
        return whole

    off = np.rad2deg((looks(poses).inv() * looks(fit.poses)).as_rotvec())
    constant = off.mean(0)  # how the band sits on the head is only roughly known
    assert np.linalg.norm(constant) < 5
    assert np.linalg.norm(off - constant, axis=1).max() < 2
    told = fit.by_marker()
    assert max(told[name]["mean"] for name in measured.names[-4:]) < 5
    others = [errors["mean"] for name, errors in told.items() if name not in measured.names[-4:]]
    alone = measured_markers(
        replace(banded, names=banded.names[:-4], positions=banded.positions[:, :-4]), kinematics
    )
    without = fitter.fit_pose(
        kinematics, fitter.fit_subject(kinematics, markers=alone, betas=betas), markers=alone
    )
    assert np.mean(others) == pytest.approx(np.nanmean(without.marker_errors_mm), abs=0.3)


CHAIN = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")


def test_without_markers_on_the_head_nothing_is_added(kinematics, bare):
    measured = measured_markers(bare, kinematics)
    assert measured.names == kinematics.tracked_markers
    assert not measured.is_on_head.any()
    assert measured.notes == ()


def test_too_few_markers_on_the_head_are_not_followed_and_it_is_said(kinematics, banded):
    two = measured_markers(renamed(banded, lfhd="x", rbhd="y"), kinematics)
    assert not two.is_on_head.any()
    assert len(two.notes) == 1
    assert "Subject:rfhd" in two.notes[0]
    hidden = banded.positions.copy()
    hidden[: FRAMES // 2 + 1, -2:] = np.nan
    assert not measured_markers(replace(banded, positions=hidden), kinematics).is_on_head.any()


@pytest.mark.parametrize("pairs", [["fhd"], ["bhd"], ["fhd", "bhd"]])
def test_left_and_right_exchanged_on_the_head_are_refused(kinematics, banded, pairs):
    swapped = exchanged(banded, [(f"Subject:r{pair}", f"Subject:l{pair}") for pair in pairs])
    with pytest.raises(InputError, match=f"l{pairs[-1]}.* exchanged"):
        measured_markers(swapped, kinematics)


def test_a_band_worn_back_to_front_does_not_turn_the_head_round(kinematics, banded):
    turned = exchanged(banded, [("Subject:rfhd", "Subject:lbhd"), ("Subject:lfhd", "Subject:rbhd")])
    found = head_markers(turned, kinematics)
    assert found.names == ()
    assert found.positions.shape == (FRAMES, 0, 3)
    assert "not followed" in found.notes[0]
