"""Cameras, room and lamps: a plain description, drawn at random."""

from odah.scene.camera import Camera, intrinsics, look_at
from odah.scene.config import CameraConfig, LightConfig, RoomConfig, SceneConfig
from odah.scene.placement import PersonBounds, mean_heading
from odah.scene.sample import sample_scene
from odah.scene.types import AreaLight, Room, Scene, Surface

__all__ = [
    "AreaLight",
    "Camera",
    "CameraConfig",
    "LightConfig",
    "PersonBounds",
    "Room",
    "RoomConfig",
    "Scene",
    "SceneConfig",
    "Surface",
    "intrinsics",
    "look_at",
    "mean_heading",
    "sample_scene",
]
