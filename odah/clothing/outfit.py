"""Dress a body once, then ask for its layers in any motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from odah.clothing.appearance import Appearance, check_appearance
from odah.clothing.complexion import skin_colors, srgb_to_linear
from odah.clothing.face import FaceFrame
from odah.clothing.finish import ClothMesh, finish
from odah.clothing.hair import hair_surface, hairline_field
from odah.clothing.layers import Material, MeshLayer
from odah.clothing.patterns import cloth_field, garment_pattern
from odah.clothing.posing import FollowingCloth, joint_transforms, skin
from odah.clothing.rest_body import RestBody
from odah.clothing.shoes import collar_height, shoe_surface
from odah.clothing.surface import Surface
from odah.clothing.tailor import sew
from odah.clothing.textures import Texture, hair_image, texture_image
from odah.errors import InputError

if TYPE_CHECKING:
    from odah.body.body_model import BodyModel

_CHUNK = 32
_HIDDEN_DEPTH = 0.05
"""Skin further than this under a hem is not drawn, m."""


@dataclass(frozen=True)
class _Cloth:
    """A garment ready to follow and to be drawn."""

    name: str
    following: FollowingCloth
    mesh: ClothMesh
    material: Material


@dataclass(frozen=True)
class _Attached:
    """Something that moves by plain skinning: shoes and hair."""

    name: str
    surface: Surface
    material: Material
    uv: np.ndarray | None = None
    colors: np.ndarray | None = None


@dataclass(frozen=True)
class Outfit:
    """A dressed person. Made by `dress`."""

    appearance: Appearance
    body: BodyModel
    betas: np.ndarray
    rest: RestBody
    skin_faces: np.ndarray
    skin_colors: np.ndarray
    lower: _Cloth
    upper: _Cloth
    attached: tuple[_Attached, ...]

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
        names = ["skin", self.lower.name, self.upper.name, *(a.name for a in self.attached)]
        frames: dict[str, list[np.ndarray]] = {name: [] for name in names}
        for start in range(0, len(poses), _CHUNK):
            for name, vertices in self._chunk(
                poses[start : start + _CHUNK], transl[start : start + _CHUNK]
            ).items():
                frames[name].extend(vertices)
        stacked = {
            name: np.stack(vertices).astype(np.float32, copy=False) for name, vertices in frames.items()
        }
        return self._as_layers(stacked)

    def _chunk(self, poses: np.ndarray, transl: np.ndarray) -> dict[str, list[np.ndarray]]:
        with torch.no_grad():
            betas = torch.as_tensor(self.betas, dtype=torch.float32)
            pose = self.body(betas, torch.as_tensor(poses), torch.as_tensor(transl))
        vertices = pose.vertices.cpu().numpy()
        rotmats, joints = (x.double().cpu().numpy() for x in (pose.joint_rotmats, pose.joints))
        transforms = joint_transforms(rotmats, joints, self.rest.joints)
        out: dict[str, list[np.ndarray]] = {"skin": list(vertices)}
        for skin_frame, transform in zip(vertices.astype(float), transforms, strict=True):
            for name, points in self._frame(skin_frame, transform).items():
                out.setdefault(name, []).append(points.astype(np.float32))
        return out

    def _frame(self, body: np.ndarray, transforms: np.ndarray) -> dict[str, np.ndarray]:
        corrective = body - skin(self.rest.vertices, self.rest.sparse_weights, transforms)
        lower = self.lower.following.posed(transforms, body, corrective)
        lower_normals = self.lower.following.normals(lower)
        upper = self.upper.following.posed(transforms, body, corrective, (lower, lower_normals))
        drawn = {
            self.lower.name: self.lower.mesh.drawn(lower, lower_normals),
            self.upper.name: self.upper.mesh.drawn(upper, self.upper.following.normals(upper)),
        }
        for item in self.attached:
            drawn[item.name] = skin(item.surface.vertices, item.surface.weights, transforms)
        return drawn

    def _as_layers(self, vertices: dict[str, np.ndarray]) -> list[MeshLayer]:
        look = Material("skin", roughness=0.5)
        layers = [MeshLayer("skin", vertices["skin"], self.skin_faces, look, None, self.skin_colors)]
        layers += [
            MeshLayer(cloth.name, vertices[cloth.name], cloth.mesh.faces, cloth.material, cloth.mesh.uv)
            for cloth in (self.lower, self.upper)
        ]
        layers += [
            MeshLayer(item.name, vertices[item.name], item.surface.faces, item.material, item.uv, item.colors)
            for item in self.attached
        ]
        return layers


def _cloth(name: str, rest: RestBody, kind: str, texture: Texture, looseness: float) -> _Cloth:
    garment = sew(rest, garment_pattern(kind), looseness)
    material = Material("cloth", roughness=0.85, texture=texture_image(texture))
    return _Cloth(name, FollowingCloth.of(garment, rest), finish(garment, rest), material)


def _visible_skin(rest: RestBody, appearance: Appearance) -> np.ndarray:
    """The faces of the body that no garment, shoe or hair covers."""
    covered = np.maximum.reduce(
        [cloth_field(rest, garment_pattern(kind)) for kind in (appearance.upper, appearance.lower)]
    )
    hidden = covered > _HIDDEN_DEPTH
    hidden |= collar_height(rest) - rest.vertices[:, 1] > 0.0
    hidden |= hairline_field(rest, FaceFrame.of(rest)) > 0.025
    return rest.faces[~hidden[rest.faces].all(1)]


def dress(body: BodyModel, betas: np.ndarray, appearance: Appearance) -> Outfit:
    """Sew and fit everything a person wears; done once a subject (about half a second).

    betas: (num_betas,). The body's T-pose mesh, skinning weights and joints are all that is used of it.

    Raises:
        InputError: an unknown garment, texture or hair style.
    """
    check_appearance(appearance)
    rest = RestBody.of(body, betas)
    look = appearance
    lower = _cloth("lower", rest, look.lower, look.lower_texture, look.lower_looseness)
    upper = _cloth("upper", rest, look.upper, look.upper_texture, look.upper_looseness)
    shoes, shoe_colors = shoe_surface(rest, srgb_to_linear(look.shoe_color), srgb_to_linear(look.sole_color))
    hair, hair_uv = hair_surface(rest, look.hair_style, look.detail_seed)
    strands = Material("hair", roughness=0.55, texture=hair_image(look.hair_color, look.detail_seed))
    attached = [
        _Attached("shoes", shoes, Material("leather", roughness=0.6), None, shoe_colors),
        _Attached("hair", hair, strands, hair_uv),
    ]
    colors = skin_colors(rest, look.skin_color, look.hair_color, look.eye_color, look.detail_seed)
    faces = _visible_skin(rest, appearance)
    return Outfit(look, body, np.asarray(betas, float), rest, faces, colors, lower, upper, tuple(attached))
