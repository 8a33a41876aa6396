"""Scene and person to videos and masks, with Blender in its own process."""

from odah.render.blender_env import Blender, find_blender
from odah.render.engine import EngineChoice, choose_engine, probe_graphics
from odah.render.parts import BODY_PARTS, joint_visibility, part_colors, part_under
from odah.render.picture_labels import LabelKinds, PictureLabels, draw_masks, draw_picture_labels
from odah.render.rasterizer import Raster, Rasterizer
from odah.render.render import Renderer, RenderResult, render_clip
from odah.render.settings import RenderSettings
from odah.render.video import read_depth, read_frames, read_masks, read_normals
from odah.render.worker_process import BlenderError

__all__ = [
    "BODY_PARTS",
    "Blender",
    "BlenderError",
    "EngineChoice",
    "LabelKinds",
    "PictureLabels",
    "Raster",
    "Rasterizer",
    "RenderResult",
    "RenderSettings",
    "Renderer",
    "choose_engine",
    "draw_masks",
    "draw_picture_labels",
    "find_blender",
    "joint_visibility",
    "part_colors",
    "part_under",
    "probe_graphics",
    "read_depth",
    "read_frames",
    "read_masks",
    "read_normals",
    "render_clip",
]
