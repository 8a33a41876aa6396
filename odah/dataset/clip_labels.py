"""The labels of a clip, typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8

from odah.dataset.schema import CROPPED_ONLY, LABEL_SHAPES
from odah.errors import InputError
from odah.files import DAMAGED_ARRAYS


@dataclass(frozen=True, eq=False)
class ClipLabels(Mapping[str, np.ndarray]):
    """What `labels.npz` holds; also a mapping by the arrays' names.

    T frames, C coordinates, K bodies, J joints, M markers, V views, B shape numbers; the names along C, K, J
    and M are in `dataset.json`.

    time: s. coordinates: rad and m. scale_factors: of the subject's model against the generic one, along each
        body's axes.
    joints (child-frame origins), body_coms, markers: m, ground.
    T_world_ground: ground to world, m.
    K, distortion, T_cam_world: the cameras, px and m; distortion is OpenCV's k1 k2 p1 p2 k3.
    K_calibrated, T_cam_world_calibrated: what a calibration would say of them.
    keypoints: projected joints, px of the full picture; NaN behind a camera.
    part_at_joint: number of the body part in the joint's pixel, see `odah.render.parts`.
    is_in_picture: the joint is in the video's picture. is_visible: and nothing is before it but what is
        around it.
    betas, poses (rotation vectors, rad), transl (m): of the body, world.
    crops: in datasets of crops left, top and side of each square, px of the full picture, measured from its
        edge; None in others.
    """

    time: Float[np.ndarray, " T"]
    coordinates: Float[np.ndarray, "T C"]
    scale_factors: Float[np.ndarray, "K 3"]
    joints: Float[np.ndarray, "T J 3"]
    body_coms: Float[np.ndarray, "T K 3"]
    markers: Float[np.ndarray, "T M 3"]
    T_world_ground: Float[np.ndarray, "4 4"]
    K: Float[np.ndarray, "V 3 3"]
    T_cam_world: Float[np.ndarray, "V 4 4"]
    distortion: Float[np.ndarray, "V 5"]
    K_calibrated: Float[np.ndarray, "V 3 3"]
    T_cam_world_calibrated: Float[np.ndarray, "V 4 4"]
    keypoints: Float[np.ndarray, "V T J 2"]
    part_at_joint: UInt8[np.ndarray, "V T J"]
    is_in_picture: Bool[np.ndarray, "V T J"]
    is_visible: Bool[np.ndarray, "V T J"]
    betas: Float[np.ndarray, " B"]
    poses: Float[np.ndarray, "T 55 3"]
    transl: Float[np.ndarray, "T 3"]
    crops: Float[np.ndarray, "V T 3"] | None = None

    def __getitem__(self, name: str) -> np.ndarray:
        array = getattr(self, name, None) if name in LABEL_SHAPES else None
        if array is None:
            raise KeyError(name)
        return array

    def __iter__(self) -> Iterator[str]:
        return (field.name for field in fields(self) if getattr(self, field.name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def read_labels(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a `labels.npz`, checked for presence, kind of number and shape (never unpickled).

    Raises:
        InputError: unreadable, an array missing, of another kind or shape.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            labels = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise InputError(path, "no such file", "a labels.npz") from None
    except DAMAGED_ARRAYS:
        raise InputError(path, "no readable arrays", "a labels.npz") from None
    sizes: dict[str, int] = {}
    for name, shape in LABEL_SHAPES.items():
        if name not in labels:
            if name in CROPPED_ONLY:
                continue
            raise InputError(f"{path}: {name}", "nothing", "an array")
        _check_kind(f"{path}: {name}", labels[name].dtype, name)
        _check_shape(f"{path}: {name}", labels[name].shape, shape, sizes)
    return labels


_KINDS = {"part_at_joint": "uint8", "is_in_picture": "bool", "is_visible": "bool"}
"""By array its type; all others hold floating-point numbers."""


def _check_kind(where: str, found: np.dtype, name: str) -> None:
    expected = _KINDS.get(name, "float")
    if not (found.kind == "f" if expected == "float" else found == np.dtype(expected)):
        raise InputError(where, f"numbers of type {found}", f"type {expected}")


def _check_shape(
    where: str, found: tuple[int, ...], expected: tuple[str | int, ...], sizes: dict[str, int]
) -> None:
    fits = len(found) == len(expected) and all(
        size == (sizes.setdefault(letter, size) if isinstance(letter, str) else letter)
        for size, letter in zip(found, expected, strict=False)
    )
    if not fits:
        known = tuple(sizes.get(str(letter), letter) for letter in expected)
        raise InputError(where, f"shape {found}", f"shape {known}")


def read_clip_labels(path: Path) -> ClipLabels:
    """A `labels.npz`; arrays that the schema does not name are left out.

    Raises:
        InputError: see `read_labels`.
    """
    labels = read_labels(path)
    return ClipLabels(**{name: labels[name] for name in LABEL_SHAPES if name in labels})
