"""Shaders of people: one node graph; only values and pictures differ, so it compiles once."""

from __future__ import annotations

import bpy
import numpy as np

REST_ATTRIBUTE = "rest_position"
COLOR_ATTRIBUTE = "vertex_color"  # "color" would be Cycles' own name for the object's colour


def person_material(
    values: dict, texture: np.ndarray, relief: np.ndarray, mean_color: np.ndarray, name: str
) -> bpy.types.Material:
    """Skin, cloth, hair or leather: base colour x vertex colour x picture, with bumps that move along.

    texture: (H, W, 3) uint8 sRGB. relief: (H, W) uint8 heights, `values["relief_depth"]` m in all; one pixel
    of each where there is none, so that every person's shader is the same graph.
    mean_color: (3,) linear RGB of the vertex colours, for engines that draw one colour.
    """
    material, nodes, shader = principled(name)
    links = material.node_tree.links
    attribute = nodes.new("ShaderNodeAttribute")
    attribute.attribute_name = COLOR_ATTRIBUTE
    picture = image_node(nodes, new_image(name, texture.astype(np.float32) / 255.0))
    tinted = _multiply(material, attribute.outputs["Color"], picture.outputs["Color"])
    base = nodes.new("ShaderNodeRGB")
    base.outputs["Color"].default_value = (*values["base_color"], 1.0)
    links.new(_multiply(material, tinted, base.outputs["Color"]), shader.inputs["Base Color"])
    shader.inputs["Roughness"].default_value = values["roughness"]
    mean_pixel = (texture.reshape(-1, 3) / 255.0).mean(0) ** 2.2
    material.diffuse_color = (*(mean_color * mean_pixel * values["base_color"]), 1.0)
    kind = KINDS[values["kind"]]
    for socket, value in kind["sockets"].items():
        shader.inputs[socket].default_value = value
    grey = np.repeat(relief[..., None] / np.float32(255.0), 3, axis=2)
    heights = new_image(f"{name} relief", grey, is_data=True)
    coarse = _bump(nodes, strength=1.0, distance=values.get("relief_depth", 0.0))
    links.new(image_node(nodes, heights).outputs["Color"], coarse.inputs["Height"])
    fine = _fine_bump(material, **kind["bump"])
    links.new(coarse.outputs["Normal"], fine.inputs["Normal"])
    links.new(fine.outputs["Normal"], shader.inputs["Normal"])
    return material


KINDS: dict[str, dict] = {
    "skin": {
        "sockets": {"Specular IOR Level": 0.35},
        "bump": {"scale": 240.0, "strength": 0.08, "stretch": (1.0, 1.0, 1.0)},
    },
    "cloth": {
        "sockets": {"Specular IOR Level": 0.15, "Sheen Weight": 0.25, "Sheen Roughness": 0.5},
        "bump": {"scale": 320.0, "strength": 0.18, "stretch": (1.0, 1.0, 1.0)},
    },
    "hair": {
        "sockets": {"Specular IOR Level": 0.3},
        "bump": {"scale": 150.0, "strength": 0.6, "stretch": (1.0, 1.0, 0.08)},
    },
    "leather": {
        "sockets": {"Specular IOR Level": 0.5},
        "bump": {"scale": 120.0, "strength": 0.12, "stretch": (1.0, 1.0, 1.0)},
    },
}
"""What tells the kinds apart; bump `scale` is in features a metre."""


def new_image(name: str, srgb: np.ndarray, is_data: bool = False) -> bpy.types.Image:
    """An image inside Blender of (H, W, 3) display values in 0..1, first row on top; or of data as it is."""
    height, width = srgb.shape[:2]
    image = bpy.data.images.new(name, width, height, is_data=is_data)
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :3] = srgb[::-1]
    image.pixels.foreach_set(rgba.ravel())
    image.update()
    return image


def principled(name: str) -> tuple[bpy.types.Material, bpy.types.Nodes, bpy.types.Node]:
    """A new material, its nodes, and the one that shades."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes = material.node_tree.nodes
    return material, nodes, nodes["Principled BSDF"]


def image_node(nodes: bpy.types.Nodes, image: bpy.types.Image) -> bpy.types.Node:
    """A node that reads an image where the uv points."""
    node = nodes.new("ShaderNodeTexImage")
    node.image = image
    return node


def _multiply(
    material: bpy.types.Material, a: bpy.types.NodeSocket, b: bpy.types.NodeSocket
) -> bpy.types.NodeSocket:
    node = material.node_tree.nodes.new("ShaderNodeVectorMath")
    node.operation = "MULTIPLY"
    material.node_tree.links.new(a, node.inputs[0])
    material.node_tree.links.new(b, node.inputs[1])
    return node.outputs[0]


def _bump(nodes: bpy.types.Nodes, strength: float, distance: float) -> bpy.types.Node:
    bump = nodes.new("ShaderNodeBump")
    bump.inputs["Strength"].default_value = strength
    bump.inputs["Distance"].default_value = distance
    return bump


def _fine_bump(
    material: bpy.types.Material, scale: float, strength: float, stretch: tuple[float, float, float]
) -> bpy.types.Node:
    """Fine relief fixed to the surface: the noise reads each vertex's place in the first frame."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    place = nodes.new("ShaderNodeAttribute")
    place.attribute_name = REST_ATTRIBUTE
    mapping = nodes.new("ShaderNodeMapping")
    mapping.inputs["Scale"].default_value = stretch
    noise = nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value = scale
    noise.inputs["Detail"].default_value = 1.0
    bump = _bump(nodes, strength, distance=0.002)
    links.new(place.outputs["Vector"], mapping.inputs["Vector"])
    links.new(mapping.outputs["Vector"], noise.inputs["Vector"])
    links.new(noise.outputs["Fac"], bump.inputs["Height"])
    return bump
