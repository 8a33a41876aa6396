"""Scale factors, masses and joint frames against OpenSim's ScaleTool, on real set-ups and changed ones."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from odah.errors import InputError
from odah.osim.model import Model
from odah.osim.parse import read_model
from odah.osim.scaling.marker_set_file import MarkedModel, fixed_markers
from odah.osim.scaling.measurement_scaling import measured_scale_factors, scale_by_factors
from odah.osim.scaling.scale_setup import read_scale_setup
from odah.osim.scaling.static_trial import read_static_trial
from odah.osim.setup_files import read_scale_set

_MARKER_SET = "GenericModelMaker_marker_set_file.xml"
DATA = Path(__file__).parents[3].parent / "shared" / "data" / "opensim_models"


def _ours(person) -> tuple[Model, dict[str, np.ndarray], tuple[str, ...]]:
    """The model after the set-up's marker set and scaling, without marker placement."""
    setup = read_scale_setup(person.setup)
    marked = MarkedModel(read_model(setup.model_file), fixed_markers(setup.model_file))
    if setup.marker_set_file is not None:
        marked = marked.with_marker_set(setup.marker_set_file)
    factors, notes = measured_scale_factors(marked.model, setup)
    return scale_by_factors(marked.model, factors, setup), factors, notes


def _assert_alike(ours: Model, theirs: Model) -> None:
    """Masses, inertias, joint frames and markers, to 1e-9."""
    assert ours.name == theirs.name
    for body, expected in zip(ours.bodies, theirs.bodies, strict=True):
        assert body.mass == pytest.approx(expected.mass, rel=1e-9), body.name
        largest = np.abs(expected.inertia).max()
        np.testing.assert_allclose(body.inertia, expected.inertia, atol=1e-9 * largest, err_msg=body.name)
        np.testing.assert_allclose(body.com, expected.com, rtol=1e-9, atol=1e-12, err_msg=body.name)
    for joint, expected in zip(ours.joints, theirs.joints, strict=True):
        np.testing.assert_allclose(joint.T_parent, expected.T_parent, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(joint.T_child, expected.T_child, rtol=1e-9, atol=1e-12)
    assert ours.marker_names == theirs.marker_names
    for marker, expected in zip(ours.markers, theirs.markers, strict=True):
        assert marker.body == expected.body
        np.testing.assert_allclose(marker.offset, expected.offset, rtol=1e-9, atol=1e-12, err_msg=marker.name)


def _put(field: str, text: str):
    def edit(tool: ET.Element, folder: Path) -> None:
        tool.find(field).text = text

    return edit


def _heavier_where_larger(tool: ET.Element, folder: Path) -> None:
    tool.find("ModelScaler/preserve_mass_distribution").text = "false"
    tool.find("ModelScaler/ScaleSet/objects/Scale/scales").text = "1.2 0.9 1.1"  # a cylinder, not alike


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("gait", None),
        ("walk_scale_only", None),
        ("gait", _put("ModelScaler/scaling_order", "manualScale measurements")),
        ("gait", _put("ModelScaler/scaling_order", "measurements")),
        ("gait", _put("ModelScaler/scaling_order", "")),
        ("gait", _put("ModelScaler/time_range", "1.01 1.03")),  # both ends between two frames
        ("gait", _put("ModelScaler/time_range", "-1 0.017")),
        ("gait", _put("ModelScaler/time_range", "4.95 1e3")),
        ("gait", _put("mass", "-1")),
        ("gait", _heavier_where_larger),
        ("walk_scale_only", _heavier_where_larger),
    ],
)
@pytest.mark.shared
def test_scaling_repeats_the_tool(stage, name: str, edit):
    staged = stage(name, edit)
    assert staged.run_tool()
    scaled, _, _ = _ours(staged)
    _assert_alike(scaled, staged.scaled)


def _random_measurements(tool: ET.Element, folder: Path, random: np.random.Generator) -> None:
    """Pairs of any two markers, on whatever bodies, that scale any bodies along any axes; factors by hand."""
    names = [marker.get("name") for marker in ET.parse(folder / _MARKER_SET).iter("Marker")]
    bodies = ["pelvis", "femur_r", "tibia_l", "torso", "calcn_r"]
    for measurement in tool.iter("Measurement"):
        pairs, scales = measurement.find("MarkerPairSet/objects"), measurement.find("BodyScaleSet/objects")
        pairs.clear()
        scales.clear()
        for _ in range(random.integers(1, 4)):
            pair = ET.SubElement(pairs, "MarkerPair")
            ET.SubElement(pair, "markers").text = " ".join(random.choice(names, 2, replace=False))
        for body in random.choice(bodies, 2, replace=False):
            axes = random.choice(["X", "Y Z", "x z", "Z", "X Y Z"])
            ET.SubElement(ET.SubElement(scales, "BodyScale", name=body), "axes").text = axes
    for scale in tool.iter("Scale"):
        scale.find("scales").text = " ".join(map(str, random.uniform(0.5, 2.0, 3)))
        scale.find("segment").text = random.choice(bodies)
    order = random.permutation(["measurements", "manualScale"])
    tool.find("ModelScaler/scaling_order").text = " ".join(order)
    tool.find("ModelScaler/preserve_mass_distribution").text = random.choice(["true", "false"])
    tool.find("MarkerPlacer/apply").text = "false"


@pytest.mark.shared
@pytest.mark.parametrize("seed", range(4))
def test_any_measurements_scale_as_in_the_tool(stage, seed: int):
    random = np.random.default_rng(seed)
    staged = stage("gait", lambda tool, folder: _random_measurements(tool, folder, random))
    staged.run_tool()  # answers False where no marker is placed
    scaled, _, _ = _ours(staged)
    _assert_alike(scaled, staged.scaled)


@pytest.mark.shared
def test_factors_are_those_that_the_tool_states(stage):
    staged = stage("walk_scale_only")
    _, factors, notes = _ours(staged)
    for body, values in read_scale_set(DATA / "Pipelines/Rajagopal/Scale/scaleSet_applied_walk.xml").items():
        if body in factors:
            np.testing.assert_allclose(factors[body], values, rtol=5e-6, err_msg=body)
    assert len(set(factors["pelvis"])) == 3
    assert notes == ()


@pytest.mark.shared
def test_bodies_that_only_the_setup_knows_are_told(stage):
    _, factors, notes = _ours(stage("gait"))
    assert notes == ("the measurement 'thigh' also scales what the model lacks: patella_r, patella_l",)
    assert "patella_r" not in factors


def test_factors_of_a_known_person(small_person):
    scaled, factors, notes = _ours(small_person)
    for body, expected in small_person.factors.items():
        np.testing.assert_allclose(factors[body], expected, rtol=1e-7, err_msg=body)
    assert scaled.mass == pytest.approx(60.0)
    assert notes == ()


def test_gaps_leave_out_their_frames_alone(small_person):
    lines = (small_person.folder / "static.trc").read_text().splitlines()
    fields = lines[8].split("\t")  # the third frame; RASI is not in the last column
    fields[2:] = ["NaN"] * len(fields[2:])
    lines[8] = "\t".join(fields)
    (small_person.folder / "static.trc").write_text("\n".join(lines) + "\n")
    assert np.isnan(read_static_trial(small_person.folder / "static.trc").position("RASI")).any()
    _, factors, _ = _ours(small_person)
    np.testing.assert_allclose(factors["pelvis"], [1, 1, 1.15], rtol=1e-7)


def _nowhere(folder: Path, marker: str) -> None:
    """Blank a marker in every frame of the trial."""
    lines = (folder / "static.trc").read_text().splitlines()
    column = 2 + 3 * [name for name in lines[3].split("\t") if name][2:].index(marker)
    rows = [line.split("\t") for line in lines[6:]]
    for row in rows:
        row[column : column + 3] = ["NaN"] * 3
    (folder / "static.trc").write_text("\n".join([*lines[:6], *("\t".join(row) for row in rows)]) + "\n")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "RASI LASI",
            "RASI LFOO",
            "Measurement 'pelvis', markers: found 'LFOO', expected a marker of the model",
        ),
        ("RASI LASI", "RASI RASI", "found 'RASI' and 'RASI' in one place on the model, expected a distance"),
        ('"pelvis"><axes>', '"tail"><axes>', "BodyScale: found 'tail', expected a body of the model"),
        ("<segment>torso", "<segment>tail", "Scale, segment: found 'tail', expected a body of the model"),
        ("<segment>torso", "<segment>ground", "found 'ground', which cannot be scaled, expected a body"),
        (
            "0.02 0.04",
            "0.04 0.02",
            r"ModelScaler, time_range: found 0.04 to 0.02 s, expected times of .*, 0 to 0.05 s",
        ),
        ("0.02 0.04", "7 8", "found 7 to 8 s"),
        ("0.02 0.04", "-1 -1", "found -1 to -1 s"),
        ("<time_range>0.02 0.04</time_range>", "", "found -1 to -1 s"),
    ],
)
def test_what_cannot_be_measured_is_one_clear_error(small_person, old: str, new: str, message: str):
    small_person.edit(old, new)
    with pytest.raises(InputError, match=f"setup.xml, .*{message}"):
        _ours(small_person)


def test_a_pair_that_no_frame_shows_is_one_clear_error(small_person):
    _nowhere(small_person.folder, "LASI")
    with pytest.raises(InputError, match=r"no frame of .* that shows both 'RASI' and 'LASI'"):
        _ours(small_person)


def test_a_marker_that_the_trial_lacks_is_one_clear_error(small_person):
    trial = small_person.folder / "static.trc"
    trial.write_text(trial.read_text().replace("LASI", "LXXX"))
    with pytest.raises(InputError, match=r"found 'LASI', expected a marker of .*static\.trc"):
        _ours(small_person)


def test_factors_of_one_may_be_of_anything(small_person):
    small_person.edit(
        "<Scale><scales>1.2", "<Scale><scales>1 1 1</scales><segment>tail</segment></Scale><Scale><scales>1.2"
    )
    _, factors, _ = _ours(small_person)
    np.testing.assert_array_equal(factors["torso"], [1.2, 1.1, 1.05])


def test_a_measurement_without_markers_is_told(small_person):
    small_person.edit("<MarkerPair><markers>RASI LASI</markers></MarkerPair>", "")
    _, factors, notes = _ours(small_person)
    assert (factors["pelvis"] == 1).all()
    assert notes == ("the measurement 'pelvis' has no markers, so it scales nothing",)
