"""Cameras from the calibration files of other tools, and odah's own."""

from odah.scene.calibration.files import load_camera_files, load_cameras
from odah.scene.calibration.json_file import save_cameras

__all__ = ["load_camera_files", "load_cameras", "save_cameras"]
