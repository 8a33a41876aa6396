"""Keypoints by MediaPipe's BlazePose, the network that also draws masks for `odah predict`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from odah.benchmark.methods.multi_step.keypoint_sets import KeypointSet, keypoint_set
from odah.benchmark.methods.multi_step.keypoints import Keypoints, out_of_crops
from odah.benchmark.recording import Recording
from odah.estimator.predict.blazepose import BlazePoseSegmenter
from odah.estimator.predict.blazepose_networks import NETWORK_HASHES
from odah.estimator.predict.videos import examine, read_pictures


@dataclass(frozen=True)
class BlazePoseKeypoints:
    """Every frame by itself: all people whom the detector finds, up to its three times refined landmarks."""

    place_deviation: float = 0.02

    @property
    def keypoint_set(self) -> KeypointSet:
        """See `KeypointSource`."""
        return keypoint_set("blazepose")

    @property
    def facts(self) -> Mapping[str, Any]:
        """See `KeypointSource`."""
        return {"source": "blazepose", "networks": list(NETWORK_HASHES)}

    def keypoints(self, recording: Recording, view: str) -> Keypoints:
        """See `KeypointSource`.

        Raises:
            OdahError: the networks are not there and cannot be had; a damaged video.
        """
        shown = recording.views[view]
        segmenter, video = BlazePoseSegmenter(), examine(shown.video)
        frames = [
            [person.landmarks for person in segmenter.people(picture)]
            for picture in read_pictures(video, shown.frames.tolist())
        ]
        points = self.keypoint_set
        most = max(1, *(len(people) for people in frames))
        found = np.zeros((len(frames), most, points.count, 3))
        for t, people in enumerate(frames):
            found[t, : len(people)] = np.array(people).reshape(-1, points.count, 3)
        found = found[:, :, list(points.indices)]
        pixels, confidence = found[..., :2], found[..., 2]
        if shown.crops is not None:
            pixels = out_of_crops(pixels, shown.crops.astype(float), video.width)
        empty = sum(not people for people in frames)
        notes = (f"nobody found in {empty} of {len(frames)} frames",) if empty else ()
        return Keypoints(np.where(confidence[..., None] > 0, pixels, np.nan), confidence, notes)
