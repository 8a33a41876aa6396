"""Qualisys' `.qca.txt` calibration files: XML with pixels in 64ths and positions in mm."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np

from odah.errors import InputError
from odah.scene.calibration.records import Records

_PARTS_OF_A_PIXEL = 64.0
_LENS = (
    "radialDistortion1",
    "radialDistortion2",
    "tangentalDistortion1",  # so spelled in the files
    "tangentalDistortion2",
    "radialDistortion3",
)
"""OpenCV's k1, k2, p1, p2, k3. They are of normalized coordinates and so, unlike pixels, not in 64ths."""
_FROM_QUALISYS = np.diag([1.0, -1.0, -1.0])
"""The camera's y points up and its z backwards in these files."""


def read_qualisys(path: Path, text: str) -> Records:
    """The active cameras of a Qualisys calibration, named by their serial numbers.

    The picture is the field of view of the videos (`fov_video`). The maker does not tell whether a pixel's
    centre or its edge is a whole number; the centre is taken, which may be half a pixel off.

    Raises:
        InputError: no such XML, or numbers missing.
    """
    cameras = [camera for camera in _parsed(path, text).iter("camera") if camera.get("active") != "0"]
    names = [camera.get("serial") or f"view{index}" for index, camera in enumerate(cameras)]
    return [(name, _record(path, name, camera)) for name, camera in zip(names, cameras, strict=True)]


class _NoDoctype(ET.TreeBuilder):
    """Declared types may bring entities that blow up or read other files; calibrations have none."""

    def doctype(self, name: str, pubid: str, system: str) -> None:
        raise ValueError("a document type")


def _parsed(path: Path, text: str) -> ET.Element:
    try:
        return ET.fromstring(text, ET.XMLParser(target=_NoDoctype()))
    except (ET.ParseError, ValueError, LookupError) as error:
        raise InputError(path, " ".join(str(error).split())[:200], "Qualisys' XML") from None


def _record(path: Path, name: str, camera: ET.Element) -> dict[str, Any]:
    where = f"{path}: camera {name:.40}"
    if camera.get("viewrotation", "0") != "0":
        found = f"{camera.get('viewrotation')!r:.40}"
        raise InputError(f"{where}, viewrotation", found, "0, a calibration of the pictures as they are")
    left, top, right, bottom = _numbers(where, camera, "fov_video", "left", "top", "right", "bottom")
    fx, fy, cx, cy = (
        value / _PARTS_OF_A_PIXEL
        for value in _numbers(
            where, camera, "intrinsic", "focalLengthU", "focalLengthV", "centerPointU", "centerPointV"
        )
    )
    axes = [f"r{row}{column}" for row in (1, 2, 3) for column in (1, 2, 3)]
    R = _FROM_QUALISYS @ np.reshape(_numbers(where, camera, "transform", *axes), (3, 3))
    position = np.array(_numbers(where, camera, "transform", "x", "y", "z")) / 1000
    return {
        "width": right - left + 1,
        "height": bottom - top + 1,
        "K": [[fx, 0.0, cx - left], [0.0, fy, cy - top], [0.0, 0.0, 1.0]],
        "distortion": _numbers(where, camera, "intrinsic", *_LENS),
        "R": R.tolist(),
        "t": (-R @ position).tolist(),
    }


def _numbers(where: str, camera: ET.Element, tag: str, *names: str) -> list[float]:
    element = camera.find(tag)
    if element is None:
        raise InputError(where, f"no <{tag}>", "one")
    values = []
    for name in names:
        text = element.get(name, "")
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not abs(value) < 1e12:
            raise InputError(f"{where}, {tag} {name}", f"{text!r:.40}", "a finite number")
        values.append(value)
    return values
