"""Small datasets made without a renderer: drawn pictures, but labels and cameras that belong together."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from odah.dataset.reader import Dataset, in_crops, open_dataset
from odah.dataset.schema import SCHEMA_VERSION, file_hash
from odah.names import OPENSIM_BODIES, OPENSIM_COORDINATES, OPENSIM_JOINTS
from odah.render.video import VideoWriter
from odah.scene.camera import Camera, look_at

POSITIONS = {"front": (0.3, -4.0, 1.1), "side": (3.6, 0.4, 1.0), "back": (-0.5, 4.2, 1.3)}
NUM_BITS = 10

Draw = Callable[[np.ndarray, int], np.ndarray]
"""(H, W, 3) BGR uint8 from a mask (H, W) bool and the number of the frame."""


def numbered(mask: np.ndarray, number: int) -> np.ndarray:
    """Grey, the person lighter, with the frame's number as black and white blocks in the top-left corner."""
    picture = np.full((*mask.shape, 3), 90, np.uint8)
    picture[mask] = (60, 120, 200)
    for bit in range(NUM_BITS):
        row, column = divmod(bit, 5)
        picture[row * 8 : row * 8 + 8, column * 8 : column * 8 + 8] = 255 * (number >> bit & 1)
    return picture


def number_in(picture: np.ndarray) -> int:
    """The number that `numbered` drew."""
    places = (divmod(bit, 5) for bit in range(NUM_BITS))
    return sum((picture[r * 8 + 4, c * 8 + 4].mean() > 127) << bit for bit, (r, c) in enumerate(places))


@dataclass(frozen=True)
class Synthetic:
    """What to make. clips: frames by name; splits by name, train if none. crop_size: pictures are crops.
    hidden: frames of the first view in which nobody is in the picture."""

    clips: Mapping[str, int]
    size: tuple[int, int] = (160, 96)
    rate: float = 30.0
    views: tuple[str, ...] = ("front", "side")
    crop_size: int | None = None
    splits: Mapping[str, str] | None = None
    subsets: Mapping[str, tuple[str, ...]] | None = None
    distortion: tuple[float, ...] = ()
    hidden: tuple[int, ...] = ()
    draw: Draw = numbered

    def write(self, folder: Path) -> Dataset:
        """Make the dataset in a new folder."""
        (folder / "clips").mkdir(parents=True)
        (folder / "dataset.json").write_text(json.dumps(self._info()))
        for k, (clip_id, num_frames) in enumerate(self.clips.items()):
            self._write_clip(folder / "clips" / clip_id, num_frames, np.random.default_rng(k))
        return open_dataset(folder)

    def _info(self) -> dict[str, object]:
        return {
            "schema_version": SCHEMA_VERSION, "name": "synthetic", "seed": 0, "config": {}, "rate": self.rate,
            "views": list(self.views), "pictures": ["mask"], "crop_size": self.crop_size, "body_parts": [],
            "coordinate_names": list(OPENSIM_COORDINATES), "coordinate_ranges": [],
            "body_names": list(OPENSIM_BODIES), "joint_names": list(OPENSIM_JOINTS), "marker_names": ["m"],
        }  # fmt: skip

    def _cameras(self) -> list[Camera]:
        lens = [Camera.from_lens(v, look_at(POSITIONS[v], (0, 0, 0.9)), *self.size) for v in self.views]
        return [replace(camera, distortion=self.distortion) for camera in lens]

    def _write_clip(self, folder: Path, num_frames: int, rng: np.random.Generator) -> None:
        folder.mkdir()
        cameras = self._cameras()
        labels = _labels(cameras, num_frames, self.rate, rng)
        size = self.size
        pixels = labels["keypoints"]
        if self.crop_size is not None:
            size = (self.crop_size, self.crop_size)
            corners = pixels.min(2) - rng.uniform(5, 9, (len(cameras), num_frames, 2))
            side = (pixels.max(2) - corners).max(-1, keepdims=True) + 7.5
            labels["crops"] = np.concatenate([corners, side], axis=-1).astype(np.float32)
            pixels = in_crops(pixels, labels["crops"], self.crop_size)
        for v, view in enumerate(self.views):
            self._write_videos(folder, view, pixels[v], size, self.hidden if v == 0 else ())
        np.savez_compressed(folder / "labels.npz", **labels)  # type: ignore[arg-type]
        record = {
            "clip": folder.name, "subject": folder.name.split("_")[0], "action": "moving",
            "split": (self.splits or {}).get(folder.name, "train"),
            "subsets": list((self.subsets or {}).get(folder.name, ())),
            "num_frames": num_frames, "rate": self.rate,
            "scene": {"cameras": [camera.to_dict() for camera in cameras]},
            "sha256": {path.name: file_hash(path) for path in sorted(folder.iterdir())},
        }  # fmt: skip
        (folder / "clip.json").write_text(json.dumps(record))

    def _write_videos(
        self, folder: Path, view: str, pixels: np.ndarray, size: tuple[int, int], hidden: tuple[int, ...]
    ) -> None:
        with ExitStack() as stack:
            video = stack.enter_context(VideoWriter(folder / f"{view}.mp4", "libx264", size, self.rate))
            mask_path = folder / f"{view}_mask.mkv"
            mask_video = stack.enter_context(VideoWriter(mask_path, "ffv1", size, self.rate))
            for t, points in enumerate(pixels):
                mask = np.zeros((size[1], size[0]), np.uint8)
                if t not in hidden:
                    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(points).astype(np.int32)), 255)
                video.write(self.draw(mask > 0, t))
                mask_video.write(mask)


def _labels(
    cameras: list[Camera], num_frames: int, rate: float, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    num_joints, num_bodies = len(OPENSIM_JOINTS), len(OPENSIM_BODIES)
    time = np.arange(num_frames) / rate
    sway = np.stack([0.4 * np.sin(2 * time), 0.05 * np.sin(7 * time), 0.3 * np.cos(3 * time)], axis=-1)
    still = rng.uniform([-0.3, 0.1, -0.3], [0.3, 1.7, 0.3], (num_joints, 3))
    joints = (still + sway[:, None]).astype(np.float32)
    T_world_ground = np.eye(4, dtype=np.float32)
    T_world_ground[:3, :3] = [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    world = joints @ T_world_ground[:3, :3].T
    keypoints = np.stack([camera.project(world) for camera in cameras]).astype(np.float32)
    edge = np.array([cameras[0].width, cameras[0].height]) - 0.5
    is_in_picture = np.all((keypoints >= -0.5) & (keypoints <= edge), axis=-1)
    lens = np.array([np.pad(camera.distortion, (0, 5 - len(camera.distortion))) for camera in cameras])
    poses = {"K": [camera.K for camera in cameras], "T_cam_world": [c.T_cam_world for c in cameras]}
    calibrated = {"K_calibrated": poses["K"], "T_cam_world_calibrated": np.array(poses["T_cam_world"]) + 0.25}
    arrays = {
        "coordinates": rng.normal(size=(num_frames, len(OPENSIM_COORDINATES))),
        "scale_factors": rng.uniform(0.9, 1.1, (num_bodies, 3)), "joints": joints,
        "body_coms": rng.normal(size=(num_frames, num_bodies, 3)),
        "markers": rng.normal(size=(num_frames, 1, 3)), "T_world_ground": T_world_ground, **poses,
        "distortion": lens, **calibrated, "keypoints": keypoints, "betas": np.zeros(4),
        "poses": np.zeros((num_frames, 55, 3)), "transl": np.zeros((num_frames, 3)),
    }  # fmt: skip
    return {name: np.asarray(array, np.float32) for name, array in arrays.items()} | {
        "time": time,
        "part_at_joint": np.ones(keypoints.shape[:3], np.uint8),
        "is_in_picture": is_in_picture,
        "is_visible": is_in_picture & (rng.random(keypoints.shape[:3]) < 0.8),
    }
