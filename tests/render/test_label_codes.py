"""Every number a video can hold survives decoding and encoding; every label survives within a step."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from odah.render.label_codes import decode_depth_mm, decode_normals, encode_depth_mm, encode_normals


def test_every_depth_code_comes_back():
    codes = np.arange(2**16, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(encode_depth_mm(decode_depth_mm(codes)), codes)


@given(st.floats(2**-10, 65.0, width=32))
def test_depth_is_kept_within_half_a_millimetre(depth):
    picture = np.array([[depth, np.inf]], dtype=np.float32)
    decoded = decode_depth_mm(encode_depth_mm(picture))
    assert abs(decoded[0, 0] - picture[0, 0]) <= 0.0005 + 1e-5
    assert np.isinf(decoded[0, 1])


def test_depth_beyond_the_numbers_is_the_last_one_and_never_nothing():
    codes = encode_depth_mm(np.array([[1e9, 65.535, 66.0, 1e-5, np.inf]], dtype=np.float32))
    np.testing.assert_array_equal(codes, [[65535, 65535, 65535, 1, 0]])


def test_every_normal_code_comes_back():
    axis = np.arange(256, dtype=np.uint8)
    codes = np.stack(np.meshgrid(axis, axis[::5], axis[::5]), axis=-1).reshape(256, -1, 3)
    np.testing.assert_array_equal(encode_normals(decode_normals(codes)), codes)


def test_normals_are_kept_within_a_step_and_nothing_stays_nothing():
    normals = np.random.default_rng(0).normal(size=(40, 50, 3))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    normals[7] = 0
    normals[0, :6] = [*np.eye(3), *-np.eye(3)]
    decoded = decode_normals(encode_normals(normals.astype(np.float32)))
    assert np.abs(decoded - normals).max() <= 1 / 255 + 1e-6
    np.testing.assert_array_equal(decoded[7], 0)
    assert decoded[8:].any(axis=-1).all()
