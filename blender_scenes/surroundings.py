"""What is around the set: an even light, or one of the pictures of all directions that Blender ships."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

_ball_irradiance: dict[str, float] = {}


def set_world(ambient: list[float], environment: dict | None) -> None:
    """Surround the scene evenly, linear RGB radiance in W/(m^2 sr), or by an environment."""
    scene = bpy.context.scene
    world = scene.world or bpy.data.worlds.new("world")
    scene.world = world
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    nodes.clear()
    background, output = nodes.new("ShaderNodeBackground"), nodes.new("ShaderNodeOutputWorld")
    links.new(background.outputs["Background"], output.inputs["Surface"])
    background.inputs["Color"].default_value = (*ambient, 1.0)
    background.inputs["Strength"].default_value = 1.0
    if environment is None:
        return
    direction = nodes.new("ShaderNodeTexCoord").outputs["Generated"]
    color, strength = environment_color(world.node_tree, direction, environment)
    links.new(color, background.inputs["Color"])
    background.inputs["Strength"].default_value = strength
    world.cycles.sampling_method = "MANUAL"  # the automatic map is as fine as the picture: 2.5 s every frame
    world.cycles.sample_map_resolution = 512


def environment_color(
    tree: bpy.types.NodeTree, direction: bpy.types.NodeSocket, environment: dict
) -> tuple[bpy.types.NodeSocket, float]:
    """The environment's colour in a direction, world, and the factor that makes it as bright as asked."""
    turn = tree.nodes.new("ShaderNodeVectorRotate")
    turn.rotation_type = "Z_AXIS"
    turn.inputs["Angle"].default_value = -environment["yaw"]
    texture = tree.nodes.new("ShaderNodeTexEnvironment")
    texture.image = _image(environment["hdri"])
    tree.links.new(direction, turn.inputs["Vector"])
    tree.links.new(turn.outputs["Vector"], texture.inputs["Vector"])
    return texture.outputs["Color"], environment["strength"] / _irradiance(texture.image)


def _image(name: str) -> bpy.types.Image:
    folder = Path(bpy.utils.system_resource("DATAFILES")) / "studiolights" / "world"
    return bpy.data.images.load(str(folder / f"{name}.exr"), check_existing=True)


def _irradiance(image: bpy.types.Image) -> float:
    """What a picture of all directions gives a small ball's surface on average, W/m^2: pi x mean radiance."""
    if image.filepath not in _ball_irradiance:
        width, height = image.size
        pixels = np.empty(width * height * image.channels, np.float32)
        image.pixels.foreach_get(pixels)
        rgb = pixels.reshape(height, width, image.channels)[..., :3]
        weights = np.cos(((np.arange(height) + 0.5) / height - 0.5) * np.pi)
        mean = np.average(rgb.mean(1), axis=0, weights=weights)
        _ball_irradiance[image.filepath] = float(np.pi * mean @ (0.2126, 0.7152, 0.0722))
    return _ball_irradiance[image.filepath]
