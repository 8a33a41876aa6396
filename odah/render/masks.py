"""Person masks: which pixel centres the projected triangles cover, drawn without a renderer.

Every triangle is taken counter-clockwise and adds 1 to the pixels inside it. Written as signed edges, where
an edge adds its sign to every pixel right of it, the edges that two triangles of the same facing share
cancel. What is left are the outline and the mesh's borders: a few thousand edges instead of 27 thousand
triangles, and sums of whole numbers, so that the union comes out exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from odah.clothing.layers import MeshLayer
from odah.scene.camera import Camera

NEAR = 0.02
"""Depth in front of the camera from which on geometry is drawn, m; the renderer's own clipping distance."""


class SilhouetteRasterizer:
    """Draws the union of all triangles of a mesh; what depends on the faces alone is computed once.

    faces: (F, 3) int vertex indices.
    """

    def __init__(self, faces: np.ndarray) -> None:
        self.faces = np.asarray(faces, dtype=np.int64).reshape(-1, 3)
        directed = np.stack([self.faces, np.roll(self.faces, -1, axis=1)], axis=-1).reshape(-1, 2)
        is_forward = directed[:, 0] < directed[:, 1]
        num_vertices = int(self.faces.max(initial=0)) + 1
        keys = np.sort(directed, axis=1) @ [num_vertices, 1]
        unique, self._edge_of_side = np.unique(keys, return_inverse=True)
        self._edges = np.stack(np.divmod(unique, num_vertices), axis=1)
        self._direction = np.where(is_forward, 1.0, -1.0)

    def draw(self, vertices: np.ndarray, camera: Camera) -> np.ndarray:
        """(H, W) bool: which pixel centres see a triangle of `vertices` (N, 3), world, m."""
        cam = camera.to_cam(vertices)
        is_before = cam[:, 2] >= NEAR
        pixels = _to_pixels(np.where(is_before[:, None], cam, [0.0, 0.0, 1.0]), camera)
        num_before = is_before[self.faces].sum(1)
        facing = np.where(num_before == 3, _facing(pixels[self.faces]), 0.0)
        weights = np.repeat(facing, 3) * self._direction
        sums = np.bincount(self._edge_of_side, weights=weights, minlength=len(self._edges))
        is_outline = sums != 0
        starts, ends = pixels[self._edges[is_outline].T]
        edges = [(starts, ends, sums[is_outline])]
        edges += [
            _polygon_edges(_to_pixels(_clip_near(triangle), camera))
            for triangle in cam[self.faces[(num_before > 0) & (num_before < 3)]]
        ]
        joined = [np.concatenate(parts) for parts in zip(*edges, strict=True)]
        return _fill(joined[0], joined[1], joined[2], camera.width, camera.height)


def draw_masks(layers: Sequence[MeshLayer], camera: Camera) -> Iterator[np.ndarray]:
    """One (H, W) bool mask a frame: the union of all layers."""
    offsets = np.cumsum([0, *(layer.vertices.shape[1] for layer in layers)])
    faces = [layer.faces + offset for layer, offset in zip(layers, offsets, strict=False)]
    rasterizer = SilhouetteRasterizer(np.concatenate(faces))
    for frame in range(len(layers[0].vertices)):
        yield rasterizer.draw(np.concatenate([layer.vertices[frame] for layer in layers]), camera)


def _to_pixels(cam: np.ndarray, camera: Camera) -> np.ndarray:
    return cam[:, :2] / cam[:, 2:] * camera.K[0, 0] + camera.K[:2, 2]


def _facing(corners: np.ndarray) -> np.ndarray:
    """(F,) sign of the area of triangles (F, 3, 2) in the picture."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.sign(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def _clip_near(triangle: np.ndarray) -> np.ndarray:
    """Corners (3 or 4, 3) of the part of a triangle before the near plane (Sutherland-Hodgman)."""
    corners = []
    for start, end in zip(triangle, np.roll(triangle, -1, axis=0), strict=True):
        if start[2] >= NEAR:
            corners.append(start)
        if (start[2] >= NEAR) != (end[2] >= NEAR):
            corners.append(start + (end - start) * (NEAR - start[2]) / (end[2] - start[2]))
    return np.array(corners)


def _polygon_edges(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start points, end points and signs of the edges of one convex polygon (K, 2)."""
    ends = np.roll(pixels, -1, axis=0)
    area = (pixels[:, 0] * ends[:, 1] - pixels[:, 1] * ends[:, 0]).sum()
    return pixels, ends, np.full(len(pixels), np.sign(area))


def _fill(starts: np.ndarray, ends: np.ndarray, signs: np.ndarray, width: int, height: int) -> np.ndarray:
    """(H, W) bool from directed edges (E, 2), px: each adds its sign to all pixel centres right of it.

    An edge meets the rows y with top <= y < bottom, so that rows at a shared corner count once.
    """
    is_down = starts[:, 1] < ends[:, 1]
    top = np.where(is_down[:, None], starts, ends)
    bottom = np.where(is_down[:, None], ends, starts)
    signs = np.where(is_down, -signs, signs).astype(np.int32)
    first = np.clip(np.ceil(top[:, 1]), 0, height).astype(np.int64)
    last = np.clip(np.ceil(bottom[:, 1]), 0, height).astype(np.int64)
    num_rows = last - first
    edge = np.repeat(np.arange(len(num_rows)), num_rows)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(num_rows) - num_rows, num_rows) + first[edge]
    slope = (bottom[:, 0] - top[:, 0]) / np.where(num_rows > 0, bottom[:, 1] - top[:, 1], 1.0)
    x = top[edge, 0] + (row - top[edge, 1]) * slope[edge]
    column = np.clip(np.ceil(x), 0, width).astype(np.int64)
    mask = np.zeros((height, width), dtype=bool)
    if len(row) == 0:
        return mask
    rows, columns = slice(row.min(), row.max() + 1), slice(column.min(), column.max() + 1)
    steps = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.int32)
    np.add.at(steps, (row - rows.start, column - columns.start), signs[edge])
    mask[rows, columns] = (np.cumsum(steps, axis=1) > 0)[:, : width - columns.start]
    return mask
