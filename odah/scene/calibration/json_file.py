"""odah's own calibration files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from odah.errors import InputError
from odah.files import atomic_path
from odah.scene.calibration.records import Records, listed
from odah.scene.camera import Camera


def read_json(path: Path, text: str) -> Records:
    """The cameras of a JSON file.

    Raises:
        InputError: damaged, or of another structure.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InputError(path, f"{error}", "valid JSON") from None
    return listed(path, document)


def save_cameras(path: str | Path, cameras: Sequence[Camera]) -> None:
    """Write what a calibration knows of the cameras as JSON that `load_cameras` reads, Z up."""
    records = [
        {
            "name": camera.name,
            "width": camera.width,
            "height": camera.height,
            "K": camera.K.tolist(),
            "distortion": list(camera.distortion),
            "T_world_cam": camera.T_world_cam.tolist(),
        }
        for camera in cameras
    ]
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps({"cameras": records}, indent=1) + "\n", encoding="utf-8")
