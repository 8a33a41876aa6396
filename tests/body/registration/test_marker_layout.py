"""Markers on the body: placed by rule, on their side, kept in a file a person can edit."""

from dataclasses import replace

import numpy as np
import pytest

from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.body.registration.marker_layout import (
    check_body,
    check_sides,
    load_layout,
    place_markers,
    save_layout,
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
    vertices = template[0]
    for name, marker in layout.markers.items():
        if marker.side == "right":
            other = layout.markers["L" + name[1:]]
            assert vertices[marker.vertex, 0] < 0 < vertices[other.vertex, 0]
            np.testing.assert_allclose(
                vertices[marker.vertex] * [-1, 1, 1], vertices[other.vertex], atol=5e-3, err_msg=name
            )


def test_markers_lie_where_anatomy_says(layout, template):
    vertices, _, joints = template

    def at(name):
        return vertices[layout.markers[name].vertex]

    def joint(name):
        return joints[SMPLX_INDEX[name]]

    assert at("LASI")[2] > joint("left_hip")[2] > at("LPSI")[2]
    assert 0.03 < at("LASI")[1] - joint("left_hip")[1] < 0.12
    assert at("LLFC")[0] > joint("left_knee")[0] > at("LMFC")[0]
    assert at("LLMAL")[0] > joint("left_ankle")[0] > at("LMMAL")[0]
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
    np.testing.assert_array_equal(order[renumbered.vertices], layout.vertices)


def test_layout_survives_its_file(layout, tmp_path):
    save_layout(layout, tmp_path / "layout.yaml")
    assert load_layout(tmp_path / "layout.yaml") == layout


def test_swapped_sides_are_found(layout, template):
    left, right = layout.markers["LASI"], layout.markers["RASI"]
    swapped = layout.markers | {"LASI": replace(left, vertex=right.vertex)}
    with pytest.raises(InputError, match="LASI"):
        check_sides(replace(layout, markers=swapped), template[0])


def test_a_vertex_the_body_lacks_is_found(layout, template):
    marker = replace(layout.markers["C7"], vertex=10**6)
    with pytest.raises(InputError, match=r"C7.*1000000"):
        check_body(replace(layout, markers=layout.markers | {"C7": marker}), template[1], len(template[0]))


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
        ("num_vertices: many\nmarkers: {}", "num_vertices"),
    ],
)
def test_bad_files_are_named(tmp_path, text, message):
    path = tmp_path / "layout.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        load_layout(path)
