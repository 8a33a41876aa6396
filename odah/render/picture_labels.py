"""What each pixel of a picture shows: the person or not, which part of the body, how far, facing where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from odah.clothing.layers import MeshLayer
from odah.render.parts import OCCLUDED, PART_NUMBER, part_of_joint
from odah.render.rasterizer import Raster, Rasterizer
from odah.render.seen_surface import SeenSurface
from odah.scene.camera import Camera

StaticMesh = tuple[np.ndarray, np.ndarray]
"""Vertices (N, 3), world, m, and faces (F, 3) of something that stands still."""


@dataclass(frozen=True)
class LabelKinds:
    """Which labels are wanted besides the mask. Parts are drawn anyway, as visibility follows from them."""

    parts: bool = True
    depth: bool = False
    normals: bool = False


@dataclass(frozen=True)
class PictureLabels:
    """Labels of the person's pixels in one picture; what stands before the person hides them.

    person: (H, W) bool. parts: (H, W) uint8, numbers of `BODY_PARTS`; `OCCLUDED` where the person would be
        seen but for something of the room.
    depth: (H, W) float32 along the camera's z axis, m; inf off the person.
    normals: (H, W, 3) float32 unit vectors in camera axes (x right, y down, z forward), out of the side that
        is seen, so that z is negative; 0 off the person.
    """

    person: np.ndarray
    parts: np.ndarray
    depth: np.ndarray | None = None
    normals: np.ndarray | None = None


def draw_picture_labels(
    layers: Sequence[MeshLayer],
    static_meshes: Sequence[StaticMesh],
    cameras: Sequence[Camera],
    wanted: LabelKinds,
) -> Iterator[PictureLabels]:
    """The labels of every frame, from the pinhole camera of each; static meshes hide what is behind them."""
    person, static = _Person(layers), _Static(static_meshes)
    for frame, camera in enumerate(cameras):
        yield person.labels(frame, camera, static.seen_by(camera), wanted)


def draw_masks(layers: Sequence[MeshLayer], camera: Camera) -> Iterator[np.ndarray]:
    """One (H, W) bool mask a frame: the union of all layers, with nothing before them."""
    cameras = [camera] * len(layers[0].vertices)
    for labels in draw_picture_labels(layers, (), cameras, LabelKinds()):
        yield labels.person


class _Person:
    """All layers as one mesh."""

    def __init__(self, layers: Sequence[MeshLayer]) -> None:
        self._layers = layers
        offsets = np.cumsum([0, *(layer.vertices.shape[1] for layer in layers)])
        faces = [layer.faces + offset for layer, offset in zip(layers, offsets, strict=False)]
        self._rasterizer = Rasterizer(np.concatenate(faces))
        parts = np.concatenate([_part_of_corners(layer) for layer in layers])
        self._surface = SeenSurface(self._rasterizer.faces, int(offsets[-1]), parts)

    def labels(
        self, frame: int, camera: Camera, hidden_by: Raster | None, wanted: LabelKinds
    ) -> PictureLabels:
        vertices = np.concatenate([layer.vertices[frame] for layer in self._layers])
        raster, is_hidden = _before(self._rasterizer.draw(vertices, camera), hidden_by)
        parts = self._surface.parts(raster, vertices, camera)
        parts[is_hidden] = OCCLUDED
        return PictureLabels(
            person=raster.triangle >= 0,
            parts=parts,
            depth=raster.depth if wanted.depth else None,
            normals=self._surface.normals(raster, vertices, camera) if wanted.normals else None,
        )


def _before(raster: Raster, other: Raster | None) -> tuple[Raster, np.ndarray]:
    """What is left of a raster where `other` stands before it, and (H, W) bool where it does."""
    if other is None:
        return raster, np.zeros(raster.triangle.shape, bool)
    is_hidden = (raster.triangle >= 0) & (other.nearness > raster.nearness)
    return Raster(np.where(is_hidden, np.int32(-1), raster.triangle), raster.nearness), is_hidden


class _Static:
    """Drawn once for as long as the camera stays."""

    def __init__(self, meshes: Sequence[StaticMesh]) -> None:
        offsets = np.cumsum([0, *(len(vertices) for vertices, _ in meshes)])
        self._vertices = np.concatenate([np.zeros((0, 3)), *(vertices for vertices, _ in meshes)])
        faces = [faces + offset for (_, faces), offset in zip(meshes, offsets, strict=False)]
        self._rasterizer = Rasterizer(np.concatenate([np.zeros((0, 3), int), *faces]))
        self._camera: Camera | None = None
        self._raster: Raster | None = None

    def seen_by(self, camera: Camera) -> Raster | None:
        """None where there is nothing."""
        if len(self._rasterizer.faces) and not _is_same_view(camera, self._camera):
            self._raster, self._camera = self._rasterizer.draw(self._vertices, camera), camera
        return self._raster


def _is_same_view(camera: Camera, other: Camera | None) -> bool:
    if camera is other or other is None:
        return camera is other
    return (
        (camera.width, camera.height) == (other.width, other.height)
        and np.array_equal(camera.K, other.K)
        and np.array_equal(camera.T_world_cam, other.T_world_cam)
    )


def _part_of_corners(layer: MeshLayer) -> np.ndarray:
    """(F, 3) part of the body at the corners of a layer's faces; hair is the head's, however far it hangs."""
    if layer.material.kind == "hair":
        return np.full(layer.faces.shape, PART_NUMBER["head"])
    if layer.owners is None:
        return np.full(layer.faces.shape, PART_NUMBER["other"])
    return part_of_joint[layer.owners[layer.faces]]
