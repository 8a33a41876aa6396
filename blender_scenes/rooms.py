"""The static part of a scene: the room's six faces, the lamps, the cameras."""

from __future__ import annotations

import bpy
import materials
import numpy as np
from mathutils import Matrix

# Blender's camera looks along its own -z with y up; OpenCV's along +z with y down.
_FLIP_YZ = np.diag([1.0, -1.0, -1.0, 1.0])


def build_room(room: dict) -> None:
    """Floor, ceiling and walls as separate quads that face inwards; uv in metres over the tile size."""
    length, width, height = room["size"]
    x, y = length / 2, width / 2
    faces = {
        "floor": ([(-x, -y, 0), (x, -y, 0), (x, y, 0), (-x, y, 0)], length, width),
        "ceiling": ([(-x, y, height), (x, y, height), (x, -y, height), (-x, -y, height)], length, width),
    }
    corners = {
        "+x": [(x, y), (x, -y)],
        "-x": [(-x, -y), (-x, y)],
        "+y": [(-x, y), (x, y)],
        "-y": [(x, -y), (-x, -y)],
    }
    for side, ((ax, ay), (bx, by)) in corners.items():
        quad = [(bx, by, 0), (ax, ay, 0), (ax, ay, height), (bx, by, height)]
        faces[f"wall {side}"] = (quad, width if side[1] == "x" else length, height)
    surfaces = {"floor": room["floor"], "ceiling": room["ceiling"]}
    surfaces |= {f"wall {side}": wall for side, wall in zip(corners, room["walls"], strict=True)}
    place = Matrix.Translation((*room["center"], 0.0)) @ Matrix.Rotation(room["yaw"], 4, "Z")
    shared: dict[str, bpy.types.Material] = {}
    for name, (quad, across, down) in faces.items():
        surface = surfaces[name]
        key = repr(surface)
        if key not in shared:
            shared[key] = materials.room_material(surface, name)
        tile = surface["tile_size"]
        face = _quad(name, quad, across / tile, down / tile, shared[key])
        face.matrix_world = place
    _build_skirting(length, width, shared[repr(room["ceiling"])], place)


def _build_skirting(length: float, width: float, material: bpy.types.Material, place: Matrix) -> None:
    """A narrow board at the foot of each wall."""
    depth, height = 0.015, 0.08
    x, y = length / 2 - depth, width / 2 - depth
    corners = [(-x, -y), (x, -y), (x, y), (-x, y)]
    for index, ((ax, ay), (bx, by)) in enumerate(zip(corners, corners[1:] + corners[:1], strict=True)):
        front = [(ax, ay, 0), (bx, by, 0), (bx, by, height), (ax, ay, height)]
        grow = 1 + depth / min(x, y)
        top = [front[3], front[2], (bx * grow, by * grow, height), (ax * grow, ay * grow, height)]
        for name, quad in (("front", front), ("top", top)):
            _quad(f"skirting {index} {name}", quad, 1.0, 1.0, material).matrix_world = place


def _quad(name: str, corners: list, u: float, v: float, material: bpy.types.Material) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    uv = np.array([(0, 0), (u, 0), (u, v), (0, v)], np.float32)
    mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", uv.ravel())
    mesh.materials.append(material)
    return link(bpy.data.objects.new(name, mesh))


def build_lights(lights: list[dict]) -> None:
    """Rectangular area lamps; a lamp of Blender without rotation shines down."""
    for index, values in enumerate(lights):
        light = bpy.data.lights.new(f"lamp {index}", "AREA")
        light.shape = "RECTANGLE"
        light.size, light.size_y = values["size"]
        light.energy = values["power"]
        light.color = values["color"]
        lamp = link(bpy.data.objects.new(light.name, light))
        lamp.location = values["position"]
        lamp.rotation_euler = (0.0, 0.0, values["yaw"])


def build_camera(values: dict) -> bpy.types.Object:
    """A camera with the pixels of its OpenCV matrix: pixel centres on integers, sensor fitted to width."""
    (fx, _, cx), (_, _, cy), _ = values["K"]
    width, height = values["width"], values["height"]
    camera = bpy.data.cameras.new(values["name"])
    camera.sensor_fit = "HORIZONTAL"
    camera.sensor_width = values["sensor_width_mm"]
    camera.lens = fx / width * values["sensor_width_mm"]
    camera.shift_x = ((width - 1) / 2 - cx) / width
    camera.shift_y = (cy - (height - 1) / 2) / width
    camera.clip_start, camera.clip_end = 0.02, 500.0
    view = link(bpy.data.objects.new(camera.name, camera))
    view.matrix_world = Matrix((np.array(values["T_world_cam"]) @ _FLIP_YZ).tolist())
    return view


def link(thing: bpy.types.Object) -> bpy.types.Object:
    """Put an object into the scene."""
    bpy.context.scene.collection.objects.link(thing)
    return thing
