"""ScaleTool set-ups of every version to plain data; broken ones to one sentence, however they are broken."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odah.errors import InputError
from odah.osim.scaling.scale_setup import ScaleSetup, read_scale_setup
from odah.osim.setup_files import places_markers, scale_setup_chain

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "opensim_models" / "Pipelines"


def test_a_setup_is_read_as_it_is_written(small_person):
    setup = read_scale_setup(small_person.setup)
    assert (setup.name, setup.mass) == ("small", 60.0)
    assert setup.model_file == small_person.folder / "generic.osim"
    scaler, placer = setup.scaler, setup.placer
    assert scaler.order == ("measurements", "manualScale")
    assert [m.name for m in scaler.measurements] == ["pelvis", "thigh"]
    assert scaler.measurements[1].pairs == (("RLFC", "RMFC"), ("RMFC", "RLFC"))
    np.testing.assert_array_equal(scaler.measurements[0].scales["pelvis"], [False, False, True])
    np.testing.assert_array_equal(scaler.manual_scales["torso"], [1.2, 1.1, 1.05])
    assert scaler.time_range == placer.tracking.time_range == (0.02, 0.04)
    assert scaler.preserves_mass_distribution
    assert placer.max_movement is None
    assert placer.tracking.weights["RASI"] == 2.0
    (target,) = placer.tracking.targets
    assert (target.name, target.weight) == ("subtalar_angle_r", 10.0)
    assert (target.kind, target.value) == ("manual_value", 0.0)
    assert placer.tracking.coordinate_file is None


@pytest.mark.shared
@pytest.mark.skipif(not DATA.exists(), reason="the shared recordings are not beside the project")
@pytest.mark.parametrize(
    ("name", "mass", "num_measurements", "num_manual", "num_markers", "num_targets"),
    [
        ("Gait2354_Simbody/subject01_Setup_Scale.xml", 72.6, 5, 4, 39, 5),  # version 20302
        ("Rajagopal/Scale/scale_setup_walk_scaleOnly.xml", 85.0668, 6, 13, 31, 0),  # version 30000
        ("Rajagopal/Scale/scale_setup_walk.xml", None, 0, 0, 23, 0),
    ],
)
def test_published_setups(name, mass, num_measurements, num_manual, num_markers, num_targets):
    setup = read_scale_setup(DATA / name)
    assert setup.mass == mass
    assert len(setup.scaler.measurements) == num_measurements
    assert len(setup.scaler.manual_scales) == num_manual
    assert len(setup.placer.tracking.weights) == num_markers
    assert len(setup.placer.tracking.targets) == num_targets


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<apply>true</apply>\n  <scaling_order>", "<apply>false</apply>\n  <scaling_order>"),
        ("ModelScaler>", "Other>"),
    ],
)
def test_steps_that_do_not_apply_are_none(small_person, old: str, new: str):
    small_person.edit(old, new)
    setup = read_scale_setup(small_person.setup)
    assert setup.scaler is None
    assert setup.placer is not None


def test_a_missing_marker_placer_places_nothing(small_person):
    assert places_markers(small_person.setup)
    small_person.edit("MarkerPlacer>", "Other>")
    assert read_scale_setup(small_person.setup).placer is None
    assert not places_markers(small_person.setup)


def test_tasks_and_measurements_that_do_not_apply_are_left_out(small_person):
    small_person.edit('"pelvis"><apply>true', '"pelvis"><apply> FALSE ')
    small_person.edit('"RASI"><apply>true</apply><weight>2', '"RASI"><apply>true</apply><weight>0')
    setup = read_scale_setup(small_person.setup)
    assert [m.name for m in setup.scaler.measurements] == ["thigh"]
    assert "RASI" not in setup.placer.tracking.weights


def test_sets_in_files_of_their_own_and_roots_without_a_document(small_person):
    expected = read_scale_setup(small_person.setup).placer
    text = small_person.setup.read_text()
    start, end = text.index("<IKTaskSet>"), text.index("</IKTaskSet>") + len("</IKTaskSet>")
    inner = small_person.folder / "tasks"
    inner.mkdir()
    (inner / "tasks.xml").write_text(f"<OpenSimDocument>{text[start:end]}</OpenSimDocument>")
    text = text[:start] + '<IKTaskSet file="tasks\\tasks.xml"/>' + text[end:]
    for tag in ('<OpenSimDocument Version="40000">', "</OpenSimDocument>"):
        text = text.replace(tag, "")
    small_person.setup.write_text(text)
    assert read_scale_setup(small_person.setup).placer == expected


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1.2 1.1 1.05", "1.2 -1.1 1.05", r"Scale of 'torso', scales: found -1.1, expected positive factors"),
        ("1.2 1.1 1.05", "1.2 0 1.05", r"Scale of 'torso', scales: found 0, expected positive"),
        ("1.2 1.1 1.05", "1.2 nan 1.05", "scales: found '1.2 nan 1.05', expected finite numbers"),
        ("1.2 1.1 1.05", "1.2 1.1", "scales: found 2 numbers, expected 3 numbers"),
        ("<mass>60", "<mass>heavy", "ScaleTool 'small', mass: found 'heavy', expected numbers"),
        (
            "measurements manualScale",
            "measurement",
            "scaling_order: found 'measurement', expected measure",
        ),
        ("<axes>Z", "<axes>W", "BodyScale 'pelvis', axes: found 'w', expected some of X, Y and Z"),
        ("RASI LASI", "RASI", "Measurement 'pelvis', MarkerPair: found 1 markers, expected the names of two"),
        ("RASI LASI", "RASI LASI RPSI", "MarkerPair: found 3 markers"),
        (">0.02 0.04<", ">0.02<", "ModelScaler '', time_range: found '0.02', expected two times in s"),
        (">0.02 0.04<", ">0.02 x<", "time_range: found '0.02 x', expected two times"),
        (">0.02 0.04<", ">0.02 nan<", "time_range: found '0.02 nan', expected two times"),
        (
            ">static.trc",
            ">moved.trc",
            r"marker_file: found .*moved\.trc, which does not exist, expected a marker",
        ),
        (">static.trc", ">", "marker_file: found nothing, but measurements, expected a marker file"),
        (">markers.xml", ">none.xml", r"marker_set_file: found .*none\.xml, which does not exist"),
        (">markers.xml", ">.", "marker_set_file: found .*, not a file, expected a marker set"),
        ("<weight>2", "<weight>-2", "IKMarkerTask 'R.*', weight: found -2, expected a weight"),
        (
            "manual_value",
            "by_hand",
            "'subtalar_angle_r', value_type: found 'by_hand', expected one",
        ),
        ("manual_value", "from_file", "coordinate_file: found nothing, but tasks from_file, expected a .mot"),
        ("<value>0", "<value>down", "IKCoordinateTask 'subtalar_angle_r', value: found 'down'"),
        ("<apply>true", "<apply>perhaps", "apply: found 'perhaps', expected true or false"),
        ("<max_marker_movement>-1", "<max_marker_movement>far", "max_marker_movement: found 'far'"),
        ("</ScaleTool>", "", "ill-formed XML"),
        ("ScaleTool", "IKTool", "found <IKTool>, expected an OpenSim file with a <ScaleTool>"),
        ("<IKTaskSet>", '<IKTaskSet file="setup.xml">', "found a file that includes itself"),
    ],
)
def test_bad_fields_are_named(small_person, old: str, new: str, message: str):
    small_person.edit(old, new)
    with pytest.raises(InputError, match=rf"(?s)setup\.xml.*{message}"):
        read_scale_setup(small_person.setup)


def test_files_that_include_each_other_are_refused(small_person):
    (small_person.folder / "a.xml").write_text('<D><IKTaskSet><objects file="b.xml"/></IKTaskSet></D>')
    (small_person.folder / "b.xml").write_text('<D><objects><IKTaskSet file="a.xml"/></objects></D>')
    small_person.edit("<IKTaskSet>", '<IKTaskSet file="a.xml">')
    with pytest.raises(InputError, match=r"a\.xml: found a file that includes itself"):
        read_scale_setup(small_person.setup)


def test_setups_that_write_each_others_model_are_no_chain(small_person):
    text = small_person.setup.read_text()
    for own, other in (("a", "b"), ("b", "a")):
        written = f"<output_model_file>{own}.osim</output_model_file></MarkerPlacer>"
        wanted = text.replace("generic.osim", f"{other}.osim").replace("</MarkerPlacer>", written)
        (small_person.folder / f"{own}.xml").write_text(wanted)
    with pytest.raises(InputError, match=r"model_file: found .*\.osim, which does not exist"):
        scale_setup_chain(small_person.folder / "a.xml")


_TEXTS = st.one_of(
    st.sampled_from(["", "Unassigned", "true", "nan", "inf", "1e999", "-1", "0", "1 1 1", "x" * 5000]),
    st.sampled_from(["../..", "/", "~", ".", "static.trc", "setup.xml", "measurements", "from_file", "a\tb"]),
    st.text(max_size=8),
    st.floats(allow_nan=True).map(str),
)
_FUZZ = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_FUZZ
@given(data=st.data())
def test_any_change_of_a_setup_is_read_or_refused(small_person, data):
    """Elements renamed, removed, repeated elsewhere or given any text, name or file."""
    document = ET.fromstring(small_person.setup.read_text())
    tool = document[0]
    for _ in range(data.draw(st.integers(1, 4))):
        inside = [(parent, child) for parent in tool.iter() for child in parent] or [(document, tool)]
        parent, child = inside[data.draw(st.integers(0, len(inside) - 1))]
        match data.draw(st.sampled_from(["text", "tag", "remove", "repeat", "name", "file"])):
            case "text":
                child.text = data.draw(_TEXTS)
            case "tag":
                child.tag = data.draw(st.sampled_from([other.tag for _, other in inside]))
            case "remove":
                parent.remove(child)
            case "repeat":
                tool.append(ET.Element(child.tag, child.attrib))
            case attribute:
                child.set(attribute, data.draw(_TEXTS))
    path = small_person.folder / "changed.xml"
    # What XML cannot carry stays in, for the parser to refuse; surrogates are no UTF-8.
    path.write_bytes(ET.tostring(document, encoding="unicode").encode("utf-8", "surrogatepass"))
    _read_or_refuse(path)


@_FUZZ
@given(where=st.floats(0, 1), length=st.integers(0, 40), new=st.binary(max_size=6))
def test_any_bytes_are_read_or_refused(small_person, where: float, length: int, new: bytes):
    data = small_person.setup.read_bytes()
    start = int(where * len(data))
    path = small_person.folder / "changed.xml"
    path.write_bytes(data[:start] + new + data[start + length :])
    _read_or_refuse(path)


def _read_or_refuse(path: Path) -> None:
    try:
        setup = read_scale_setup(path)
    except InputError:
        return
    assert isinstance(setup, ScaleSetup)
    assert setup.mass is None or 0 < setup.mass < np.inf
    if setup.scaler is not None:
        assert all((factors > 0).all() for factors in setup.scaler.manual_scales.values())
