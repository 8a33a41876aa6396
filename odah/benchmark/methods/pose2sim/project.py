"""A trial as Pose2Sim's project folder: Config.toml, calibration/Calib.toml and pose/<camera>_json/*.json.

Its world has z up, and its 3D points are told with y up: x, y, z become its z, x, y. Here its world is ground
(OpenSim, y up) so turned that those points are ground's own again. Cameras are pinholes and keypoints are
without their lenses' distortion: told to undistort, Pose2Sim 0.10 compares points of undistorted pictures
with those of distorted ones. Lengths are m.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from odah.benchmark.methods.multi_step.keypoint_sets import KeypointSet
from odah.benchmark.methods.multi_step.keypoints import Keypoints
from odah.benchmark.methods.multi_step.triangulation import undistorted
from odah.benchmark.methods.pose2sim.toml_text import toml_text
from odah.benchmark.recording import Recording
from odah.scene.camera import Camera

CONFIG_FILE = "Config.toml"
_T_THEIRS_GROUND = np.array([[0.0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])


def write_project(
    folder: Path,
    recording: Recording,
    views: Sequence[str],
    seen: Sequence[Keypoints],
    points: KeypointSet,
    config: Mapping[str, Any],
) -> None:
    """A new folder with the keypoints of all people; frames are the recording's, counted from 0."""
    cameras = [recording.views[view].camera for view in views]
    (folder / "calibration").mkdir(parents=True)
    (folder / CONFIG_FILE).write_text(toml_text(config), encoding="utf-8")
    calibration = toml_text(calibration_of(cameras, views, recording.T_world_ground))
    (folder / "calibration" / "Calib.toml").write_text(calibration, encoding="utf-8")
    for number, (camera, each) in enumerate(zip(cameras, seen, strict=True), start=1):
        name = f"cam{number:02d}"  # by which Pose2Sim sorts them
        people = folder / "pose" / f"{name}_json"
        people.mkdir(parents=True)
        pixels = without_lens(camera, each.pixels)
        for t, (places, confidence) in enumerate(zip(pixels, each.confidence, strict=True)):
            told = _people(places, confidence, points)
            (people / f"{name}_{t:06d}.json").write_text(json.dumps(told), encoding="utf-8")


def calibration_of(
    cameras: Sequence[Camera], names: Sequence[str], T_world_ground: Float[np.ndarray, "4 4"]
) -> dict[str, Any]:
    """Tables of Calib.toml; rotations are Rodrigues vectors, rad, from its world to the cameras."""
    T_world_theirs = T_world_ground @ np.linalg.inv(_T_THEIRS_GROUND)
    tables: dict[str, Any] = {}
    for number, (name, camera) in enumerate(zip(names, cameras, strict=True), start=1):
        T = camera.T_cam_world @ T_world_theirs
        tables[f"cam{number:02d}"] = {
            "name": name,
            "size": [float(camera.width), float(camera.height)],
            "matrix": camera.K.tolist(),
            "distortions": [0.0] * 4,
            "rotation": Rotation.from_matrix(T[:3, :3]).as_rotvec().tolist(),
            "translation": T[:3, 3].tolist(),
            "fisheye": False,
        }
    return tables


def without_lens(camera: Camera, pixels: Float[np.ndarray, "*B 2"]) -> Float[np.ndarray, "*B 2"]:
    """Where a pinhole with the camera's matrix would see the same points."""
    return undistorted(camera, pixels) * np.diag(camera.K)[:2] + camera.K[:2, 2]


def _people(
    places: Float[np.ndarray, "N M 2"], confidence: Float[np.ndarray, "N M"], points: KeypointSet
) -> dict[str, Any]:
    """A frame as OpenPose writes it; zeros for points that are not seen."""
    is_seen = np.isfinite(places).all(-1) & (confidence > 0)
    rows = np.zeros((len(places), points.count, 3))
    values = np.concatenate([places, confidence[..., None]], axis=-1)
    rows[:, list(points.indices)] = np.where(is_seen[..., None], values, 0.0)
    people = [
        {"person_id": [-1], "pose_keypoints_2d": row.ravel().tolist()} for row in rows[is_seen.any(axis=1)]
    ]
    return {"version": 1.3, "people": people}
