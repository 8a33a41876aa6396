"""Chains of set-ups to one scaled model, and that model as a file that keeps the muscles."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import torch

from odah.errors import InputError
from odah.osim import tools
from odah.osim.fk import ForwardKinematics
from odah.osim.model import Model
from odah.osim.parse import read_model
from odah.osim.scaling import scale_by_setup as module
from odah.osim.scaling.marker_set_file import fixed_markers
from odah.osim.scaling.scale_by_setup import scale_by_setup, write_scaled

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "opensim_models"
GENERIC = DATA / "Models" / "Rajagopal" / "Rajagopal2016.osim"
CHAIN = DATA / "Pipelines" / "Rajagopal" / "Scale" / "scale_setup_walk.xml"
NEEDS_DATA = pytest.mark.skipif(not DATA.exists(), reason="the shared recordings are not beside the project")


def _assert_same(model: Model, expected: Model) -> None:
    assert (model.name, model.coordinates) == (expected.name, expected.coordinates)
    for ours, theirs in zip(model.bodies, expected.bodies, strict=True):
        assert ours.name == theirs.name
        assert ours.mass == pytest.approx(theirs.mass, rel=1e-12)
        np.testing.assert_allclose(ours.com, theirs.com, atol=1e-12)
        np.testing.assert_allclose(ours.inertia, theirs.inertia, atol=1e-12)
    for ours, theirs in zip(model.joints, expected.joints, strict=True):
        np.testing.assert_allclose(ours.T_parent, theirs.T_parent, atol=1e-12)
        np.testing.assert_allclose(ours.T_child, theirs.T_child, atol=1e-12)
    assert (model.marker_names, len(model.couplers)) == (expected.marker_names, len(expected.couplers))
    low, high = np.clip(expected.coordinate_ranges, -1.5, 1.5).T
    coordinates = torch.from_numpy(np.random.default_rng(0).uniform(low, high, (5, len(low))))
    ours, theirs = (ForwardKinematics(each)(coordinates) for each in (model, expected))
    for name in ("body_positions", "body_rotmats", "joints", "markers"):
        torch.testing.assert_close(getattr(ours, name), getattr(theirs, name), rtol=0, atol=1e-12)


@pytest.mark.shared
@NEEDS_DATA
def test_the_published_chain(tmp_path: Path, capfd):
    """Scale only, then place markers: what the tool makes of it, and a file with all its muscles."""
    subject = scale_by_setup(CHAIN, model=GENERIC)
    theirs = tools.scale_with_opensim(
        [CHAIN.with_name("scale_setup_walk_scaleOnly.xml"), CHAIN], tmp_path / "tool.osim", model_path=GENERIC
    )
    expected = read_model(tmp_path / "tool.osim")
    for body, factors in subject.scale_factors.items():
        np.testing.assert_allclose(factors, theirs[body], rtol=5e-6, err_msg=body)  # six digits
    assert subject.model.name == expected.name == "subject_scale_walk"
    assert subject.model.coordinates == expected.coordinates
    assert subject.model.marker_names == expected.marker_names
    for ours, known in zip(subject.model.joints, expected.joints, strict=True):
        np.testing.assert_allclose(ours.T_parent, known.T_parent, rtol=1e-9, atol=1e-12)
    assert write_scaled(subject, tmp_path / "ours.osim") == ()
    _assert_same(read_model(tmp_path / "ours.osim"), subject.model)
    assert fixed_markers(tmp_path / "ours.osim") == subject.marked.fixed
    ours, known = (ET.parse(tmp_path / f"{name}.osim") for name in ("ours", "tool"))
    lengths = [[float(x.text) for x in tree.iter("optimal_fiber_length")] for tree in (ours, known)]
    assert len(lengths[0]) == 81  # of 80 muscles and the defaults
    np.testing.assert_allclose(*lengths, rtol=1e-9)
    places = [[x.text.split() for x in tree.iter("location")] for tree in (ours, known)]
    assert len(places[0]) == len(places[1]) > 200
    assert capfd.readouterr().out == ""


def test_a_known_person_in_a_file(small_person, tmp_path: Path):
    subject = scale_by_setup(small_person.setup)
    assert subject.generic_file == small_person.folder / "generic.osim"
    write_scaled(subject, tmp_path / "out" / "scaled.osim")
    written = read_model(tmp_path / "out" / "scaled.osim")
    _assert_same(written, subject.model)
    for body, expected in zip(written.bodies, small_person.truth.bodies, strict=True):
        np.testing.assert_allclose(body.com, expected.com, atol=1e-8)
        np.testing.assert_allclose(body.inertia, expected.inertia, atol=1e-7)


def test_without_opensim_the_skeleton_is_written(small_person, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    subject = scale_by_setup(small_person.setup)
    (note,) = write_scaled(subject, tmp_path / "scaled.osim")
    assert note == "without OpenSim the scaled model is written without its muscles and meshes"
    _assert_same(read_model(tmp_path / "scaled.osim"), subject.model)


def test_a_model_in_memory_takes_the_place_of_the_file(small_person, tmp_path: Path):
    generic = read_model(small_person.folder / "generic.osim")
    (small_person.folder / "generic.osim").unlink()
    subject = scale_by_setup(small_person.setup, model=generic)
    assert subject.generic_file is None
    assert write_scaled(subject, tmp_path / "scaled.osim") == ()
    _assert_same(read_model(tmp_path / "scaled.osim"), subject.model)


def test_the_masses_of_a_chain(small_person):
    """The first set-up gives densities, the second only places markers; a mass of one's own replaces both."""
    text = small_person.setup.read_text()
    second = text.replace("generic.osim", "first.osim").replace("<mass>60", "<mass>0")
    second = second.replace("measurements manualScale", "").replace("markers.xml", "Unassigned")
    (small_person.folder / "second.xml").write_text(second)
    first = text.replace(
        "</MarkerPlacer>", "<output_model_file>first.osim</output_model_file></MarkerPlacer>"
    )
    small_person.setup.write_text(first.replace("distribution>true", "distribution>false"))
    subject = scale_by_setup(small_person.folder / "second.xml")
    assert subject.model.mass == pytest.approx(60.0)
    np.testing.assert_allclose(subject.scale_factors["torso"], [1.2, 1.1, 1.05])
    generic = read_model(small_person.folder / "generic.osim")
    masses = {body.name: body.mass for body in subject.model.bodies}
    share = {body.name: masses[body.name] / body.mass for body in generic.bodies}
    assert share["torso"] / share["tibia_r"] == pytest.approx(1.2 * 1.1 * 1.05)
    heavy = scale_by_setup(small_person.folder / "second.xml", mass=90.0).model
    for body, light in zip(heavy.bodies, subject.model.bodies, strict=True):
        assert body.mass == pytest.approx(1.5 * light.mass)
        np.testing.assert_allclose(body.inertia, 1.5 * light.inertia)


def test_the_root_is_freed(small_person):
    generic = read_model(small_person.folder / "generic.osim")
    model = scale_by_setup(small_person.setup).model
    for coordinate, known in zip(model.coordinates, generic.coordinates, strict=True):
        if coordinate.name.startswith("pelvis"):
            assert not coordinate.clamped
            assert coordinate.range[1] > 20
        else:
            assert coordinate == known


@pytest.mark.parametrize("mass", [0.0, -70.0, np.nan])
def test_no_such_mass(small_person, mass: float):
    with pytest.raises(InputError, match=r"mass: found .* kg, expected a positive mass"):
        scale_by_setup(small_person.setup, mass=mass)


def test_a_setup_without_a_model_is_refused(small_person):
    small_person.edit("generic.osim", "Unassigned")
    with pytest.raises(InputError, match=r"setup\.xml, model_file: found nothing, expected a model"):
        scale_by_setup(small_person.setup)
