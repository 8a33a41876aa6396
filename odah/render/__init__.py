"""Scene and person to videos and masks, with Blender in its own process."""

from odah.render.blender_env import Blender, find_blender
from odah.render.engine import probe_graphics
from odah.render.masks import SilhouetteRasterizer, draw_masks
from odah.render.render import Renderer, RenderResult, render_clip
from odah.render.settings import RenderSettings
from odah.render.video import read_frames, read_masks

__all__ = [
    "Blender",
    "RenderResult",
    "RenderSettings",
    "Renderer",
    "SilhouetteRasterizer",
    "draw_masks",
    "find_blender",
    "probe_graphics",
    "read_frames",
    "read_masks",
    "render_clip",
]
