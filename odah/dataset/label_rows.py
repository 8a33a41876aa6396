"""The labels that a sequence carries, as one record a frame, so that any run of frames is one slice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from odah.dataset.clip_labels import ClipLabels

BY_FRAME = ("time", "coordinates", "joints", "body_coms")
BY_VIEW = ("keypoints", "is_in_picture", "is_visible")
OF_CLIP = (
    "scale_factors", "T_world_ground", "K", "distortion", "T_cam_world", "K_calibrated",
    "T_cam_world_calibrated",
)  # fmt: skip
"""The same in every frame, so that each record is whole."""


def frame_rows(labels: ClipLabels) -> np.ndarray:
    """(T,) records; what has a value by view is (V, ...) in each."""
    arrays = {name: labels[name] for name in BY_FRAME}
    arrays |= {name: labels[name].swapaxes(0, 1) for name in (*BY_VIEW, "crops") if name in labels}
    length = len(labels.time)
    arrays |= {name: np.broadcast_to(labels[name], (length, *labels[name].shape)) for name in OF_CLIP}
    return as_rows(arrays)


def as_rows(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Arrays of equal length as one array of records."""
    length = len(next(iter(arrays.values())))
    rows = np.empty(length, [(name, array.dtype, array.shape[1:]) for name, array in arrays.items()])
    for name, array in arrays.items():
        rows[name] = array
    return rows
