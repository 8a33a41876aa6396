"""Registration files: every damage ends in one sentence."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odah.assets import asset_path
from odah.body.files import write_arrays
from odah.body.registration import load_registration
from odah.body.registration.record import OPEN_BODY_REGISTRATION, check_registration_path, layout_path
from odah.errors import InputError

SHIPPED = asset_path(OPEN_BODY_REGISTRATION)


@pytest.fixture
def copy(tmp_path):
    """A copy of the shipped registration, and its arrays."""
    path = tmp_path / "copy.npz"
    shutil.copy(SHIPPED, path)
    shutil.copy(layout_path(SHIPPED), layout_path(path))
    with np.load(path) as arrays:
        return path, dict(arrays)


def read_or_refuse(path):
    refusal = ""
    try:
        load_registration(path)
    except InputError as error:
        refusal = str(error)
    assert "\n" not in refusal


def damaged(copy, **changed):
    path, arrays = copy
    write_arrays(path, arrays | changed)
    return path


def test_weights_that_do_not_sum_to_one_are_found(copy):
    values = copy[1]["weight_values"].copy()
    values[copy[1]["weight_rows"] == 1] *= 1.01
    with pytest.raises(InputError, match=r"weights of hip_r.*1\.01"):
        load_registration(damaged(copy, weight_values=values))


def test_a_vertex_beyond_the_mesh_is_found(copy):
    vertices = copy[1]["weight_vertices"].copy()
    vertices[3] = 10**6
    with pytest.raises(InputError, match=r"weight_vertices.*1000000"):
        load_registration(damaged(copy, weight_vertices=vertices))


def test_lengths_that_differ_are_found(copy):
    with pytest.raises(InputError, match="weight_rows"):
        load_registration(damaged(copy, weight_rows=copy[1]["weight_rows"][:-1]))
    with pytest.raises(InputError, match="marker_offsets"):
        load_registration(damaged(copy, marker_offsets=copy[1]["marker_offsets"][:-1]))


def test_text_in_place_of_numbers_is_found(copy):
    words = np.array(["a"] * len(copy[1]["weight_values"]))
    with pytest.raises(InputError, match="weight_values"):
        load_registration(damaged(copy, weight_values=words))


@pytest.mark.parametrize("text", ["{", "[1]", json.dumps({"seed": 1})])
def test_an_unreadable_report_is_found(copy, text):
    with pytest.raises(InputError, match="info"):
        load_registration(damaged(copy, info=np.array([text])))


def test_a_layout_without_a_registered_marker_is_found(copy):
    path = damaged(copy)
    text = layout_path(path).read_text()
    layout_path(path).write_text(text.replace("  RASI:", "  RASX:"))
    with pytest.raises(InputError, match="no marker RASI"):
        load_registration(path)


def test_places_that_cannot_be_written_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.npz"):
        check_registration_path(tmp_path / "registration.yaml")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="a file"):
        check_registration_path(tmp_path / "file" / "out.npz")
    check_registration_path(tmp_path / "new" / "out.npz")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_arrays_end_in_one_sentence(copy, data):
    path, arrays = copy
    name = data.draw(st.sampled_from(sorted(arrays)))
    dtype = data.draw(st.sampled_from(["<f8", "<f4", "<i8", "<i4", "?", "<U3"]))
    shape = data.draw(st.lists(st.integers(0, 4), max_size=3))
    values = data.draw(st.lists(st.integers(-(10**4), 10**6), min_size=1, max_size=3))
    write_arrays(path, arrays | {name: np.resize(np.array(values).astype(dtype), shape)})
    read_or_refuse(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), added=st.binary(min_size=1, max_size=40))
def test_damaged_bytes_end_in_one_sentence(copy, place, added):
    whole = SHIPPED.read_bytes()
    start = int(place * len(whole))
    copy[0].write_bytes(whole[:start] + added + whole[start + len(added) :])
    read_or_refuse(copy[0])
