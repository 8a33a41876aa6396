"""Depth and normals as the whole numbers that lossless videos hold."""

from __future__ import annotations

import numpy as np

_MAX_MM = np.iinfo(np.uint16).max


def encode_depth_mm(depth: np.ndarray) -> np.ndarray:
    """(H, W) uint16 whole millimetres of a depth in m, at most 65,535; 0 where it is infinite: nothing."""
    mm = np.rint(np.minimum(depth, _MAX_MM / 1e3) * np.float32(1e3)).clip(1, _MAX_MM)
    return np.where(np.isfinite(depth), mm, 0).astype(np.uint16)


def decode_depth_mm(codes: np.ndarray) -> np.ndarray:
    """(H, W) float32 depth, m, within 0.5 mm of what was encoded; inf where there is nothing."""
    return np.where(codes > 0, codes / 1e3, np.inf).astype(np.float32)


def encode_normals(normals: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 (n + 1) / 2 * 255 of unit vectors, rounded; black where the vector is 0: nothing."""
    codes = np.rint((normals.clip(-1, 1) + 1) * 127.5)
    return np.where(normals.any(axis=-1, keepdims=True), codes, 0).astype(np.uint8)


def decode_normals(codes: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32, each number within 1/255 of what was encoded, so not exactly of length 1; 0 where
    there is nothing."""
    normals = codes.astype(np.float32) / np.float32(127.5) - 1
    return np.where(codes.any(axis=-1, keepdims=True), normals, np.float32(0))
