"""A person whose joints are drawn as dots into the videos of datasets in their owners' formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest
import torch

from odah.benchmark.datasets.video_frames import pictures
from odah.benchmark.recording import Recording, View
from odah.dataset.squares import in_crops
from odah.names import OPENSIM_COORDINATES
from odah.osim import ForwardKinematics, full_body_model, scale_model

DOTS = (
    "hip_r", "walker_knee_l", "ankle_r", "mtp_l", "back", "elbow_l", "radius_hand_r", "acromial_r"
)  # fmt: skip
"""Joints that are drawn, more of one side than of the other."""
_LEVELS = dict(zip(DOTS, range(70, 70 + 24 * len(DOTS), 24), strict=True))
_RADIUS, _SHIFT = 5.0, 4
_NEAREST_LEVEL = 8


@dataclass(frozen=True)
class Person:
    """Moves every coordinate in its own way, sides differently. pace: times as fast. spread: of the bones."""

    centre: tuple[float, float, float] = (-0.1, 0.95, 0.15)
    pace: float = 3.0
    spread: float = 0.07

    @cached_property
    def scale_factors(self) -> np.ndarray:
        return np.random.default_rng(4).uniform(1 - self.spread, 1 + self.spread, (22, 3))

    @cached_property
    def model(self):
        return scale_model(full_body_model(), self.scale_factors)

    def coordinates(self, times: np.ndarray) -> np.ndarray:
        """(T, 39) rad and m."""
        times = self.pace * times
        low, high = full_body_model().coordinate_ranges.T
        middle, reach = (low + high) / 2, np.minimum((high - low) / 2, 0.5)
        middle = np.where(high - low > 6, 0.2, middle)
        phases = np.random.default_rng(3).uniform(0, 6, len(OPENSIM_COORDINATES))
        values = middle + 0.4 * reach * np.sin(1.5 * times[:, None] + phases)
        for name, start, speed in (
            ("pelvis_tilt", 0.1, 0.1), ("pelvis_list", -0.15, 0.1), ("pelvis_rotation", 0.3, 0.2),
            ("pelvis_tx", self.centre[0], 0.2), ("pelvis_ty", self.centre[1], 0.02),
            ("pelvis_tz", self.centre[2], -0.15),
        ):  # fmt: skip
            values[:, OPENSIM_COORDINATES.index(name)] = start + speed * times
        return ForwardKinematics(self.model).couple(torch.from_numpy(values)).numpy()

    def joints(self, times: np.ndarray) -> np.ndarray:
        """(T, J, 3) m, ground."""
        return self._pose(times).joints.numpy()

    def dots(self, times: np.ndarray) -> np.ndarray:
        """(T, D, 3) m, ground: those of the joints that are drawn."""
        return self.joints(times)[:, [self.model.joint_names.index(name) for name in DOTS]]

    def markers(self, times: np.ndarray, model) -> np.ndarray:
        """(T, M, 3) m, ground; model: this person's, with the markers wanted."""
        return ForwardKinematics(model)(torch.from_numpy(self.coordinates(times))).markers.numpy()

    def _pose(self, times: np.ndarray):
        return ForwardKinematics(self.model)(torch.from_numpy(self.coordinates(times)))


def dotted(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3): a disc at each of the pixels (D, 2), each of its own grey. size: width, height."""
    picture = np.zeros((size[1], size[0]), np.uint8)
    for (x, y), level in zip(pixels, _LEVELS.values(), strict=True):
        centre = (round(x * 2**_SHIFT), round(y * 2**_SHIFT))
        cv2.circle(picture, centre, round(_RADIUS * 2**_SHIFT), level, -1, cv2.LINE_AA, _SHIFT)
    return np.repeat(picture[..., None], 3, axis=2)


def found_dots(picture: np.ndarray) -> dict[str, np.ndarray]:
    """By joint the centre (2,) of its disc, px, of those that no other disc touches."""
    grey = picture[..., 0]
    _, labels, stats, _ = cv2.connectedComponentsWithStats((grey > 35).astype(np.uint8))
    found = {}
    for k in range(1, len(stats)):
        rows, columns = np.nonzero(labels == k)
        if not 0.7 < len(rows) / (np.pi * _RADIUS**2) < 1.4:
            continue
        level = float(np.median(grey[rows, columns]))
        name = min(_LEVELS, key=lambda each: abs(_LEVELS[each] - level))
        if abs(_LEVELS[name] - level) <= _NEAREST_LEVEL:
            found[name] = np.array([columns.mean(), rows.mean()])
    return found


def write_video(
    path: Path,
    frames: Sequence[np.ndarray],
    rate: int,
    stamps: Sequence[int] | None = None,
    codec: str = "mpeg4",
) -> None:
    """Pictures (H, W, 3); stamps: their numbers in time, one after the other if None."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 20_000_000
        stream.codec_context.time_base = Fraction(1, rate)
        stream.codec_context.max_b_frames = 0
        for picture, stamp in zip(frames, stamps or range(len(frames)), strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = stamp, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def pixel_errors(recording: Recording, view: View, crop_size: int | None = None) -> np.ndarray:
    """Distances (N,) px of the true joints, projected, to the dots in the decoded video, over all frames."""
    truth = recording.truth
    places = {name: truth.joint_names.index(name) for name in DOTS}
    T = recording.T_world_ground
    projected = view.camera.project(truth.joints @ T[:3, :3].T + T[:3, 3])
    if view.crops is not None:
        assert crop_size is not None
        projected = in_crops(projected, view.crops, crop_size)
    errors = [
        np.linalg.norm(projected[t, places[name]] - pixel)
        for t, picture in enumerate(pictures(view))
        for name, pixel in found_dots(picture).items()
    ]
    assert len(errors) > 0.35 * len(DOTS) * recording.num_frames, "too few dots seen"
    return np.array(errors)


@pytest.fixture(scope="session")
def dots() -> SimpleNamespace:
    """What test files share."""
    return SimpleNamespace(
        Person=Person,
        DOTS=DOTS,
        dotted=dotted,
        write_video=write_video,
        pixel_errors=pixel_errors,
        found=found_dots,
    )


@pytest.fixture
def damaged() -> Callable[[Path, np.random.Generator], None]:
    """Cut a file short or change some of its bytes."""

    def damage(path: Path, rng: np.random.Generator) -> None:
        data = bytearray(path.read_bytes())
        if rng.random() < 0.4:
            data = data[: int(rng.integers(0, len(data)))]
        else:
            for place in rng.integers(0, len(data), int(rng.integers(1, 40))):
                data[place] = int(rng.integers(0, 256))
        path.write_bytes(bytes(data))

    return damage
