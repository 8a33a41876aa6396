"""The cameras of an OpenCap session, and what they filmed of a trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float

from odah.benchmark.datasets.findings import Findings
from odah.benchmark.datasets.opencap_camera import for_video
from odah.benchmark.datasets.opencap_world import TRANSFORM, OpenCapWorld, upright_world
from odah.benchmark.datasets.video_frames import duration, frames_at
from odah.benchmark.recording import View
from odah.errors import InputError
from odah.estimator.predict.videos import Video, examine
from odah.scene.calibration import load_cameras
from odah.scene.camera import Camera

MAX_DESYNC = 0.1
"""s; the cameras are known to be up to 6 frames apart, but not more."""


@dataclass(frozen=True)
class Session:
    """folder: `VideoData/Session<k>`. cameras: names of those wanted."""

    folder: Path
    cameras: Sequence[str]
    findings: Findings

    def has(self, trial: str) -> bool:
        """Whether a camera has a folder of the trial."""
        return any((self.folder / name / trial).is_dir() for name in self.cameras)

    @property
    def trials(self) -> set[str]:
        """Names of what a camera has a folder of."""
        folders = (self.folder / name for name in self.cameras if (self.folder / name).is_dir())
        return {trial.name for folder in folders for trial in folder.iterdir() if trial.is_dir()}

    @cached_property
    def world(self) -> OpenCapWorld:
        """The calibrated cameras.

        Raises:
            InputError: there are none.
        """
        cameras: list[Camera] = []
        for name in self.cameras:
            with self.findings.going_on():
                cameras += load_cameras(self.folder / name / "cameraIntrinsicsExtrinsics.pickle")
        if not cameras:
            raise InputError(self.folder, "no camera with a calibration", ", ".join(self.cameras))
        places = (self.folder / TRANSFORM, self.folder.parent / TRANSFORM)
        path = next((place for place in places if place.is_file()), None)
        return upright_world(cameras, path, self.findings)

    def videos(self, trial: str) -> dict[str, Video]:
        """By camera the trial's videos, of which none is much longer or shorter than most.

        Raises:
            InputError: there are none.
        """
        videos: dict[str, Video] = {}
        for name in self.world.cameras:
            with self.findings.going_on():
                videos[name] = examine(self.folder / name / trial / f"{trial}_syncdWithMocap.avi")
        if not videos:
            raise InputError(f"{self.folder}, {trial}", "no videos", f"those of {', '.join(self.cameras)}")
        usual = float(np.median([duration(video) for video in videos.values()]))
        for name, video in list(videos.items()):
            if abs(duration(video) - usual) > MAX_DESYNC and len(videos) > 2:
                found = f"{duration(video):.2f} s"
                expected = f"{usual:.2f} s as of the other cameras: it is not synchronised"
                self.findings.left_out(str(video.path), found, expected)
                del videos[name]
        return videos

    def views(self, videos: Mapping[str, Video], clock: Float[np.ndarray, " T"]) -> dict[str, View]:
        """By camera what it shows at times, s since the videos' start.

        Raises:
            InputError: pictures of other shapes than calibrated, in all videos.
        """
        views = {}
        for name, video in videos.items():
            with self.findings.going_on():
                camera = for_video(self.world.cameras[name], video, self.findings)
                frames, is_stored = frames_at(video, clock)
                views[name] = View(camera=camera, video=video.path, frames=frames)
                if not is_stored.all():
                    missing = f"{int((~is_stored).sum())} of {len(clock)} frames are missing"
                    self.findings.note(f"{video.path}: {missing}: the nearest ones stand in")
        if not views:
            raise InputError(self.folder, "videos of another shape than calibrated", "the cameras' own")
        return views
