"""MakeHuman garments as what an outfit is made of."""

from __future__ import annotations

import numpy as np

from odah.clothing.appearance import Appearance
from odah.clothing.layers import Material
from odah.clothing.makehuman.base_mesh import base_mesh
from odah.clothing.makehuman.fit import fitted, thin_soled
from odah.clothing.makehuman.following import FollowingGarment
from odah.clothing.makehuman.garment import MakeHumanGarment
from odah.clothing.makehuman.look import PartMesh, cloth_uv, leg_pieces, opaque_faces, sock_vertices
from odah.clothing.rest_body import RestBody
from odah.clothing.surface import Surface
from odah.clothing.textures import Texture, hair_image, texture_image, texture_relief
from odah.clothing.tones import srgb_to_linear
from odah.clothing.worn import Attached, Cloth, ClothPart, owners_of


def hidden_skin(garment: MakeHumanGarment) -> np.ndarray:
    """(N,) skin of the open body that the garment's file says it hides."""
    mesh = base_mesh()
    hidden = np.zeros(mesh.num_skin_vertices, bool)
    deleted = mesh.skin_vertex[garment.deleted]
    hidden[deleted[deleted >= 0]] = True
    return hidden


def worn_cloth(garment: MakeHumanGarment, rest: RestBody, look: Appearance) -> Cloth:
    """Cloth over the skin: in the garment's own picture, else in the fabrics of `look`."""
    surface = fitted(garment, rest)
    owners = owners_of(surface.weights)
    parts = []
    for name, faces, mesh_uv, material in _parts(garment, surface, look):
        mesh = PartMesh.of(faces, mesh_uv)
        parts.append(ClothPart(name, mesh, material, owners[mesh.index]))
    return Cloth(FollowingGarment.of(surface, rest), tuple(parts))


def worn_attached(garment: MakeHumanGarment, rest: RestBody, look: Appearance) -> Attached:
    """Shoes or hair, which move by skinning alone."""
    surface = fitted(garment, rest)
    name = "hair" if "hair" in garment.covers else "shoes"
    if name == "shoes":
        surface = thin_soled(surface, rest)
    picture = garment.material.picture
    if picture is not None:
        kept = _kept_faces(garment)
        uv = None if garment.uv is None else garment.uv[kept]
        drawn = Surface(surface.vertices, surface.faces[kept], surface.weights)
        return Attached(name, drawn, _pictured(garment, "hair" if name == "hair" else "leather"), uv)
    if name == "hair":
        image = hair_image(look.hair_color, look.detail_seed)
        return Attached(
            name, surface, Material("hair", roughness=0.55, texture=image), cloth_uv(surface, garment.uv)
        )
    colors = np.broadcast_to(srgb_to_linear(look.shoe_color), surface.vertices.shape).copy()
    colors[sock_vertices(surface)] = srgb_to_linear(look.sole_color)
    return Attached(name, surface, Material("leather", garment.material.diffuse, 0.6), None, colors)


def _parts(
    garment: MakeHumanGarment, surface: Surface, look: Appearance
) -> list[tuple[str, np.ndarray, np.ndarray, Material]]:
    """Name, faces, uv and material of each layer."""
    name = garment.layer_name
    if garment.material.picture is not None and garment.uv is not None:
        kept = _kept_faces(garment)
        return [(name, surface.faces[kept], garment.uv[kept], _pictured(garment, "cloth"))]
    uv, is_leg = cloth_uv(surface, garment.uv), leg_pieces(surface)
    if is_leg.all() or not is_leg.any():
        fabric = look.upper_texture if "upper" in garment.covers else look.lower_texture
        return [(name, surface.faces, uv, _fabric(garment, fabric))]
    return [
        (f"{name}_lower", surface.faces[is_leg], uv[is_leg], _fabric(garment, look.lower_texture)),
        (f"{name}_upper", surface.faces[~is_leg], uv[~is_leg], _fabric(garment, look.upper_texture)),
    ]


def _kept_faces(garment: MakeHumanGarment) -> np.ndarray:
    material = garment.material
    if not material.is_transparent or material.picture is None or garment.uv is None:
        return np.ones(len(garment.faces), bool)
    return opaque_faces(material.picture, garment.uv)


def _pictured(garment: MakeHumanGarment, kind: str) -> Material:
    picture = garment.material.picture
    assert picture is not None
    return Material(kind, garment.material.diffuse, 0.8, np.ascontiguousarray(picture[..., :3]))  # pyright: ignore[reportArgumentType]


def _fabric(garment: MakeHumanGarment, texture: Texture) -> Material:
    relief, depth = texture_relief(texture)
    diffuse = garment.material.diffuse
    return Material("cloth", diffuse, 0.85, texture_image(texture), relief, depth)
