"""Reading `.osim` files: every form OpenSim writes, and every way a file can be wrong."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.errors import InputError
from odah.osim import ForwardKinematics, full_body_model, read_model, write_model

PENDULUM = """<?xml version="1.0" encoding="UTF-8" ?>
<OpenSimDocument Version="40000">
  <Model name="pendulum">
    <BodySet name="bodyset"><objects>
      <Body name="rod"><mass>2</mass><mass_center>0 -0.5 0</mass_center><inertia>1 1 1 0 0 0</inertia></Body>
      <Body name="bob"><mass>1</mass><mass_center>0 0 0</mass_center><inertia>1 1 1 0 0 0</inertia></Body>
    </objects></BodySet>
    <JointSet name="jointset"><objects>
      <PinJoint name="pivot">
        <socket_parent_frame>ground_offset</socket_parent_frame>
        <socket_child_frame>/bodyset/rod</socket_child_frame>
        <coordinates><Coordinate name="swing"><range>-1 2</range></Coordinate></coordinates>
        <frames><PhysicalOffsetFrame name="ground_offset">
          <socket_parent>/ground</socket_parent><translation>0 2 0</translation>
        </PhysicalOffsetFrame></frames>
      </PinJoint>
      <CustomJoint name="neck">
        <socket_parent_frame>rod_offset</socket_parent_frame>
        <socket_child_frame>/bodyset/bob</socket_child_frame>
        <coordinates><Coordinate name="nod"/></coordinates>
        <frames><PhysicalOffsetFrame name="rod_offset">
          <socket_parent>/bodyset/rod</socket_parent><translation>0 -1 0</translation>
        </PhysicalOffsetFrame></frames>
        <SpatialTransform>
          <TransformAxis name="rotation1"><coordinates>nod</coordinates><axis>0 0 1</axis>
            <SimmSpline name="function"><x>-1 0 1</x><y>0 0.1 0.5</y></SimmSpline></TransformAxis>
        </SpatialTransform>
      </CustomJoint>
    </objects></JointSet>
    <ConstraintSet><objects>
      <CoordinateCouplerConstraint name="follow">
        <coupled_coordinates_function>
          <LinearFunction><coefficients>2 0</coefficients></LinearFunction>
        </coupled_coordinates_function>
        <independent_coordinate_names>swing</independent_coordinate_names>
        <dependent_coordinate_name>nod</dependent_coordinate_name>
      </CoordinateCouplerConstraint>
    </objects></ConstraintSet>
    <MarkerSet><objects>
      <Marker name="nose"><socket_parent_frame>/bodyset/bob</socket_parent_frame>
        <location>0.1 0 0</location></Marker>
    </objects></MarkerSet>
  </Model>
</OpenSimDocument>
"""

OLD_FORMAT = """<?xml version="1.0" encoding="UTF-8" ?>
<OpenSimDocument Version="30000"><Model name="old"><BodySet><objects>
  <Body name="ground"/>
  <Body name="rod">
    <mass>2</mass><mass_center>0 -0.5 0</mass_center>
    <inertia_xx>1</inertia_xx><inertia_yy>1</inertia_yy><inertia_zz>1</inertia_zz>
    <inertia_xy>0</inertia_xy><inertia_xz>0</inertia_xz><inertia_yz>0</inertia_yz>
    <Joint><PinJoint name="pivot">
      <parent_body>ground</parent_body>
      <location_in_parent>0 2 0</location_in_parent><orientation_in_parent>0 0 0</orientation_in_parent>
      <location>0 0.25 0</location><orientation>0 0 0</orientation>
      <CoordinateSet><objects>
        <Coordinate name="swing"><range>-1 2</range></Coordinate>
      </objects></CoordinateSet>
    </PinJoint></Joint>
  </Body>
</objects></BodySet></Model></OpenSimDocument>
"""


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        path = tmp_path / "model.osim"
        path.write_text(text)
        return read_model(path)

    return read_text


def markers_at(model, *coordinates):
    return ForwardKinematics(model)(torch.tensor(coordinates, dtype=torch.float64)).markers.numpy()


def test_reads_what_the_file_says(read):
    model = read(PENDULUM)
    assert model.name == "pendulum"
    assert model.body_names == ("rod", "bob")
    assert model.joint_names == ("pivot", "neck")
    assert [(c.name, c.range, c.motion_type) for c in model.coordinates] == [
        ("swing", (-1.0, 2.0), "rotational"),
        ("nod", (-10.0, 10.0), "coupled"),
    ]
    assert model.couplers[0].function.coefficients == (2.0, 0.0)
    np.testing.assert_allclose(markers_at(model, np.pi / 2, 0.0)[0], markers_at(model, np.pi / 2, 9.0)[0])
    assert markers_at(model, 0.0, 0.0)[0] == pytest.approx([0.1 * np.cos(0.1), 1 + 0.1 * np.sin(0.1), 0])


def test_old_format_is_upgraded(read, opensim):
    model = read(OLD_FORMAT)
    assert model.coordinate_names == ("swing",)
    pose = ForwardKinematics(model)(torch.tensor([0.0], dtype=torch.float64))
    np.testing.assert_allclose(pose.joints[0], [0, 2, 0], atol=1e-12)
    np.testing.assert_allclose(pose.body_positions[0], [0, 1.75, 0], atol=1e-12)


def test_old_format_that_opensim_refuses(read, opensim):
    with pytest.raises(InputError, match=r"model\.osim: found what OpenSim refuses"):
        read(OLD_FORMAT.replace('name="pivot"', 'name="pi*ot"'))


def test_scoped_tags_are_no_obstacle(read):
    odd = "<ForceSet><objects><A::B name='c'><A::D>1</A::D></A::B></objects></ForceSet>"
    assert read(PENDULUM.replace("<ConstraintSet>", odd + "<ConstraintSet>")).body_names == ("rod", "bob")


def test_defaults_fill_in_what_an_object_leaves_out(read):
    block = (
        '<defaults><Coordinate name="default"><range>-3 4</range><default_value>0.25</default_value>'
        "<clamped>true</clamped></Coordinate></defaults>"
    )
    model = read(PENDULUM.replace("<BodySet", block + "<BodySet"))
    swing, nod = model.coordinates
    assert (swing.range, swing.default, swing.clamped) == ((-1, 2), 0.25, True)
    assert (nod.range, nod.default, nod.clamped) == ((-3, 4), 0.25, True)


def test_frames_may_hang_on_frames_and_be_named_in_many_ways(read):
    straight = markers_at(read(PENDULUM), 0.7, 0.0)
    hook = (
        '<Body name="rod"><components><PhysicalOffsetFrame name="half"><socket_parent>..</socket_parent>'
        "<translation>0 -0.25 0</translation><orientation>0 0 1.5707963267948966</orientation>"
        "</PhysicalOffsetFrame></components>"
    )
    chained = PENDULUM.replace('<Body name="rod">', hook).replace(
        "<socket_parent>/bodyset/rod</socket_parent><translation>0 -1 0</translation>",
        "<socket_parent>{}</socket_parent><translation>-0.75 0 0</translation>"
        "<orientation>0 0 -1.5707963267948966</orientation>",
    )
    for path in ("/bodyset/rod/half", "../../../bodyset/rod/half", "half"):
        np.testing.assert_allclose(markers_at(read(chained.format(path)), 0.7, 0.0), straight, atol=1e-12)


def test_range_may_be_written_backwards(read):
    assert read(PENDULUM.replace("-1 2", "2 -1")).coordinates[0].range == (-1.0, 2.0)


BAD_TEXT = {
    "number": ("<mass>2</mass>", "<mass>heavy</mass>", "Body 'rod', mass: found 'heavy', expected numbers"),
    "not finite": ("<mass>2</mass>", "<mass>NaN</mass>", "Body 'rod', mass: found 'NaN', expected finite"),
    "missing": ("<mass>2</mass>", "", "Body 'rod', mass: found nothing, expected a value"),
    "too few": ("0 -0.5 0", "0 -0.5", "mass_center: found 2 numbers, expected 3 numbers"),
    "flag": (
        "<range>-1 2</range>",
        "<locked>maybe</locked>",
        "locked: found 'maybe', expected true or false",
    ),
    "socket": ("/bodyset/bob<", "/bodyset/bub<", "'/bodyset/bub', expected the path of a body or frame"),
    "mass": ("<mass>2</mass>", "<mass>-2</mass>", "mass: found -2 kg, expected 0 or more"),
    "joint class": ("PinJoint", "MagicJoint", "found a MagicJoint, expected one of CustomJoint"),
    "function": ("SimmSpline", "GCVSpline", "found a GCVSpline, expected one of Constant, LinearFunction"),
    "knots": (
        "<x>-1 0 1</x>",
        "<x>-1 2 1</x>",
        "x: found 3 numbers, expected two or more, each above the last",
    ),
    "knot count": ("<y>0 0.1 0.5</y>", "<y>0 0.1</y>", "y: found 2 numbers, expected 3, as many as in x"),
    "axis": ("<axis>0 0 1</axis>", "<axis>0 0 0</axis>", "rotation1, axis: found a vector of length 0"),
    "axis input": ("<coordinates>nod<", "<coordinates>swing<", "'swing', expected coordinates of this joint"),
    "two names": ('name="neck"', 'name="pivot"', "JointSet: found the name 'pivot' twice"),
    "called ground": ("bob", "ground", "BodySet: found the name 'ground' twice"),
    "no name": ('<Body name="bob">', "<Body>", "Body: found no name, expected a name"),
    "loop": (
        "<socket_child_frame>/bodyset/rod<",
        "<socket_child_frame>/bodyset/bob<",
        "child of a second joint",
    ),
    "loose body": (
        "<socket_parent>/ground<",
        "<socket_parent>/bodyset/bob<",
        "no chain of joints from ground",
    ),
    "frames in a ring": (
        "<socket_parent>/ground<",
        "<socket_parent>/jointset/pivot/ground_offset<",
        "frames hung on each other",
    ),
    "coordinates": (
        '<Coordinate name="swing"><range>-1 2</range></Coordinate>',
        "",
        "expected 1 coordinates",
    ),
    "coupler name": (
        ">swing</independent",
        ">swung</independent",
        "'swung', expected the name of a coordinate",
    ),
    "coupler ring": (">swing</independent", ">nod</independent", "depend on each other"),
    "coupler inputs": (
        ">swing</independent",
        ">swing nod</independent",
        "found 2 numbers, expected 3 numbers",
    ),
    "version": ('Version="40000"', 'Version="new"', "Version: found 'new', expected a number such as 40000"),
}


@pytest.mark.parametrize("case", BAD_TEXT)
def test_each_mistake_is_named_in_one_sentence(case, read):
    old, new, message = BAD_TEXT[case]
    assert old in PENDULUM
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read(PENDULUM.replace(old, new))
    assert "model.osim" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"\x89PNG\0\0", "binary data"),
        (b"time,angle\n0,1\n", "broken XML"),
        (PENDULUM.encode()[:900], "broken XML"),
        (b"<html><body/></html>", "<html> without a <Model>"),
        (b'<OpenSimDocument Version="40000"><ScaleTool/></OpenSimDocument>', "without a <Model>"),
        (b'<OpenSimDocument Version="40000"><Model name="m"/></OpenSimDocument>', "no bodies"),
    ],
)
def test_files_that_are_no_model(content, found, tmp_path):
    path = tmp_path / "model.osim"
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(found)):
        read_model(path)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_model(tmp_path / "none.osim")
    with pytest.raises(InputError, match="not a file"):
        read_model(tmp_path)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(data, tmp_path_factory):
    """Truncated, with pieces cut out, doubled, moved, or replaced: no exception but InputError."""
    words = re.split(r"(<[^>]*>|\s+)", PENDULUM)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(words) - 1))
        stop = start + data.draw(st.integers(1, 6))
        damage = data.draw(st.sampled_from(["cut", "double", "swap", "replace", "truncate"]))
        if damage == "cut":
            del words[start:stop]
        elif damage == "double":
            words[start:start] = words[start:stop]
        elif damage == "swap":
            words[start:stop] = reversed(words[start:stop])
        elif damage == "replace":
            words[start] = data.draw(
                st.sampled_from(["-1e999", "nan", "", "<x>", "0", "ground", "é", "&amp;"])
            )
        else:
            del words[max(start, len(words) // 2) :]
        if not words:
            words = [" "]
    path = Path(tmp_path_factory.getbasetemp()) / "damaged.osim"
    path.write_text("".join(words))
    try:
        model = read_model(path)
    except InputError:
        return
    ForwardKinematics(model)(torch.tensor(model.default_coordinates))


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, len(PENDULUM) - 1), byte=st.integers(0, 255))
def test_one_wrong_byte(place, byte, tmp_path_factory):
    content = bytearray(PENDULUM.encode())
    content[place] = byte
    path = Path(tmp_path_factory.getbasetemp()) / "flipped.osim"
    path.write_bytes(content)
    try:
        model = read_model(path)
    except InputError:
        return
    ForwardKinematics(model)(torch.tensor(model.default_coordinates))


def test_a_full_model_cut_anywhere_is_refused(tmp_path):
    write_model(full_body_model(), tmp_path / "whole.osim")
    content = (tmp_path / "whole.osim").read_bytes()
    for length in range(0, len(content) - 20, len(content) // 40):
        (tmp_path / "cut.osim").write_bytes(content[:length])
        with pytest.raises(InputError):
            read_model(tmp_path / "cut.osim")
