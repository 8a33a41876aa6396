"""Shaders of rooms and furniture: one material for each surface, however many things have it."""

from __future__ import annotations

import bpy
import materials
import numpy as np
import surroundings
import textures

_FURNITURE_PICTURE = 256


class SurfaceMaterials:
    """Makes the materials of one scene, each once. environment: what windows show."""

    def __init__(self, environment: dict | None) -> None:
        self._environment = environment
        self._known: dict[str, bpy.types.Material] = {}

    def material(self, surface: dict, size: int = textures.SIZE) -> bpy.types.Material:
        """The material of a surface whose uv counts repetitions of its pattern, `size` pixels each."""
        key = repr(surface)
        if key not in self._known:
            name = f"{surface['pattern']} {len(self._known)}"
            make = self._window if surface["pattern"] == "window" else self._solid
            self._known[key] = make(surface, name, size)
        return self._known[key]

    def furniture_material(self, surface: dict) -> bpy.types.Material:
        """The same with fewer pixels, for what is small."""
        return self.material(surface, _FURNITURE_PICTURE)

    def _solid(self, surface: dict, name: str, size: int) -> bpy.types.Material:
        material, nodes, shader = materials.principled(name)
        pixels = textures.surface_image(surface, size)
        mean = pixels.mean((0, 1))
        if pixels.size > 3:
            image = materials.new_image(name, _linear_to_srgb(pixels))
            color = materials.image_node(nodes, image).outputs["Color"]
            material.node_tree.links.new(color, shader.inputs["Base Color"])
        shader.inputs["Base Color"].default_value = (*mean, 1.0)
        shader.inputs["Roughness"].default_value = surface["roughness"]
        shader.inputs["Metallic"].default_value = surface["metallic"]
        shader.inputs["Specular IOR Level"].default_value = 0.35
        if surface["glow"]:
            shader.inputs["Emission Color"].default_value = (*(mean / mean.max()), 1.0)
            _glow_for_cameras(material, shader, surface["glow"])
        material.diffuse_color = (*mean, 1.0)
        return material

    def _window(self, surface: dict, name: str, size: int) -> bpy.types.Material:
        """A pane that shows what is outside: it glows towards the camera alone; a lamp stands before it."""
        del size
        material, nodes, shader = materials.principled(name)
        shader.inputs["Base Color"].default_value = (0.02, 0.02, 0.02, 1.0)
        shader.inputs["Roughness"].default_value = surface["roughness"]
        shader.inputs["Emission Color"].default_value = (*surface["color"], 1.0)
        strength = surface["glow"]
        if self._environment is not None:
            tree = material.node_tree
            back = nodes.new("ShaderNodeVectorMath")
            back.operation, back.inputs["Scale"].default_value = "SCALE", -1.0
            tree.links.new(nodes.new("ShaderNodeNewGeometry").outputs["Incoming"], back.inputs["Vector"])
            color, strength = surroundings.environment_color(tree, back.outputs["Vector"], self._environment)
            tree.links.new(color, shader.inputs["Emission Color"])
        _glow_for_cameras(material, shader, strength)
        material.diffuse_color = (*surface["color"], 1.0)
        return material


def _glow_for_cameras(material: bpy.types.Material, shader: bpy.types.Node, strength: float) -> None:
    """Emit to what looks, light nothing: small glowing things would be noise."""
    material.cycles.emission_sampling = "NONE"
    path = material.node_tree.nodes.new("ShaderNodeLightPath")
    factor = material.node_tree.nodes.new("ShaderNodeMath")
    factor.operation = "MULTIPLY"
    factor.inputs[1].default_value = strength
    material.node_tree.links.new(path.outputs["Is Camera Ray"], factor.inputs[0])
    material.node_tree.links.new(factor.outputs["Value"], shader.inputs["Emission Strength"])


def _linear_to_srgb(linear: np.ndarray) -> np.ndarray:
    return np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-8) ** (1 / 2.4) - 0.055
    )
