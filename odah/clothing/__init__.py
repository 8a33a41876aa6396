"""Clothes, shoes, hair and skin for any SMPL-X-like body: sewn from its T-pose mesh, following its motion."""

from odah.clothing.appearance import Appearance, sample_appearance
from odah.clothing.layers import Material, MeshLayer
from odah.clothing.makehuman.garment import MakeHumanGarment, load_garment
from odah.clothing.outfit import Outfit, dress
from odah.clothing.shoes import SHOE_KINDS
from odah.clothing.textures import TEXTURE_KINDS, Texture, texture_image

__all__ = [
    "SHOE_KINDS",
    "TEXTURE_KINDS",
    "Appearance",
    "MakeHumanGarment",
    "Material",
    "MeshLayer",
    "Outfit",
    "Texture",
    "dress",
    "load_garment",
    "sample_appearance",
    "texture_image",
]
