"""The moving part of a scene: one mesh object a layer, whose vertices are replaced every frame."""

from __future__ import annotations

from pathlib import Path

import bpy
import materials
import numpy as np
import rooms


class LayerMesh:
    """One mesh of a clothed person; `vertices` (T, N, 3) float32 in world, m, stay on disk."""

    def __init__(self, values: dict, folder: Path) -> None:
        self.vertices = np.load(folder / values["vertices"], mmap_mode="r", allow_pickle=False)
        faces = np.load(folder / values["faces"], allow_pickle=False)
        self.mesh = _triangle_mesh(values["name"], self.vertices[0], faces)
        if values["uv"]:
            uv = np.load(folder / values["uv"], allow_pickle=False)
            corners = uv if uv.ndim == 3 else uv[faces]
            layer = self.mesh.uv_layers.new(name="UVMap")
            layer.data.foreach_set("uv", np.ascontiguousarray(corners, np.float32).ravel())
        colors = np.ones((self.vertices.shape[1], 4), np.float32)
        if values["colors"]:
            colors[:, :3] = np.load(folder / values["colors"], allow_pickle=False)
        attribute = self.mesh.color_attributes.new(materials.COLOR_ATTRIBUTE, "FLOAT_COLOR", "POINT")
        attribute.data.foreach_set("color", colors.ravel())
        rest = self.mesh.attributes.new(materials.REST_ATTRIBUTE, "FLOAT_VECTOR", "POINT")
        rest.data.foreach_set("vector", np.ascontiguousarray(self.vertices[0]).ravel())
        pictures = {
            "texture": np.full((1, 1, 3), 255, np.uint8),
            "relief": np.zeros((1, 1), np.uint8),
        }
        for key in pictures:
            if values.get(key):
                pictures[key] = np.load(folder / values[key], allow_pickle=False)
        mean_color = colors[:, :3].mean(0)
        material = materials.person_material(
            values["material"], **pictures, mean_color=mean_color, name=values["name"]
        )
        self.mesh.materials.append(material)
        rooms.link(bpy.data.objects.new(values["name"], self.mesh))

    def pose(self, frame: int) -> None:
        """Move the vertices to where they are in `frame`."""
        self.mesh.vertices.foreach_set("co", np.ascontiguousarray(self.vertices[frame]).ravel())
        self.mesh.update()


def _triangle_mesh(name: str, vertices: np.ndarray, faces: np.ndarray) -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(vertices).ravel())
    mesh.loops.add(3 * len(faces))
    mesh.loops.foreach_set("vertex_index", np.ascontiguousarray(faces, np.int32).ravel())
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", np.arange(0, 3 * len(faces), 3, dtype=np.int32))
    mesh.update(calc_edges=True)
    mesh.shade_smooth()
    return mesh
