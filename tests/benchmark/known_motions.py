"""Recordings without videos, of motions that are known in full, and methods that answer by rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from odah.benchmark.model_motion import motion_of
from odah.benchmark.recording import Motion, Recording, View
from odah.errors import OdahError
from odah.names import OPENSIM_BODIES
from odah.osim import full_body_model
from odah.scene.camera import Camera

GROUND_TO_WORLD = np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])


def known_motion(num_frames: int = 6, seed: int = 0) -> Motion:
    """Small turns about the model's default pose; all different, left and right, too."""
    model = full_body_model()
    rng = np.random.default_rng(seed)
    rest = np.array([coordinate.default for coordinate in model.coordinates])
    coordinates = rest + 0.2 * rng.uniform(size=(num_frames, len(rest)))
    scales = rng.uniform(0.9, 1.1, (len(OPENSIM_BODIES), 3))
    return motion_of(model, coordinates, np.arange(num_frames) / 20, None, scales)


def camera_at(name: str, x: float) -> Camera:
    """On the x axis of world, looking at the origin's height of 1 m, upright."""
    T = np.eye(4)
    forward = -np.sign(x)
    T[:3, :3] = np.array([[0, -forward, 0], [0, 0, -1], [forward, 0, 0]]).T  # right, down, forward
    T[:3, 3] = (x, 0.0, 1.0)
    return Camera.from_lens(name, T, 640, 480)


def recording(
    name: str = "walk",
    subject: str = "subject01",
    action: str = "walking",
    *,
    seed: int = 0,
    rate: float = 20.0,
) -> Recording:
    """Two cameras; there are no video files."""
    truth = known_motion(seed=seed)
    count = len(truth.times)
    views = {
        v: View(camera_at(v, x), Path(f"{v}.mp4"), np.arange(count)) for v, x in (("a", 4.0), ("b", -5.0))
    }
    return Recording(
        "set",
        name,
        subject,
        action,
        rate,
        count,
        views,
        GROUND_TO_WORLD,
        read_truth=lambda: truth,
        height=1.75,
    )


@dataclass
class Biased:
    """The truth, with some degrees added to one coordinate; counts how often it is asked."""

    name: str
    bias_deg: float
    coordinate: str = "knee_angle_l"
    without: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"bias_deg": self.bias_deg, "coordinate": self.coordinate}

    def estimate(self, recording: Recording, views: Sequence[str], folder: Path) -> Motion:
        self.asked.append(recording.name)
        truth = recording.truth
        coordinates = truth.coordinates.copy()
        coordinates[:, truth.coordinate_names.index(self.coordinate)] += np.deg2rad(self.bias_deg)
        kept = [k for k, name in enumerate(truth.coordinate_names) if name not in self.without]
        names = tuple(truth.coordinate_names[k] for k in kept)
        (folder / "note.txt").write_text("mine")
        return replace(truth, coordinates=coordinates[:, kept], coordinate_names=names)


@dataclass
class Failing:
    """Fails on one recording."""

    name: str = "failing"
    on: str = "run"

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"on": self.on}

    def estimate(self, recording: Recording, views: Sequence[str], folder: Path) -> Motion:
        if recording.name == self.on:
            raise OdahError("nobody to be seen")
        return recording.truth
