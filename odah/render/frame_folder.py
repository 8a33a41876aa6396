"""Where pictures lie between renderer and encoder: in memory where the system lends some as a folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from odah.clothing.layers import MeshLayer
from odah.render.view import View

_RESERVE = 2
"""How many times what a clip needs must be free, because others take from it too."""


def frame_folder(layers: Sequence[MeshLayer], views: Sequence[View], memory: Path) -> Path | None:
    """Where in `memory` a clip's arrays and pictures go; None for the usual folder for temporary files."""
    if not (memory.is_dir() and os.access(memory, os.W_OK | os.X_OK)):
        return None
    meshes = sum(layer.vertices.nbytes + 64 * layer.vertices.shape[1] for layer in layers)
    textures = sum(0 if (image := layer.material.texture) is None else image.nbytes for layer in layers)
    pictures = sum(3 * pinhole.width * pinhole.height for view in views for pinhole in view.pinholes)
    needed = meshes * (1 + len(views)) + 2 * textures + pictures
    return memory if shutil.disk_usage(memory).free > _RESERVE * needed else None
