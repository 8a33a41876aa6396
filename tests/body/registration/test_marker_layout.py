"""Markers on the body: placed by rule, on their side, kept in a file a person can edit."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.body.registration.landmark_placing import place_markers
from odah.body.registration.layout_file import load_layout, save_layout
from odah.body.registration.marker_layout import (
    LayoutMarker,
    MarkerLayout,
    check_body,
    check_names,
    check_sides,
)
from odah.errors import InputError, OdahError
from odah.names import SMPLX_INDEX
from odah.osim.full_body import full_body_model


@pytest.fixture(scope="module")
def template():
    body = load_body()
    return body.v_template.double().numpy(), body.faces, body.joint_template.double().numpy()


@pytest.fixture(scope="module")
def layout(template):
    return place_markers(*template)


def test_shipped_layout_is_what_the_rules_find(layout):
    assert load_registration().layout == layout


def test_layout_covers_the_models_markers(layout):
    assert set(full_body_model().marker_names) <= set(layout.names)
    for marker in full_body_model().markers:
        assert layout.markers[marker.name].bone == marker.body


def test_sides_mirror_each_other(layout, template):
    points = dict(zip(layout.names, layout.points(template[0]), strict=True))
    for name, point in points.items():
        if layout.markers[name].side == "right":
            other = points["L" + name[1:]]
            assert point[0] < 0 < other[0]
            np.testing.assert_allclose(point * [-1, 1, 1], other, atol=1e-3, err_msg=name)


def test_markers_lie_where_anatomy_says(layout, template):
    vertices, _, joints = template

    def at(name):
        return layout.points(vertices)[layout.names.index(name)]

    def joint(name):
        return joints[SMPLX_INDEX[name]]

    assert at("LASI")[2] > joint("left_hip")[2] > at("LPSI")[2]
    assert 0.03 < at("LASI")[1] - joint("left_hip")[1] < 0.12
    assert at("LLFC")[0] > joint("left_knee")[0] > at("LMFC")[0]
    assert at("LLMAL")[0] > joint("left_ankle")[0] > at("LMMAL")[0]
    assert at("LLMAL")[2] < at("LMMAL")[2]
    assert at("LCAL")[2] < joint("left_ankle")[2] < at("LTOE")[2]
    assert at("LMT5")[0] > at("LTOE")[0]
    assert at("C7")[2] < joint("neck")[2] < at("CLAV")[2]
    assert at("LFAradius")[2] > joint("left_wrist")[2] > at("LFAulna")[2]
    assert at("LLEL")[1] > joint("left_elbow")[1] > at("LMEL")[1]
    assert at("LACR")[1] > joint("left_shoulder")[1]


def test_rules_find_the_same_places_on_another_topology(layout, template):
    """The same surface with its vertices numbered anew, as another body would have them."""
    vertices, faces, joints = template
    order = np.random.default_rng(0).permutation(len(vertices))
    renumbered = place_markers(vertices[order], np.argsort(order)[faces], joints)
    np.testing.assert_allclose(renumbered.points(vertices[order]), layout.points(vertices), atol=1e-6)


def test_placed_markers_lie_on_the_skin(layout, template):
    """Against trimesh's nearest point of the same mesh."""
    vertices, faces, _ = template
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    gaps = trimesh.proximity.closest_point_naive(mesh, layout.points(vertices))[1]
    assert gaps.max() < 1e-4


def mixed_layout() -> MarkerLayout:
    """One marker on a vertex, one inside a triangle, of a body of 6 vertices."""
    markers = {
        "RASI": LayoutMarker((4,), (1.0,), "right", "pelvis", "on a vertex"),
        "LLFC": LayoutMarker((0, 2, 5), (0.2, 0.5, 0.3), "left", "femur_l", "in a triangle"),
    }
    return MarkerLayout(markers, 6, "")


def test_points_and_weights_agree():
    layout = mixed_layout()
    mesh = np.random.default_rng(0).normal(size=(3, 6, 3))
    expected = np.stack([mesh[:, 4], 0.2 * mesh[:, 0] + 0.5 * mesh[:, 2] + 0.3 * mesh[:, 5]], 1)
    np.testing.assert_allclose(layout.points(mesh), expected, atol=1e-12)
    np.testing.assert_allclose(np.stack([layout.weights @ frame for frame in mesh]), expected, atol=1e-12)
    assert layout.weights.nnz == 4
    np.testing.assert_array_equal(layout.vertices, [4, 2])


def test_layout_survives_its_file(layout, tmp_path):
    save_layout(layout, tmp_path / "layout.yaml")
    assert load_layout(tmp_path / "layout.yaml") == layout


def test_swapped_sides_are_found(layout, template):
    left, right = layout.markers["LASI"], layout.markers["RASI"]
    misplaced = replace(left, vertices=right.vertices, weights=right.weights)
    with pytest.raises(InputError, match=r"LASI.*on the left"):
        check_sides(replace(layout, markers={**layout.markers, "LASI": misplaced}), template[0])


def test_a_pair_swapped_by_name_is_found(layout):
    swapped = {**layout.markers, "LASI": layout.markers["RASI"], "RASI": layout.markers["LASI"]}
    with pytest.raises(InputError, match=r"RASI.*found left, expected right, as its name says"):
        check_names(replace(layout, markers=swapped), full_body_model().body_names)


def test_a_vertex_the_body_lacks_is_found(layout, template):
    marker = replace(layout.markers["C7"], vertices=(10**6,), weights=(1.0,))
    edited = replace(layout, markers={**layout.markers, "C7": marker})
    with pytest.raises(InputError, match=r"C7.*1000000"):
        check_body(edited, template[1], len(template[0]))


def test_corners_of_no_triangle_are_found(layout, template):
    marker = replace(layout.markers["C7"], vertices=(0, 5000, 9000), weights=(0.5, 0.25, 0.25))
    with pytest.raises(InputError, match=r"C7.*triangles"):
        check_body(replace(layout, markers={**layout.markers, "C7": marker}), template[1], len(template[0]))


def test_another_topology_is_found(layout, template):
    vertices, faces, _ = template
    with pytest.raises(InputError, match="topology"):
        check_body(layout, faces[:, ::-1], len(vertices))


def test_an_inside_out_mesh_is_refused(template):
    vertices, faces, joints = template
    with pytest.raises(OdahError, match="no skin"):
        place_markers(vertices[:100], faces[(faces < 100).all(1)], joints)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("markers: [", "valid YAML"),
        ("hello", "no `markers`"),
        ("markers: {C7: {vertex: one, side: middle, bone: torso}}", "C7.vertex"),
        ("markers: {C7: {vertex: 1, side: top, bone: torso}}", "C7.side"),
        ("markers: {C7: {vertex: 1, side: middle}}", "C7.bone"),
        ("markers: {C7: 3}", "C7.vertex"),
        ("num_vertices: many\nmarkers: {C7: {vertex: 1, side: middle, bone: torso}}", "num_vertices"),
        ("markers: {}", "no `markers`"),
        ("markers: {C7: {vertices: [1, 2], side: middle, bone: torso}}", "three vertex numbers"),
        ("markers: {C7: {vertices: [1, 2, 2], side: middle, bone: torso}}", "three different"),
        ("markers: {C7: {vertices: [1, 2, 3], side: middle, bone: torso}}", "C7.weights"),
        ("markers: {C7: {vertex: 1, vertices: [1, 2, 3], side: middle, bone: torso}}", "one of the two"),
        (
            "markers: {C7: {vertices: [1, 2, 3], weights: [0.3, 0.3, 0.3], side: middle, bone: torso}}",
            "sum to 1",
        ),
        ("num_vertices: 9\nmarkers: {C7: {vertex: 9, side: middle, bone: torso}}", "9 vertices"),
        ("num_vertices: 9\nmarkers: {C7: {vertex: 1, side: middle, bone: sternum}}", "'sternum'.*torso"),
        ("num_vertices: 9\nmarkers: {RLFC: {vertex: 1, side: right, bone: femur_l}}", "right side"),
        (
            "num_vertices: 9\nmarkers: {C7: {vertex: 1, side: middle, bone: torso}, "
            "T8: {vertex: 1, side: middle, bone: torso}}",
            "T8.*same point as C7",
        ),
    ],
)
def test_bad_files_are_named(tmp_path, text, message):
    path = tmp_path / "layout.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        load_layout(path)


_TEXT = (
    "num_vertices: 9\nmarkers:\n  C7: {vertex: 1, side: middle, bone: torso}\n"
    "  RASI: {vertices: [2, 3, 4], weights: [0.5, 0.25, 0.25], side: right, bone: pelvis}\n"
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def _layout_or_input_error(path):
    refusal = ""
    try:
        load_layout(path)
    except InputError as error:
        refusal = str(error)
    assert "\n" not in refusal


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, len(_TEXT)), removed=st.integers(0, 12), added=st.text(max_size=6))
def test_damaged_text_ends_in_one_sentence(tmp_path, place, removed, added):
    path = tmp_path / "layout.yaml"
    path.write_text(_TEXT[:place] + added + _TEXT[place + removed :], encoding="utf-8")
    _layout_or_input_error(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    where=st.sampled_from([(), ("vertices",), ("weights",), ("vertex",), ("side",), ("bone",)]), value=_VALUES
)
def test_wrong_values_end_in_one_sentence(tmp_path, where, value):
    data = yaml.safe_load(_TEXT)
    if where:
        data["markers"]["RASI"][where[0]] = value
    else:
        data["markers"]["RASI"] = value
    path = tmp_path / "layout.yaml"
    path.write_text(yaml.safe_dump(data))
    _layout_or_input_error(path)
