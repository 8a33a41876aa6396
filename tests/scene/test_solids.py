"""Triangles of solids and rooms: closed, outward, where the description says."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.scene.solids import joined, room_mesh, solid_corners, solid_mesh
from odah.scene.types import Room, Solid, Surface

GREY = Surface("plain", (0.5, 0.5, 0.5), (0.4, 0.4, 0.4), 1.0, 0.5, 0)
SHAPES = ("box", "cylinder", "rod", "ball")
# of the box around it: a round outline of 24 corners has 0.989 of a circle's area
SHARES = {"box": 1.0, "cylinder": 0.776, "rod": 0.776, "ball": 0.508}


def room_of(walls: int = 4) -> Room:
    return Room((1.0, -2.0), (5.0, 3.0, 2.5), 0.3, GREY, (GREY,) * walls, GREY)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.sampled_from(SHAPES),
    position=st.tuples(*[st.floats(-5, 5)] * 3),
    size=st.tuples(*[st.floats(0.01, 3)] * 3),
    yaw=st.floats(-4, 4),
)
def test_solids_are_closed_face_outwards_and_fill_their_box(shape, position, size, yaw):
    vertices, faces = solid_mesh(Solid(shape, position, size, yaw, GREY))
    mesh = trimesh.Trimesh(vertices - position, faces)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(SHARES[shape] * np.prod(size), rel=0.01)
    c, s = np.cos(yaw), np.sin(yaw)
    local = (vertices - position) @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    assert (np.abs(local) <= np.array(size) / 2 + 1e-9).all()
    corners = (solid_corners(Solid(shape, position, size, yaw, GREY)) - position) @ np.array(
        [[c, -s, 0], [s, c, 0], [0, 0, 1]]
    )
    np.testing.assert_allclose(
        np.sort(np.abs(corners), axis=0), np.tile(np.array(size) / 2, (8, 1)), atol=1e-9
    )


def test_a_rod_lies_along_its_length_and_turns_with_yaw():
    vertices, _ = solid_mesh(Solid("rod", (0.0, 0.0, 1.0), (2.0, 0.1, 0.1), np.pi / 2, GREY))
    np.testing.assert_allclose(np.ptp(vertices, axis=0), [0.1, 2.0, 0.1], atol=0.005)


def test_a_room_faces_inwards_and_an_open_set_is_its_ground():
    vertices, faces = room_mesh(room_of())
    assert trimesh.Trimesh(vertices, faces[:, ::-1], process=False).volume == pytest.approx(5 * 3 * 2.5)
    assert room_of().contains(vertices * [1, 1, 0.9], margin=-1e-6).all()
    ground, ground_faces = room_mesh(room_of(walls=0))
    mesh = trimesh.Trimesh(ground, ground_faces, process=False)
    assert mesh.area == pytest.approx(15)
    np.testing.assert_allclose(mesh.face_normals, [[0, 0, 1]] * 2)


def test_joined_meshes_keep_their_triangles():
    one, other = (solid_mesh(Solid("box", (x, 0.0, 0.0), (1.0, 1.0, 1.0), 0.0, GREY)) for x in (0.0, 3.0))
    vertices, faces = joined([one, other])
    assert trimesh.Trimesh(vertices, faces).volume == pytest.approx(2)
    assert len(joined([])[1]) == 0
