"""Lips, lids, brows, beard and eyes, painted onto points of the skin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from odah.clothing.face import FaceFrame
from odah.clothing.hairline import beard_field
from odah.clothing.tones import srgb_to_linear

if TYPE_CHECKING:
    from odah.clothing.appearance import Appearance

_PUPIL_DEG, _IRIS_DEG = 7.7, 22.0
"""Half angles of pupil and iris from the eyeball's middle; the open body's eyes have rings on either side."""
_EYE_WHITE = np.array([0.54, 0.49, 0.45])
_BEARD_COVER = {"none": 0.0, "shaven": 0.0, "stubble": 0.45, "moustache": 0.9, "goatee": 0.9, "beard": 0.95}


@dataclass(frozen=True)
class FacePoints:
    """Points of the skin around the face: positions (Q, 3) and normals (Q, 3) in the T-pose, m; lips and
    is_inside (Q,): share of the lips, of the mouth's inside; lid (Q,): distance from the eyeballs, m."""

    positions: np.ndarray
    normals: np.ndarray
    lips: np.ndarray
    is_inside: np.ndarray
    lid: np.ndarray
    face: FaceFrame

    @cached_property
    def front(self) -> np.ndarray:
        """(Q,) 1 on the face, 0 on the back of the head and inside."""
        facing = np.clip(0.5 + 2.5 * self.normals[:, 2], 0, 1)
        return facing * (self.positions[:, 2] > self.face.axis_z) * (1 - self.is_inside)


def blend(colors: np.ndarray, target: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Move colors (P, 3) towards target by share (P,), cut off to 0..1."""
    return colors + np.clip(share, 0, 1)[:, None] * (target - colors)


def ramp(distance: np.ndarray, width: float) -> np.ndarray:
    """1 deep inside (distance > 0), 0 outside, linear over `width` m around the line."""
    return np.clip(distance / width + 0.5, 0, 1)


class Strands:
    """Short hairs as a random picture that is looked up along and across them."""

    def __init__(self, rng: np.random.Generator, length: float, width: float) -> None:
        """length, width: of one hair, m."""
        noise = gaussian_filter(rng.standard_normal((256, 256)), (1.0, 6.0), mode="wrap")
        self._picture = noise / noise.std()
        self._scale = np.array([2.5 / width, 15.0 / length])

    def at(self, across: np.ndarray, along: np.ndarray) -> np.ndarray:
        """(Q,) about normal values; coordinates in m."""
        where = np.stack([across, along]) * self._scale[:, None]
        return map_coordinates(self._picture, where % 256, order=1, mode="grid-wrap")


def paint_face(
    colors: np.ndarray, points: FacePoints, look: Appearance, rng: np.random.Generator
) -> np.ndarray:
    """Colours (Q, 3), linear RGB, of the face's points: lips, sockets, lids, brows, beard over the skin's."""
    skin, hair = srgb_to_linear(look.skin_color), srgb_to_linear(look.hair_color)
    colors = blend(colors, srgb_to_linear(look.lip_color), 0.9 * _lips(points))
    colors = blend(colors, colors * [0.5, 0.2, 0.2], points.is_inside)
    colors = _age(colors, points, look.age)
    colors = _sockets(colors, points, skin, look.age)
    hair_below = hair * 0.85 + 0.02 * skin
    beard = beard_share(points, look.facial_hair) * _BEARD_COVER[look.facial_hair]
    strands = Strands(rng, 0.007, 0.0009)
    x, y, z = points.positions.T
    grain = np.clip(0.85 + 0.4 * strands.at(np.arctan2(x, z - points.face.axis_z) * 0.09, y), 0, 1.1)
    colors = blend(colors, hair_below, beard * grain)
    if look.facial_hair != "none":  # what a shave leaves
        shade = skin * 0.72 + 0.28 * np.minimum(hair, skin) * [0.9, 1.0, 1.1]
        colors = blend(colors, shade, 0.35 * beard_share(points, "beard"))
    colors = blend(colors, np.minimum(hair * 0.8, skin) + 0.05 * skin, 0.92 * _brows(points, look.brows, rng))
    return colors


def _lips(points: FacePoints) -> np.ndarray:
    return points.lips**1.5 * np.clip(points.front + 0.6 * (points.normals[:, 2] > -0.3), 0, 1)


def _sockets(colors: np.ndarray, points: FacePoints, skin: np.ndarray, age: float) -> np.ndarray:
    """Shade around the eyes, a dark line of lashes on the lids' rims, bags under old eyes."""
    x, y, _ = points.positions.T
    face = points.face
    aside, up = (np.abs(x) - face.half) / face.half, (y - face.eye[1]) / face.half
    socket = np.hypot(aside / 0.8, up / 0.5)
    colors = blend(colors, colors * [0.80, 0.70, 0.68], 0.65 * np.exp(-(socket**4)) * points.front)
    bag = np.exp(-((aside / 0.5) ** 2) - ((up + 0.42) / 0.12) ** 2)
    colors = blend(
        colors, colors * [0.82, 0.72, 0.74], bag * np.clip((age - 25) / 50, 0.1, 0.8) * points.front
    )
    near = ramp(0.0016 - points.lid, 0.0014) * (points.positions[:, 2] > face.axis_z)
    upper = up > -0.06 + 0.05 * aside
    return blend(colors, skin * 0.10 + 0.004, near * np.where(upper, 0.95, 0.45))


def _age(colors: np.ndarray, points: FacePoints, age: float) -> np.ndarray:
    """Lines from nose to mouth, beside the eyes and across the forehead, from about 35 years on."""
    x, y, _ = points.positions.T
    face = points.face
    aside, strength = np.abs(x) / face.half, np.clip((age - 32) / 45, 0, 1)
    if strength == 0:
        return colors
    drop = face.nose_tip - y
    fold = np.exp(-(((aside - 0.62 - 10.0 * np.clip(drop, 0, 1) * 1.0) / 0.10) ** 2)) * ramp(
        drop + 0.002, 0.012
    )
    fold *= ramp(0.032 - drop, 0.015)
    height = (y - face.eye[1]) / face.forehead
    bend = height + 0.02 * np.cos(1.6 * aside) - 0.02 * aside**2
    forehead = np.clip(np.cos(2 * np.pi * bend / 0.105) - 0.75, 0, 1) * 4
    forehead *= np.exp(-(((height - 0.42) / 0.10) ** 2)) * np.clip(1.7 - aside, 0, 1)
    fan = np.arctan2(y - face.eye[1], np.abs(x) - 1.45 * face.half)
    crow = (
        np.clip(np.cos(11 * fan) - 0.5, 0, 1)
        * 2
        * np.exp(-(((aside - 1.72) / 0.16) ** 2))
        * (np.abs(fan) < 0.7)
    )
    lines = np.clip(0.8 * fold + 0.55 * forehead + 0.5 * crow, 0, 1) * strength * points.front
    return blend(colors, colors * [0.66, 0.58, 0.56], 0.75 * lines)


def _brows(points: FacePoints, thickness: float, rng: np.random.Generator) -> np.ndarray:
    """(Q,) how much brow; thickness 0 thin to 1 bushy."""
    x, y, _ = points.positions.T
    face = points.face
    along = np.abs(x) / face.half
    arch = face.eye[1] + face.half * (
        0.70 + 0.17 * np.clip(along - 0.4, 0, 0.85) - 0.55 * np.clip(along - 1.25, 0, 1)
    )
    half = face.half * (0.10 + 0.10 * thickness)
    half = half * np.where(along < 1.1, 1.0, 1.0 - 0.95 * np.clip(along - 1.1, 0, 1) / 0.75)
    inner, outer = 0.36 - 0.10 * thickness, 1.80
    body = ramp(half - np.abs(y - arch), 0.0035)
    ends = np.clip((along - inner) / 0.25, 0, 1) * np.clip((outer - along) / 0.3, 0, 1)
    strands = Strands(rng, 0.008, 0.0008)
    tilt = np.interp(along, [0.3, 0.8, 1.3, 1.8], [1.2, 0.7, 0.25, -0.2])
    hairs = strands.at(y - tilt * (np.abs(x) - face.half) * 0.8, np.abs(x) + 0.5 * (y - arch))
    density = (0.78 + 0.2 * thickness) + 0.28 * hairs
    return body * ends * np.clip(density, 0.15, 1) * points.front


def beard_share(points: FacePoints, style: str) -> np.ndarray:
    """(Q,) how much of a beard grows: everything for stubble and beards, a part for the other styles."""
    if style in ("none", "shaven"):
        return np.zeros(len(points.positions))
    field = beard_field(points.positions, points.face, style)
    return ramp(field, 0.010) * (1 - np.clip(points.lips * 1.6, 0, 1)) * (1 - points.is_inside)


def paint_eye(points: np.ndarray, look: Appearance, rng: np.random.Generator) -> np.ndarray:
    """(E, 3) linear RGB of points (E, 3) of one eyeball that looks along +z: white, iris with fibres, pupil,
    a dark limbus, the lid's shade above, and the light that it mirrors."""
    rays = points - (points.max(0) + points.min(0)) / 2
    rays = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    angle = np.degrees(np.arccos(np.clip(rays[:, 2], -1, 1)))
    around = np.arctan2(rays[:, 1], rays[:, 0])
    colors = np.broadcast_to(_EYE_WHITE, points.shape).copy()
    colors = blend(colors, _EYE_WHITE * [0.88, 0.62, 0.56], np.clip((angle - 32) / 25, 0, 1))
    iris = srgb_to_linear(look.eye_color)
    turns, phases = np.arange(9, 41, 4), rng.uniform(0, 2 * np.pi, 8)
    fibres = np.sin(around[:, None] * turns + phases).sum(1) / np.sqrt(8)
    inner = np.clip((_IRIS_DEG - angle) / (_IRIS_DEG - _PUPIL_DEG), 0, 1)
    shade = (0.75 + 0.65 * inner) * (1 + 0.22 * fibres)
    colors = blend(colors, iris * 0.30, np.clip((_IRIS_DEG + 1.2 - angle) / 2.0, 0, 1))
    colors = blend(
        colors, np.clip(iris[None] * shade[:, None], 0, 1), np.clip((_IRIS_DEG - 1.5 - angle) / 3.0, 0, 1)
    )
    colors = blend(colors, np.full(3, 0.003), np.clip((_PUPIL_DEG + 0.6 - angle) / 1.5, 0, 1))
    lid = np.clip((np.degrees(np.arcsin(rays[:, 1])) - 4) / 14, 0, 0.7)
    colors = colors * (1 - lid * (angle < 70))[:, None]
    glint = np.hypot(np.degrees(rays[:, 0]) / 3.2 - 2.2, np.degrees(rays[:, 1]) / 3.2 - 2.4)
    return blend(colors, np.full(3, 0.85), np.clip(1.4 - glint, 0, 1) * (rays[:, 2] > 0))
