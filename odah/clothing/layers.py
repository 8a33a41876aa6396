"""What the renderer draws: moving triangle meshes, each with one material."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

MaterialKind = Literal["skin", "cloth", "hair", "leather"]


@dataclass(frozen=True)
class Material:
    """A surface: one shader topology a kind, values only.

    base_color: linear RGB; multiplied with the layer's vertex colours and its texture, where it has them.
    texture: (H, W, 3) uint8 sRGB image, tiled over the layer's uv; None for plain colour.
    roughness: 0 mirror to 1 matt.
    relief: (H, W) uint8 heights, tiled like the texture, `relief_depth` m between 0 and 255; None for smooth.
    """

    kind: MaterialKind
    base_color: tuple[float, float, float] = (1.0, 1.0, 1.0)
    roughness: float = 0.7
    texture: np.ndarray | None = field(default=None, repr=False)
    relief: np.ndarray | None = field(default=None, repr=False)
    relief_depth: float = 0.0


@dataclass(frozen=True)
class MeshLayer:
    """One mesh of a clothed person over a clip.

    vertices: (T, N, 3) float32, world, m. faces: (F, 3) int. uv: texture coordinates, one unit a texture
    tile, (N, 2) at the vertices or, where a map has seams, (F, 3, 2) at the faces' corners. colors: (N, 3)
    linear RGB at the vertices. owners: (N,) number of the SMPL-X joint with the greatest skinning weight at
    each vertex, which tells the part of the body it shows or covers.
    """

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    material: Material
    uv: np.ndarray | None = None
    colors: np.ndarray | None = None
    owners: np.ndarray | None = None
