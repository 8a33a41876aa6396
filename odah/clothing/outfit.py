"""Dress a body once, then ask for its layers in any motion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from odah.body.mesh import vertex_normals
from odah.clothing.appearance import Appearance, check_appearance
from odah.clothing.body_frame import BodyFrame, joint_transforms
from odah.clothing.complexion import SkinLook, skin_look
from odah.clothing.face import FaceFrame
from odah.clothing.finish import finish
from odah.clothing.glasses import glasses_surface
from odah.clothing.hair import hair_surface, hairline_field
from odah.clothing.layers import Material, MeshLayer
from odah.clothing.makehuman.fit import check_wearable
from odah.clothing.makehuman.garment import MakeHumanGarment, Slot
from odah.clothing.makehuman.wear import hidden_skin, worn_attached, worn_cloth
from odah.clothing.patterns import cloth_field, garment_pattern
from odah.clothing.posing import FollowingCloth
from odah.clothing.rest_body import RestBody
from odah.clothing.shoes import collar_height, shoe_surface
from odah.clothing.strands import hair_material, hair_tint
from odah.clothing.tailor import sew
from odah.clothing.textures import texture_image, texture_relief
from odah.clothing.tones import srgb_to_linear
from odah.clothing.worn import Attached, Cloth, ClothPart, over, owners_of
from odah.errors import InputError

if TYPE_CHECKING:
    from odah.body.body_model import BodyModel

_CHUNK = 32
_SLOTS: frozenset[Slot] = frozenset({"upper", "lower", "shoes", "hair"})
_OWN_DEPTH = 50
"""Our own clothes lie as deep as MakeHuman's usual ones."""
_INSIDE_BOOTS = ("leggings",)
_HIDDEN_DEPTH = 0.05
"""Skin further than this under a hem is not drawn, m."""


@dataclass(frozen=True)
class Outfit:
    """A dressed person. Made by `dress`.

    skin_faces: the faces of the body that nothing covers. clothes: from inside to outside; each stays outside
    the skin and all before it. attached: what moves by skinning alone.
    """

    appearance: Appearance
    body: BodyModel
    betas: np.ndarray
    rest: RestBody
    skin_faces: np.ndarray
    skin: SkinLook
    clothes: tuple[Cloth, ...]
    attached: tuple[Attached, ...]

    def layers(self, poses: np.ndarray, transl: np.ndarray) -> list[MeshLayer]:
        """Skin, garments, shoes and hair in the motion poses (T, 55, 3) rad, transl (T, 3) m, world.

        Raises:
            InputError: poses and transl of other shapes, or of different lengths.
        """
        poses, transl = np.asarray(poses, np.float32), np.asarray(transl, np.float32)
        if poses.shape[1:] != (55, 3) or transl.shape != (len(poses), 3) or not len(poses):
            raise InputError(
                "motion", f"poses {poses.shape}, transl {transl.shape}", "(T, 55, 3) and (T, 3), T > 0"
            )
        frames: dict[str, list[np.ndarray]] = {}
        for start in range(0, len(poses), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            for frame in self._body_frames(poses[chunk], transl[chunk]):
                for name, vertices in self._drawn(frame).items():
                    frames.setdefault(name, []).append(vertices.astype(np.float32))
        return self._as_layers({name: np.stack(vertices) for name, vertices in frames.items()})

    def _body_frames(self, poses: np.ndarray, transl: np.ndarray) -> list[BodyFrame]:
        with torch.no_grad():
            betas = torch.as_tensor(self.betas, dtype=torch.float32)
            pose = self.body(betas, torch.as_tensor(poses), torch.as_tensor(transl))
        vertices, rotmats, joints = (
            x.double().cpu().numpy() for x in (pose.vertices, pose.joint_rotmats, pose.joints)
        )
        rest = self.rest
        return [
            BodyFrame.of(rest, v, t)
            for t, v in zip(joint_transforms(rotmats, joints, rest.joints), vertices, strict=True)
        ]

    def _drawn(self, frame: BodyFrame) -> dict[str, np.ndarray]:
        drawn, below = {"skin": frame.vertices}, None
        attached = {item.name: item.posed(frame) for item in self.attached}
        for item in self.attached:
            if item.is_under:
                points = attached[item.name]
                below = over(below, (points, vertex_normals(points, item.surface.faces)))
        for cloth in self.clothes:
            parts, outside = cloth.posed(frame, below)
            below = over(below, outside)
            drawn |= parts
        return drawn | attached

    def _as_layers(self, vertices: dict[str, np.ndarray]) -> list[MeshLayer]:
        look, owners = self.skin, owners_of(self.rest.weights)
        skin_layer = MeshLayer(
            "skin", vertices["skin"], self.skin_faces, look.material, look.uv, look.colors, owners
        )
        worn = [part for cloth in self.clothes for part in cloth.parts] + list(self.attached)
        return [skin_layer, *(item.layer(vertices[item.name]) for item in worn)]


@dataclass(frozen=True)
class _Extras:
    """What `dress` is given besides an appearance."""

    garments: Sequence[MakeHumanGarment]
    wrinkles: bool
    pictures: Mapping[str, np.ndarray]


def _check_pictures(look: Appearance, extras: _Extras) -> None:
    for name in (look.upper_picture, look.lower_picture):
        if name is not None and name not in extras.pictures:
            known = ", ".join(extras.pictures) or "no picture at all"
            raise InputError("appearance: picture", repr(name), f"one of those loaded: {known}")


def _cloth(slot: Literal["upper", "lower"], rest: RestBody, look: Appearance, extras: _Extras) -> Cloth:
    kind, texture = getattr(look, slot), getattr(look, f"{slot}_texture")
    garment = sew(rest, garment_pattern(kind), getattr(look, f"{slot}_looseness"))
    mesh = finish(garment, rest, extras.wrinkles)
    relief, depth = texture_relief(texture)
    picture = getattr(look, f"{slot}_picture")
    image = texture_image(texture) if picture is None else extras.pictures[picture]
    material = Material("cloth", roughness=0.85, texture=image, relief=relief, relief_depth=depth)
    owners = owners_of(mesh.combine @ garment.surface.weights)
    return Cloth(FollowingCloth.of(garment, rest), (ClothPart(slot, mesh, material, owners, mesh.colors),))


def _visible_skin(
    rest: RestBody, appearance: Appearance, garments: Sequence[MakeHumanGarment], own: frozenset[Slot]
) -> np.ndarray:
    """(F,) which faces of the body nothing covers; own: the places that the user's garments leave to ours."""
    hidden = np.zeros(len(rest.vertices), bool)
    for slot, kind in (("upper", appearance.upper), ("lower", appearance.lower)):
        if slot in own:
            hidden |= cloth_field(rest, garment_pattern(kind)) > _HIDDEN_DEPTH
    if "shoes" in own:
        hidden |= collar_height(rest, appearance.shoe_kind) - rest.vertices[:, 1] > 0.0
    if "hair" in own:
        hidden |= hairline_field(rest, FaceFrame.of(rest), appearance.hair_style) > 0.025
    for garment in garments:
        hidden |= hidden_skin(garment)
    return np.logical_not(hidden[rest.faces].all(axis=1))


def _clothes(rest: RestBody, look: Appearance, extras: _Extras, own: frozenset[Slot]) -> tuple[Cloth, ...]:
    """From inside to outside: what ends at the waist, then what covers the trunk, each by its depth."""
    layered: list[tuple[tuple[bool, int], Cloth]] = []
    if "lower" in own:
        layered.append(((False, _OWN_DEPTH), _cloth("lower", rest, look, extras)))
    if "upper" in own:
        layered.append(((True, _OWN_DEPTH), _cloth("upper", rest, look, extras)))
    for garment in extras.garments:
        if not garment.covers & {"shoes", "hair"}:
            order = ("upper" in garment.covers, garment.z_depth)
            layered.append((order, worn_cloth(garment, rest, look)))
    return tuple(cloth for _, cloth in sorted(layered, key=lambda entry: entry[0]))


def _attached(
    rest: RestBody, look: Appearance, garments: Sequence[MakeHumanGarment], own: frozenset[Slot]
) -> tuple[Attached, ...]:
    items = [worn_attached(garment, rest, look) for garment in garments if garment.covers & {"shoes", "hair"}]
    if "shoes" in own and look.shoe_kind != "barefoot":
        leather, sole = srgb_to_linear(look.shoe_color), srgb_to_linear(look.sole_color)
        shoes, colors = shoe_surface(rest, look.shoe_kind, leather, sole)
        matt, is_under = Material("leather", roughness=0.6), look.lower not in _INSIDE_BOOTS
        items.append(Attached("shoes", shoes, matt, None, colors, is_under))
    name, style = ("hair", look.hair_style) if "hair" in own else ("beard", "shaved")
    strands = hair_material(look.hair_color, style, look.detail_seed)
    hair = hair_surface(rest, style, look.detail_seed, look.facial_hair)
    for surface, uv, cover in hair:
        tint = hair_tint(cover, look.hair_color, look.skin_color)
        items.append(Attached(name, surface, strands, uv, tint))
    if look.has_glasses:
        frame, colors = glasses_surface(rest, look.detail_seed)
        items.append(Attached("glasses", frame, Material("leather", roughness=0.35), None, colors))
    return tuple(items)


def dress(
    body: BodyModel,
    betas: np.ndarray,
    appearance: Appearance,
    garments: Sequence[MakeHumanGarment] = (),
    wrinkles: bool = False,
    pictures: Mapping[str, np.ndarray] | None = None,
) -> Outfit:
    """Sew and fit everything a person wears; done once a subject (about half a second).

    betas: (num_betas,). Any body will do, but `garments`, which take the place of what they cover, are bound
    to the open body. wrinkles: whether poses press folds into our own clothes. pictures: (H, W, 3) uint8 sRGB
    by the names that the appearance uses.

    Raises:
        InputError: an unknown garment, texture or hair style; garments that the body cannot wear, or two for
            the same place; a picture that there is not.
    """
    extras = _Extras(garments, wrinkles, pictures or {})
    check_appearance(appearance)
    check_wearable(garments, body)
    _check_pictures(appearance, extras)
    rest = RestBody.of(body, betas)
    look = replace(appearance, garments=tuple(garment.name for garment in garments))
    own = _SLOTS - frozenset[Slot]().union(*(garment.covers for garment in garments))
    is_visible = _visible_skin(rest, look, garments, own)
    return Outfit(
        look,
        body,
        np.asarray(betas, float),
        rest,
        rest.faces[is_visible],
        skin_look(body, rest, look).on_faces(is_visible),
        _clothes(rest, look, extras, own),
        _attached(rest, look, garments, own),
    )
