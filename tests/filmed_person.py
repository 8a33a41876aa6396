"""A person of lines who moves as an OpenSim model does, filmed by two cameras without a renderer."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from odah.estimator.predict.segmenters import Person, box_of, most_overlapping
from odah.motion.types import R_WORLD_GROUND
from odah.names import OPENSIM_COORDINATES, OPENSIM_JOINTS, SKELETON_BONES
from odah.osim import ForwardKinematics, full_body_model, scale_model
from odah.render.video import VideoWriter, read_frames
from odah.scene.calibration import save_cameras
from odah.scene.camera import Camera, look_at

RATE, NUM_FRAMES, SIZE = 30.0, 41, (240, 200)
FIRST_GREY, GREY_STEP = 50, 5
"""Brightness of the person in frame 0 and what each later frame adds, so that a picture tells its frame."""
_POSITIONS = {"cam_a": (3.2, -1.4, 1.2), "cam_b": (0.9, 3.4, 1.0)}
_THICKNESS = 0.16  # m


@dataclass(frozen=True)
class Filmed:
    """coordinates: (T, 39) rad and m; scale_factors: (22, 3); joints: (T, 22, 3) m, ground."""

    folder: Path
    cameras: tuple[Camera, ...]
    coordinates: np.ndarray
    scale_factors: np.ndarray
    joints: np.ndarray

    def videos(self) -> list[Path]:
        return [self.folder / f"{camera.name}.mp4" for camera in self.cameras]

    def masks(self) -> tuple[Path, ...]:
        return tuple(self.folder / f"{camera.name}_mask.mkv" for camera in self.cameras)

    @property
    def calibration(self) -> Path:
        return self.folder / "cameras.json"


def true_coordinates(num_frames: int = NUM_FRAMES, rate: float = RATE) -> np.ndarray:
    """Every coordinate moves in its own way, within its range, and not as on the other side."""
    model = full_body_model()
    time = np.arange(num_frames) / rate
    phases = np.random.default_rng(3).uniform(0, 6, len(OPENSIM_COORDINATES))
    low, high = model.coordinate_ranges.T
    middle, reach = (low + high) / 2, np.minimum((high - low) / 2, 0.5)
    values = middle + 0.6 * reach * np.sin(1.5 * time[:, None] + phases)
    places = {name: k for k, name in enumerate(OPENSIM_COORDINATES)}
    for name, start, speed in (
        ("pelvis_tilt", 0.1, 0.1), ("pelvis_list", -0.15, 0.1), ("pelvis_rotation", 2.8, 0.5),
        ("pelvis_tx", -0.1, 0.2), ("pelvis_ty", 0.95, 0.02), ("pelvis_tz", 0.15, -0.15),
    ):  # fmt: skip
        values[:, places[name]] = start + speed * time
    coupled = ForwardKinematics(model).couple(torch.from_numpy(values))
    return coupled.numpy()


def film(
    folder: Path,
    distortion: tuple[float, ...] = (),
    hidden: tuple[int, ...] = (),
    late: int = 0,
    bystander: bool = False,
) -> Filmed:
    """hidden: frames in which nobody is in either picture. late: first frames that the second video lacks.
    bystander: somebody small stands behind, in the pictures, not in the masks."""
    coordinates = true_coordinates()
    scale_factors = np.random.default_rng(4).uniform(0.92, 1.08, (22, 3))
    model = scale_model(full_body_model(), scale_factors)
    joints = ForwardKinematics(model)(torch.from_numpy(coordinates)).joints.numpy()
    cameras = tuple(
        Camera.from_lens(name, look_at(place, (0.0, -0.1, 0.9)), *SIZE) for name, place in _POSITIONS.items()
    )
    cameras = tuple(Camera(**{**vars(camera), "distortion": distortion}) for camera in cameras)
    folder.mkdir()
    save_cameras(folder / "cameras.json", cameras)
    filmed = Filmed(folder, cameras, coordinates, scale_factors, joints)
    for camera, video, masks in zip(cameras, filmed.videos(), filmed.masks(), strict=True):
        pixels = camera.project(joints @ R_WORLD_GROUND.T)
        width = round(_THICKNESS * camera.K[0, 0] / 3.5)
        with ExitStack() as stack:
            pictures = stack.enter_context(VideoWriter(video, "libx264", SIZE, RATE, crf=10))
            silhouettes = stack.enter_context(VideoWriter(masks, "ffv1", SIZE, RATE))
            for t in range(late if camera is cameras[1] else 0, len(pixels)):
                mask = np.zeros(SIZE[::-1], np.uint8) if t in hidden else _silhouette(pixels[t], width)
                others = _silhouette(_behind(camera, joints[0]), width // 2) * np.uint8(bystander)
                grey = np.where(mask | others > 0, FIRST_GREY + GREY_STEP * t, 20).astype(np.uint8)
                pictures.write(np.repeat(grey[..., None], 3, axis=2))
                silhouettes.write(mask)
    return filmed


def _behind(camera: Camera, joints: np.ndarray) -> np.ndarray:
    return camera.project(0.5 * joints @ R_WORLD_GROUND.T + (-1.3, -1.1, 0.2))


class Brightness:
    """A segmenter: everything brighter than the background is a person."""

    def people(self, image: np.ndarray) -> list[Person]:
        count, labels = cv2.connectedComponents((image[..., 0] > 35).astype(np.uint8))
        masks = [np.where(labels == k, np.uint8(255), np.uint8(0)) for k in range(1, count)]
        found = [Person(mask, box) for mask in masks if (box := box_of(mask))]
        return [person for person in found if person.height > 10]

    def follow(self, image: np.ndarray, previous: Person) -> Person | None:
        return most_overlapping(self.people(image), previous)


def copied(
    source: Path,
    target: Path,
    *,
    rate: float = RATE,
    numbers: Iterable[int] | None = None,
    scale: float = 1.0,
    quarter_turns: int = 0,
) -> Path:
    """Some of a video's frames in another size and at another rate, as stored by a phone that was turned."""
    pictures = [
        cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[..., ::-1]
        for picture in read_frames(source)
    ]
    chosen = [np.rot90(pictures[k], quarter_turns).copy() for k in numbers or range(len(pictures))]
    codec = "ffv1 color" if target.suffix == ".mkv" else "libx264"
    with VideoWriter(target, codec, (chosen[0].shape[1], chosen[0].shape[0]), rate, crf=10) as writer:
        for picture in chosen:
            writer.write(picture)
    return target


def turned(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """With the display matrix of QuickTime's `tkhd`: x' = a x + c y, y' = b x + d y for (a, b, c, d)."""
    data = path.read_bytes()
    identity = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    at = data.index(identity, data.index(b"tkhd"))
    a, b, c, d = (value << 16 for value in matrix)
    path.write_bytes(data[:at] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + data[at + 36 :])
    return path


def _silhouette(pixels: np.ndarray, width: int) -> np.ndarray:
    mask = np.zeros(SIZE[::-1], np.uint8)
    whole = np.rint(pixels).astype(int)
    for start, end in SKELETON_BONES:
        ends = (tuple(whole[OPENSIM_JOINTS.index(name)].tolist()) for name in (start, end))
        cv2.line(mask, *ends, 255, width)
    for place in whole:
        cv2.circle(mask, tuple(place.tolist()), width // 2, 255, -1)
    return mask
