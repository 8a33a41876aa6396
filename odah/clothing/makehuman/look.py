"""What a MakeHuman garment looks like: its own picture, or cloth of the person's outfit on its uv."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from odah.clothing.finish import TEXTURE_TILE
from odah.clothing.surface import Surface, directed_edges
from odah.names import SIDES, SMPLX_INDEX

_LEGS = [
    SMPLX_INDEX["pelvis"],
    *(SMPLX_INDEX[f"{side}_{n}"] for side in SIDES for n in ("hip", "knee", "ankle")),
]
_SOCK_HEIGHT = 0.03
_MUCH, _OPAQUE = 0.35, 0.35


@dataclass(frozen=True)
class PartMesh:
    """Some faces of a garment: index (M,) of its vertices, faces (F, 3) among them, uv (F, 3, 2)."""

    index: np.ndarray
    faces: np.ndarray
    uv: np.ndarray

    @classmethod
    def of(cls, faces: np.ndarray, uv: np.ndarray) -> PartMesh:
        index, renumbered = np.unique(faces, return_inverse=True)
        return cls(index, renumbered.reshape(-1, 3), uv)

    def drawn(self, cloth: np.ndarray, normals: np.ndarray) -> np.ndarray:
        return cloth[self.index]


def pieces(surface: Surface) -> tuple[int, np.ndarray]:
    """How many pieces of cloth hang together by their faces, and which each vertex (G,) is of."""
    n, edges = surface.num_vertices, directed_edges(surface.faces)
    return connected_components(sp.coo_matrix((np.ones(len(edges)), edges.T), (n, n)), directed=False)


def leg_pieces(surface: Surface) -> np.ndarray:
    """(F,) is the face of a piece of cloth that is much on the legs: the trousers of a suit, or overalls."""
    count, piece = pieces(surface)
    on_legs = np.bincount(piece, surface.weights[:, _LEGS].sum(1), count) / np.bincount(
        piece, minlength=count
    )
    return (on_legs > _MUCH)[piece[surface.faces[:, 0]]]


def sock_vertices(shoes: Surface) -> np.ndarray:
    """(G,) is of a piece that does not come near the floor."""
    count, piece = pieces(shoes)
    lowest = np.full(count, np.inf)
    np.minimum.at(lowest, piece, shoes.vertices[:, 1])
    return (lowest > lowest.min() + _SOCK_HEIGHT)[piece]


def cloth_uv(surface: Surface, uv: np.ndarray | None) -> np.ndarray:
    """(F, 3, 2) texture coordinates of one unit a tile of cloth, whatever the map's own scale.

    uv: (F, 3, 2) or None, when the cloth is seen from the front.
    """
    corners = surface.vertices[surface.faces]
    if uv is None:
        return corners[..., :2] / TEXTURE_TILE
    length, on_map = (np.linalg.norm(np.diff(x, axis=1), axis=2).sum() for x in (corners, uv))
    return uv * (length / max(on_map, 1e-9) / TEXTURE_TILE)


def opaque_faces(picture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """(F,) do corners and middle of the face lie, on the whole, where the picture (H, W, 4) is opaque."""
    places = np.concatenate([uv, uv.mean(1, keepdims=True)], 1) % 1.0
    height, width = picture.shape[:2]
    column = (places[..., 0] * width).astype(int).clip(0, width - 1)
    row = ((1 - places[..., 1]) * height).astype(int).clip(0, height - 1)
    return picture[row, column, 3].mean(1) / 255 > _OPAQUE
