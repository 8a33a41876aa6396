"""The static part of a scene: the room's six faces, the lamps, the cameras."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix
from surfaces import SurfaceMaterials

# Blender's camera looks along its own -z with y up; OpenCV's along +z with y down.
_FLIP_YZ = np.diag([1.0, -1.0, -1.0, 1.0])


def build_room(room: dict, shared: SurfaceMaterials) -> None:
    """Floor, ceiling and walls as separate quads that face inwards; uv in metres over the tile size.

    A room without walls has no ceiling either.
    """
    length, width, height = room["size"]
    x, y = length / 2, width / 2
    place = Matrix.Translation((*room["center"], 0.0)) @ Matrix.Rotation(room["yaw"], 4, "Z")

    def build(name: str, corners: list, across: float, down: float, surface: dict) -> None:
        tile = surface["tile_size"]
        face = _quad(name, corners, across / tile, down / tile, shared.material(surface))
        face.matrix_world = place

    floor = [(-x, -y, 0), (x, -y, 0), (x, y, 0), (-x, y, 0)]
    build("floor", floor, length, width, room["floor"])
    if not room["walls"]:
        return
    ceiling = [(-x, y, height), (x, y, height), (x, -y, height), (-x, -y, height)]
    build("ceiling", ceiling, length, width, room["ceiling"])
    edges = {
        "+x": ((x, y), (x, -y), width),
        "-x": ((-x, -y), (-x, y), width),
        "+y": ((-x, y), (x, y), length),
        "-y": ((x, -y), (-x, -y), length),
    }
    for (side, ((ax, ay), (bx, by), edge)), wall in zip(edges.items(), room["walls"], strict=True):
        quad = [(bx, by, 0), (ax, ay, 0), (ax, ay, height), (bx, by, height)]
        build(f"wall {side}", quad, edge, height, wall)


def _quad(name: str, corners: list, u: float, v: float, material: bpy.types.Material) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    uv = np.array([(0, 0), (u, 0), (u, v), (0, v)], np.float32)
    mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", uv.ravel())
    mesh.materials.append(material)
    return link(bpy.data.objects.new(name, mesh))


def build_lights(lights: list[dict]) -> None:
    """Rectangular area lamps, which shine down unless turned; those on the ceiling can be seen."""
    for index, values in enumerate(lights):
        light = bpy.data.lights.new(f"lamp {index}", "AREA")
        light.shape = "RECTANGLE"
        light.size, light.size_y = values["size"]
        light.energy = values["power"]
        light.color = values["color"]
        lamp = link(bpy.data.objects.new(light.name, light))
        lamp.location = values["position"]
        lamp.rotation_euler = (0.0, -values["pitch"], values["yaw"])
        lamp.visible_camera = values["pitch"] == 0.0


def build_camera(values: dict) -> bpy.types.Object:
    """A camera with the pixels of its OpenCV matrix, see `set_lens`."""
    camera = bpy.data.cameras.new(values["name"])
    camera.clip_start, camera.clip_end = 0.02, 500.0
    view = link(bpy.data.objects.new(camera.name, camera))
    view.matrix_world = Matrix((np.array(values["T_world_cam"]) @ _FLIP_YZ).tolist())
    set_lens(view, values["K"], values["width"], values["height"])
    return view


def set_lens(view: bpy.types.Object, K: list, width: int, height: int) -> None:
    """Give a camera the pixels of an OpenCV matrix: pixel centres on integers, sensor fitted to width.

    Pixels that are not square (fx != fy) belong to the renderer: see `pixel_aspect`.
    """
    (fx, _, cx), (_, fy, cy), _ = K
    camera = view.data
    camera.sensor_fit = "HORIZONTAL"
    camera.sensor_width = 36.0  # only its ratio to the lens counts, and Blender holds both above 1 mm
    camera.lens = fx / width * camera.sensor_width
    camera.shift_x = ((width - 1) / 2 - cx) / width
    camera.shift_y = (cy - (height - 1) / 2) / width * fx / fy


def pixel_aspect(values: dict) -> tuple[float, float]:
    """Width and height of a pixel, the smaller one 1, as Blender wants them."""
    fx, fy = values["K"][0][0], values["K"][1][1]
    return max(fy / fx, 1.0), max(fx / fy, 1.0)


def link(thing: bpy.types.Object) -> bpy.types.Object:
    """Put an object into the scene."""
    bpy.context.scene.collection.objects.link(thing)
    return thing
