"""What a check is given, and how it says no."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from odah.dataset.audit.look import Look, look_at_view
from odah.dataset.reader import Clip, Dataset
from odah.dataset.schema import seeded_rng
from odah.scene import Camera
from odah.scene.time_effects import points_as_seen_by


class Failure(Exception):
    """A check that is not passed, in one sentence."""


def expect(condition: object, sentence: str) -> None:
    """Raise Failure unless `condition` holds."""
    if not condition:
        raise Failure(sentence)


@dataclass(frozen=True)
class Context:
    """A clip under audit.

    num_looks: frames of which the label pictures are looked at, drawn with `seed`; None for a whole look: at
    every picture, and with OpenSim at more than joints.
    """

    clip: Clip
    dataset: Dataset
    num_looks: int | None = None
    seed: int = 0

    @property
    def is_whole(self) -> bool:
        return self.num_looks is None

    @cached_property
    def frames(self) -> list[int]:
        """Those whose label pictures are looked at, rising: the first, the last, some between."""
        last = self.num_frames - 1
        if self.num_looks is None or self.num_looks > last:
            return list(range(last + 1))
        rng = seeded_rng(self.seed, "audit", self.clip.clip_id)
        between = 1 + rng.choice(last - 1, max(self.num_looks - 2, 0), replace=False)
        return sorted({0, last, *between.tolist()})

    def names(self, kind: str) -> list[str]:
        """Of the coordinates, joints, bodies or markers."""
        return self.dataset.info[f"{kind}_names"]

    @cached_property
    def labels(self) -> dict[str, np.ndarray]:
        """The arrays, those of numbers as float64."""
        return {
            name: array.astype(float) if array.dtype.kind == "f" else array
            for name, array in self.clip.labels.items()
        }

    @cached_property
    def cameras(self) -> list[Camera]:
        return list(self.clip.cameras.values())

    @cached_property
    def num_frames(self) -> int:
        return len(self.labels["time"])

    def picture_size(self, v: int) -> tuple[int, int]:
        """Width and height of the v-th view's video, px."""
        crop, camera = self.dataset.crop_size, self.cameras[v]
        return (camera.width, camera.height) if crop is None else (crop, crop)

    @cached_property
    def joints_seen(self) -> list[np.ndarray]:
        """By view (T, J, 3) joints in world where its pictures show them: late, or row by row, if so."""
        T, rate = self.labels["T_world_ground"], self.clip.record["rate"]
        world = self.labels["joints"] @ T[:3, :3].T + T[:3, 3]
        return [points_as_seen_by(world, camera, rate) for camera in self.cameras]

    @cached_property
    def video_keypoints(self) -> list[np.ndarray]:
        """By view (T, J, 2) px of the video."""
        return [self.clip.video_keypoints(v, self.dataset.crop_size) for v in range(len(self.dataset.views))]

    @cached_property
    def looks(self) -> list[Look]:
        """By view what the label pictures show in `frames`.

        Raises:
            InputError: one cannot be read.
        """
        kinds = tuple(self.dataset.info["pictures"])
        return [
            look_at_view(
                {kind: self.clip.picture(view, kind) for kind in kinds},
                self.frames,
                self.video_keypoints[v],
            )
            for v, view in enumerate(self.dataset.views)
        ]
