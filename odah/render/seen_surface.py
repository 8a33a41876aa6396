"""What lies between the vertices: normals and parts, carried to the pixels that see a mesh."""

from __future__ import annotations

import numpy as np

from odah.body.mesh import vertex_face_incidence, vertex_normals
from odah.render.rasterizer import Raster, compiled
from odah.scene.camera import Camera


class SeenSurface:
    """Reads values at the vertices off what a `Raster` of the mesh sees.

    faces: (F, 3) int32, of the rasterizer. parts: (F, 3) uint8, the part of the body of each face's corners.
    """

    def __init__(self, faces: np.ndarray, num_vertices: int, parts: np.ndarray) -> None:
        self._faces = faces
        self._parts = np.ascontiguousarray(parts, dtype=np.uint8)
        self._incidence = vertex_face_incidence(faces, num_vertices)

    def parts(self, raster: Raster, vertices: np.ndarray, camera: Camera) -> np.ndarray:
        """(H, W) uint8 part of the body, 0 where nothing is seen; vertices: (N, 3) world, m, as drawn.

        Within a face, a pixel has the part that most of the corners' weight there belongs to: borders then
        cut across faces, where whole faces would leave the teeth of a saw.
        """
        out = np.zeros(raster.triangle.shape, np.uint8)
        _read_parts(raster.triangle, self._faces, camera.to_cam(vertices), self._parts, camera.K, out)
        return out

    def normals(self, raster: Raster, vertices: np.ndarray, camera: Camera) -> np.ndarray:
        """(H, W, 3) float32 unit vectors in camera axes (x right, y down, z forward) out of the side that is
        seen, 0 where nothing is; vertices: (N, 3) world, m, as drawn."""
        cam = camera.to_cam(vertices)
        normals = vertex_normals(cam, self._faces, self._incidence)
        out = np.zeros((*raster.triangle.shape, 3), np.float32)
        _interpolate(raster.triangle, self._faces, cam, normals, camera.K, out)
        return out


@compiled
def _read_parts(triangle, faces, cam, parts, K, out):
    for row in range(triangle.shape[0]):
        for column in range(triangle.shape[1]):
            if triangle[row, column] < 0:
                continue
            p, q, r = parts[triangle[row, column]]
            out[row, column] = p
            if p != q or q != r:
                face = faces[triangle[row, column]]
                x, y = (column - K[0, 2]) / K[0, 0], (row - K[1, 2]) / K[1, 1]
                u, v, w = _weights(cam[face[0]], cam[face[1]], cam[face[2]], x, y)
                out[row, column] = _heaviest(p, q, r, abs(u), abs(v), abs(w))


@compiled
def _heaviest(p, q, r, u, v, w):
    """Which of three parts, some of them equal, has the greatest weight."""
    if p == q:
        return p if u + v >= w else r
    if q == r:
        return q if v + w >= u else p
    if p == r:
        return p if u + w >= v else q
    if u >= v and u >= w:
        return p
    return q if v >= w else r


@compiled
def _interpolate(triangle, faces, cam, normals, K, out):
    for row in range(triangle.shape[0]):
        y = (row - K[1, 2]) / K[1, 1]
        for column in range(triangle.shape[1]):
            if triangle[row, column] < 0:
                continue
            x = (column - K[0, 2]) / K[0, 0]
            face = faces[triangle[row, column]]
            weights = _weights(cam[face[0]], cam[face[1]], cam[face[2]], x, y)
            squares = 0.0
            for axis in range(3):
                for k in range(3):
                    out[row, column, axis] += weights[k] * normals[face[k], axis]
                squares += out[row, column, axis] ** 2
            for axis in range(3):
                out[row, column, axis] /= max(np.sqrt(squares), 1e-12)


@compiled
def _weights(a, b, c, x, y):
    """How much each corner of a triangle counts where the ray (x, y, 1) meets it: a sum of 1 where its front
    (counter-clockwise) is seen, of -1 where its back is."""
    u, v, w = _volume(b, c, x, y), _volume(c, a, x, y), _volume(a, b, x, y)
    sign = 1.0 if u + v + w < 0 else -1.0
    # rounding takes a point in a sliver anywhere: it stays between the corners
    u, v, w = max(-sign * u, 0.0), max(-sign * v, 0.0), max(-sign * w, 0.0)
    total = sign * max(u + v + w, 1e-300)
    return u / total, v / total, w / total


@compiled
def _volume(a, b, x, y):
    """Six times the volume that two points span with the ray (x, y, 1)."""
    return x * (a[1] * b[2] - a[2] * b[1]) + y * (a[2] * b[0] - a[0] * b[2]) + a[0] * b[1] - a[1] * b[0]
