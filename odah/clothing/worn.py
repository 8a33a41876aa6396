"""What lies over the skin: cloth that is posed frame by frame, and things that only move along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.sparse as sp

from odah.clothing.body_frame import BodyFrame, skin
from odah.clothing.layers import Material, MeshLayer
from odah.clothing.surface import Surface


class Follower(Protocol):
    """Cloth that knows where it is on a posed body."""

    def posed(self, frame: BodyFrame, below: tuple[np.ndarray, np.ndarray] | None = None) -> np.ndarray:
        """(N, 3) cloth over the skin and over the points and normals `below`."""
        ...

    def normals(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) unit normals of the posed cloth."""
        ...


class DrawnMesh(Protocol):
    """A mesh drawn from posed cloth; uv as in `MeshLayer`."""

    @property
    def faces(self) -> np.ndarray: ...

    @property
    def uv(self) -> np.ndarray: ...

    def drawn(self, cloth: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """(M, 3) vertices for cloth vertices (N, 3) and their normals."""
        ...


@dataclass(frozen=True)
class ClothPart:
    """One layer that a cloth is drawn as; owners (M,) and colors (M, 3) as in `MeshLayer`."""

    name: str
    mesh: DrawnMesh
    material: Material
    owners: np.ndarray
    colors: np.ndarray | None = None

    def layer(self, vertices: np.ndarray) -> MeshLayer:
        mesh = self.mesh
        return MeshLayer(
            self.name, vertices, mesh.faces, self.material, mesh.uv, self.colors, owners=self.owners
        )


@dataclass(frozen=True)
class Cloth:
    """A garment: how it follows the body, and the layers it is drawn as."""

    following: Follower
    parts: tuple[ClothPart, ...]

    def posed(
        self, frame: BodyFrame, below: tuple[np.ndarray, np.ndarray] | None
    ) -> tuple[dict[str, np.ndarray], tuple[np.ndarray, np.ndarray]]:
        """Each part's vertices, and the points and normals that a garment over this one stays outside of."""
        points = self.following.posed(frame, below)
        normals = self.following.normals(points)
        return {part.name: part.mesh.drawn(points, normals) for part in self.parts}, (points, normals)


@dataclass(frozen=True)
class Attached:
    """Something that moves by plain skinning: shoes and hair. uv, colors as in `MeshLayer`. is_under: clothes
    stay outside of it."""

    name: str
    surface: Surface
    material: Material
    uv: np.ndarray | None = None
    colors: np.ndarray | None = None
    is_under: bool = False

    def posed(self, frame: BodyFrame) -> np.ndarray:
        return skin(self.surface.vertices, self.surface.weights, frame.transforms)

    def layer(self, vertices: np.ndarray) -> MeshLayer:
        owners = self.surface.weights.argmax(1)
        return MeshLayer(self.name, vertices, self.surface.faces, self.material, self.uv, self.colors, owners)


def over(
    below: tuple[np.ndarray, np.ndarray] | None, garment: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Points and normals of all garments so far, `garment` included."""
    if below is None:
        return garment
    return np.concatenate([below[0], garment[0]]), np.concatenate([below[1], garment[1]])


def owners_of(weights: np.ndarray | sp.csr_matrix) -> np.ndarray:
    """(N,) joint of the greatest of the skinning weights (N, 55)."""
    return np.asarray(weights.argmax(1)).ravel()
