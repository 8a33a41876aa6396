"""Reading garments made for MakeHuman: right ones exactly, wrong ones refused in one sentence."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odah.clothing.makehuman.garment import load_garment
from odah.clothing.makehuman.obj import read_obj
from odah.errors import InputError

MHCLO = """\
# a garment
uuid 1234
basemesh hm08
tag MakeHuman
tag Two words
name My Vest
obj_file vest.obj
material vest.mhmat
x_scale 5399 11998 1.4340
y_scale 791 881 2.4098
z_depth 61
verts 0
17452
1843 1859 1858 -0.25 1.0 0.25 0.1 -0.2 0.3
 3976  3962 3961 0.5 0.25 0.25
16103 16106 16123 0.5 0.5 0.0 0 0 0
delete_verts
7 10 - 12 20 -
22 40
"""
OBJ = """\
o vest
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0 0
vt 1 0
vt 1 1
vt 0 1
f 1/1 2/2 3/3 4/4
f -4/1 -3/2 -1/4
"""
MHMAT = "name vest\ndiffuseColor 0.25 0.5 1.0\ndiffuseTexture vest picture.png\ntransparent True\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "vest.mhclo").write_text(MHCLO)
    (tmp_path / "vest.obj").write_text(OBJ)
    (tmp_path / "vest.mhmat").write_text(MHMAT)
    return tmp_path


def test_what_the_files_say(folder):
    garment = load_garment(folder / "vest.mhclo")
    binding = garment.binding
    assert garment.name == "My Vest"
    assert garment.layer_name == "My_Vest"
    assert garment.z_depth == 61
    np.testing.assert_array_equal(binding.index[:2], [[17452] * 3, [1843, 1859, 1858]])
    np.testing.assert_allclose(binding.share[:3], [[1, 0, 0], [-0.25, 1, 0.25], [0.5, 0.25, 0.25]])
    np.testing.assert_allclose(binding.offset[:3], [[0, 0, 0], [0.1, -0.2, 0.3], [0, 0, 0]])
    np.testing.assert_array_equal(binding.scale_ends[:2], [[5399, 11998], [791, 881]])
    np.testing.assert_allclose(binding.reference, [1.434, 2.4098, np.nan])
    np.testing.assert_array_equal(garment.deleted, [7, 10, 11, 12, 20, 21, 22, 40])


def test_polygons_are_fans_and_numbers_may_count_back(folder):
    garment = load_garment(folder)
    np.testing.assert_array_equal(garment.faces, [[0, 1, 2], [0, 2, 3], [0, 1, 3]])
    assert garment.uv is not None
    np.testing.assert_array_equal(garment.uv[1], [[0, 0], [1, 1], [0, 1]])


def test_a_mesh_without_a_map_has_none(tmp_path):
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1//7 2//7 3//7\n")
    assert read_obj(tmp_path / "a.obj").uv is None


def test_a_picture_with_an_impossible_name_is_left_out(folder):
    replaced(folder, "vest.mhmat", "vest picture.png", "p" * 5000)
    assert load_garment(folder).material.picture is None


def test_a_picture_is_read_in_its_own_colours_or_left_out(folder):
    assert load_garment(folder).material.picture is None
    bgra = np.zeros((4, 6, 4), np.uint8)
    bgra[1, 2] = (10, 20, 30, 40)
    cv2.imwrite(str(folder / "vest picture.png"), bgra)
    material = load_garment(folder).material
    assert material.picture is not None
    assert material.diffuse == (0.25, 0.5, 1.0)
    assert material.is_transparent
    np.testing.assert_array_equal(material.picture[1, 2], [30, 20, 10, 40])


def replaced(folder, file, old, new):
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("vest.mhclo", "17452", "19158", "19158.*one of 19158 base mesh vertices"),
        ("vest.mhclo", "17452", "-3", "-3.*one of 19158"),
        ("vest.mhclo", "17452\n", "17452 3\n", "2 values.*1 vertex number"),
        ("vest.mhclo", "0.1 -0.2", "nan -0.2", "line 14: found 'nan -0.2 0.3'|line 14: found '.*nan"),
        ("vest.mhclo", "0.1 -0.2", "x -0.2", "line 14.*finite numbers"),
        ("vest.mhclo", "17452\n", "", "3 vertices, but 4 in vest.obj"),
        ("vest.mhclo", "hm08", "alpha7", "basemesh.*hm08"),
        ("vest.mhclo", "obj_file vest.obj\n", "", "obj_file: found nothing"),
        ("vest.mhclo", "vest.obj", "other.obj", "other.obj, which is missing"),
        ("vest.mhclo", "vest.obj", "../vest.obj", "'../vest.obj', expected .* inside"),
        ("vest.mhclo", "vest.obj", "/etc/passwd", "'/etc/passwd', expected .* inside"),
        ("vest.mhclo", "vest.mhmat", "gone.mhmat", "gone.mhmat, which is missing"),
        ("vest.mhclo", "1.4340", "0", "x_scale: found 0, expected a positive"),
        ("vest.mhclo", "x_scale 5399", "x_scale", "x_scale: found 2 values"),
        ("vest.mhclo", "z_depth 61", "z_depth deep", "z_depth: found 'deep'"),
        ("vest.mhclo", "7 10 - 12", "- 12", "without a start"),
        ("vest.mhclo", "verts 0\n", "", "before any numbers"),
        ("vest.obj", "v 1 0 0", "v 1 0 up", "line 3.*3 finite numbers"),
        ("vest.obj", "v 1 0 0", "v 1 0 inf", "line 3.*3 finite numbers"),
        ("vest.obj", "f 1/1", "f 9/1", "9.*one of the 4 vertices"),
        ("vest.obj", "f 1/1", "f 0/1", "0.*one of the 4 vertices"),
        ("vest.obj", "f 1/1 2/2 3/3 4/4", "f 1/1 2/2", "2 corners"),
        ("vest.obj", "f 1/1", "f 1/5", "one of the 4 texture"),
        ("vest.mhclo", "vest.obj", "v" * 5000, "vvv"),
        ("vest.mhmat", "0.25 0.5 1.0", "0.25 0.5", "diffuseColor: found 2 values"),
        ("vest.mhmat", "vest picture.png", "../vest.obj", "inside"),
        ("vest.mhmat", "vest picture.png", "vest.obj", "vest.obj, which cannot be read"),
    ],
)
def test_what_is_wrong_is_named(folder, file, old, new, message):
    (folder.parent / "vest.obj").write_text(OBJ)
    replaced(folder, file, old, new)
    with pytest.raises(InputError, match=message) as caught:
        load_garment(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", ["vest.mhclo", "vest.obj", "vest.mhmat"])
def test_empty_and_binary_files_are_refused(folder, file):
    (folder / file).write_bytes(b"")
    with pytest.raises(InputError, match="empty"):
        load_garment(folder)
    (folder / file).write_bytes(bytes(range(256)) * 4)
    with pytest.raises(InputError, match="binary"):
        load_garment(folder)


def test_files_beyond_the_limits_are_refused(folder, monkeypatch):
    monkeypatch.setattr("odah.clothing.makehuman.text.MAX_FILE_SIZE", 100)
    with pytest.raises(InputError, match="at most 100 bytes"):
        load_garment(folder)
    monkeypatch.undo()
    monkeypatch.setattr("odah.clothing.makehuman.mhclo.MAX_VERTICES", 3)
    with pytest.raises(InputError, match="more than 3 vertices"):
        load_garment(folder)
    monkeypatch.undo()
    monkeypatch.setattr("odah.clothing.makehuman.obj.MAX_FACES", 2)
    with pytest.raises(InputError, match="more than 2 triangles"):
        load_garment(folder)


def test_a_link_out_of_the_folder_is_not_followed(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "vest.obj"
    outside.write_text(OBJ)
    (folder / "vest.obj").unlink()
    (folder / "vest.obj").symlink_to(outside)
    with pytest.raises(InputError, match="inside"):
        load_garment(folder)


def test_a_folder_with_no_garment_or_two(folder):
    (folder / "b.mhclo").write_text(MHCLO)
    with pytest.raises(InputError, match=r"2 \.mhclo files"):
        load_garment(folder)
    with pytest.raises(InputError, match="no such file"):
        load_garment(folder / "none.mhclo")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    file=st.sampled_from(["vest.mhclo", "vest.obj", "vest.mhmat"]),
    data=st.data(),
    junk=st.one_of(
        st.binary(max_size=12),
        st.sampled_from(
            [b"-", b"/", b"nan", b"1e999", b"9" * 5000, b"\n", b" ", b"//", b"verts", b"\xff", b"\xc2\xb2"]
        ),
    ),
)
def test_damage_anywhere_is_one_sentence_or_none(tmp_path, file, data, junk):
    """Whatever bytes are put wherever: a garment, or one sentence."""
    texts = {"vest.mhclo": MHCLO, "vest.obj": OBJ, "vest.mhmat": MHMAT}
    whole = texts[file].encode()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 40)))
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / file).write_bytes(whole[:start] + junk + whole[end:])
    outcome = outcome_of(tmp_path / "vest.mhclo")
    if isinstance(outcome, InputError):
        assert "\n" not in str(outcome)
        return
    assert outcome.faces.max() < len(outcome.binding.index)
    assert np.isfinite(outcome.binding.share).all()
    np.testing.assert_allclose(outcome.weights.sum(1), 1)


def outcome_of(path):
    try:
        return load_garment(path)
    except InputError as error:
        return error
