"""Clothes, shoes, hair and skin for any SMPL-X-like body: sewn from its T-pose mesh, following its motion."""

from odah.clothing.appearance import Appearance, sample_appearance
from odah.clothing.layers import Material, MeshLayer
from odah.clothing.outfit import Outfit, dress
from odah.clothing.textures import TEXTURE_KINDS, Texture, texture_image

__all__ = [
    "TEXTURE_KINDS",
    "Appearance",
    "Material",
    "MeshLayer",
    "Outfit",
    "Texture",
    "dress",
    "sample_appearance",
    "texture_image",
]
