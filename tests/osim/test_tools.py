"""OpenSim's tools behind our functions: real set-ups, people turned round and far away, gaps, failures."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from odah.errors import InputError, OdahError
from odah.motion.trc import read_trc
from odah.osim import setup_files, tools
from odah.osim.full_body import full_body_model
from odah.osim.ik import inverse_kinematics
from odah.osim.parse import read_model
from odah.osim.scale import scale_model
from odah.osim.write import write_model

opensim = pytest.importorskip("opensim")
DATA = Path(__file__).parents[2].parent / "shared" / "data" / "opensim_models"
PIPELINE = DATA / "Pipelines" / "Rajagopal"
GENERIC = DATA / "Models" / "Rajagopal" / "Rajagopal2016.osim"
REFERENCE = DATA / "reference_ik_opensim_4.6" / "subject_scaled_walk.osim"
IK_SETUP = PIPELINE / "IK" / "ik_setup_walk.xml"
NEEDS_DATA = pytest.mark.skipif(not DATA.exists(), reason="the shared recordings are not beside the project")


def _walk(first: int, last: int):
    markers = read_trc(PIPELINE / "ExpData" / "motion_capture_walk.trc")
    return replace(markers, positions=markers.positions[first:last])


@NEEDS_DATA
def test_scale_setup_finds_the_setup_that_writes_its_model():
    chain = setup_files.scale_setup_chain(PIPELINE / "Scale/scale_setup_walk.xml", model_path=GENERIC)
    assert [path.name for path in chain] == ["scale_setup_walk_scaleOnly.xml", "scale_setup_walk.xml"]
    with pytest.raises(InputError, match=r"generic_unscaled\.osim, which does not exist"):
        setup_files.scale_setup_chain(PIPELINE / "Scale/scale_setup_walk.xml")


@NEEDS_DATA
def test_scale_tool_repeats_the_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd):
    monkeypatch.chdir(tmp_path)
    chain = setup_files.scale_setup_chain(PIPELINE / "Scale/scale_setup_walk.xml", model_path=GENERIC)
    factors = tools.scale_with_opensim(chain, tmp_path / "out" / "scaled.osim", model_path=GENERIC)
    stated = setup_files.read_scale_set(PIPELINE / "Scale" / "scaleSet_applied_walk.xml")
    for body, values in stated.items():
        np.testing.assert_allclose(factors[body], values, rtol=5e-6, err_msg=body)
    scaled, reference = (read_model(path) for path in (tmp_path / "out" / "scaled.osim", REFERENCE))
    for marker, expected in zip(scaled.markers, reference.markers, strict=True):
        np.testing.assert_allclose(marker.offset, expected.offset, atol=5e-4, err_msg=marker.name)
    assert scaled.mass == pytest.approx(85.0668, rel=1e-4)
    assert not any(c.clamped for c in scaled.coordinates if c.name.startswith("pelvis"))
    assert os.listdir(tmp_path) == ["out"]  # noqa: PTH208 - no opensim.log beside it
    assert capfd.readouterr().out == ""


@NEEDS_DATA
def test_manual_scaling_agrees_with_our_own(tmp_path: Path):
    model = full_body_model()
    factors = np.random.default_rng(0).uniform(0.8, 1.2, (len(model.bodies), 3))
    write_model(model, tmp_path / "generic.osim")
    setup = setup_files.write_manual_scale_setup(
        tmp_path / "setup.xml",
        model_file="generic.osim",
        scale_factors=dict(zip(model.body_names, factors, strict=True)),
        mass=70.0,
    )
    tools.scale_with_opensim([setup], tmp_path / "scaled.osim")
    scaled, expected = read_model(tmp_path / "scaled.osim"), scale_model(model, factors, mass=70.0)
    for ours, theirs in zip(expected.bodies, scaled.bodies, strict=True):
        np.testing.assert_allclose(ours.com, theirs.com, atol=1e-9)
        assert ours.mass == pytest.approx(theirs.mass, rel=1e-9)
    for ours, theirs in zip(expected.joints, scaled.joints, strict=True):
        np.testing.assert_allclose(ours.T_parent, theirs.T_parent, atol=1e-9)


@NEEDS_DATA
def test_our_inverse_kinematics_agree_with_opensim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd):
    monkeypatch.chdir(tmp_path)
    markers = _walk(0, 4)
    theirs = tools.inverse_kinematics_with_opensim(REFERENCE, markers, setup=IK_SETUP)
    ours = inverse_kinematics(read_model(REFERENCE), markers, setup_files.ik_weights(IK_SETUP))
    assert ours.names == theirs.names
    difference = np.abs(ours.coordinates - theirs.coordinates)
    assert np.rad2deg(difference).max() < 0.1  # forearm rotation, which markers hardly tell
    assert np.rad2deg(difference).mean() < 0.002
    np.testing.assert_allclose(ours.rms_errors, theirs.rms_errors, atol=1e-6)
    np.testing.assert_allclose(ours.max_errors, theirs.max_errors, atol=1e-5)
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr().out == ""


@NEEDS_DATA
@pytest.mark.parametrize(("turn_deg", "shift"), [(180.0, (8.0, 0.0, 0.0)), (-95.0, (0.0, 0.0, -8.0))])
def test_turned_and_shifted_people_are_solved_alike(turn_deg: float, shift: tuple[float, float, float]):
    markers = _walk(100, 102)
    rotmat = Rotation.from_euler("y", turn_deg, degrees=True).as_matrix()
    moved = replace(markers, positions=markers.positions @ rotmat.T + np.array(shift))
    weights = setup_files.ik_weights(IK_SETUP)
    for solve in (
        lambda m: tools.inverse_kinematics_with_opensim(REFERENCE, m, weights=weights, accuracy=1e-7),
        lambda m: inverse_kinematics(read_model(REFERENCE), m, weights),
    ):
        still, turned = solve(markers), solve(moved)
        np.testing.assert_allclose(turned.rms_errors, still.rms_errors, atol=1e-6)
        np.testing.assert_allclose(turned.coordinates[:, 6:29], still.coordinates[:, 6:29], atol=1e-3)


@NEEDS_DATA
def test_gaps_are_left_out_and_blind_frames_interpolated():
    markers = _walk(50, 54)
    positions = markers.positions.copy()
    positions[1] = np.nan
    positions[2, 3:9] = np.nan
    gappy = replace(markers, positions=positions)
    weights = setup_files.ik_weights(IK_SETUP)
    theirs = tools.inverse_kinematics_with_opensim(REFERENCE, gappy, weights=weights)
    ours = inverse_kinematics(read_model(REFERENCE), gappy, weights)
    assert np.isnan(ours.rms_errors).tolist() == np.isnan(theirs.rms_errors).tolist()
    assert np.isnan(ours.rms_errors).tolist() == [False, True, False, False]
    np.testing.assert_allclose(ours.coordinates[1], ours.coordinates[[0, 2]].mean(axis=0))
    np.testing.assert_allclose(ours.max_errors, theirs.max_errors, atol=1e-5)


@NEEDS_DATA
def test_foreign_markers_are_refused():
    markers = _walk(0, 2)
    foreign = replace(markers, names=tuple(f"x{k}" for k in range(len(markers.names))))
    with pytest.raises(OdahError, match="tracked marker"):
        tools.inverse_kinematics_with_opensim(REFERENCE, foreign)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<OpenSimDocument><ScaleTool>", "ill-formed XML"),
        ("<OpenSimDocument><Model/></OpenSimDocument>", "found <Model>"),
        ("", "an empty file"),
    ],
)
def test_bad_setups_are_named(tmp_path: Path, text: str, message: str):
    path = tmp_path / "setup.xml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        setup_files.read_tool(path, "ScaleTool")


def test_a_setup_that_names_a_missing_file_is_refused(tmp_path: Path):
    write_model(full_body_model(), tmp_path / "generic.osim")
    setup = setup_files.write_manual_scale_setup(
        tmp_path / "setup.xml", model_file="generic.osim", scale_factors={}, marker_set_file="none.xml"
    )
    with pytest.raises(InputError, match=r"marker_set_file.*none\.xml, which does not exist"):
        tools.scale_with_opensim([setup], tmp_path / "scaled.osim")
    assert not (tmp_path / "scaled.osim").exists()
