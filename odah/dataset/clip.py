"""One finished clip: its plan, cameras, labels, pictures and model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from odah.dataset.clip_labels import ClipLabels, read_clip_labels
from odah.dataset.records import read_record
from odah.dataset.schema import DatasetPaths, PictureKind
from odah.dataset.squares import in_crops
from odah.dataset.video_window import read_window
from odah.errors import InputError
from odah.scene.camera import Camera

Value = TypeVar("Value")


@dataclass(frozen=True)
class Clip:
    """A finished clip on disk; files are read when asked for, `record` and `labels` once.

    folder: of the clip. paths, info: of its dataset; info is `dataset.json`.
    """

    folder: Path
    paths: DatasetPaths = field(repr=False, compare=False)
    info: dict[str, Any] = field(repr=False, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return Clip, (self.folder, self.paths, self.info)  # without what was read: other processes read it

    @property
    def clip_id(self) -> str:
        """Its name, that of its folder."""
        return self.folder.name

    @cached_property
    def record(self) -> dict[str, Any]:
        """`clip.json`: plan, scene, sources, error budget, hashes."""
        return read_record(self.folder / "clip.json")

    @property
    def subject(self) -> str:
        """Whose motion it is."""
        return self._stated("subject", str)

    @property
    def person(self) -> str:
        """Whose body it is: the subject, or a variant of them; the name of a folder under `subjects/`."""
        return self._stated("person", str) if "person" in self.record else self.subject

    @property
    def action(self) -> str:
        """What they do."""
        return self._stated("action", str)

    @property
    def split(self) -> str:
        """train, val or test."""
        return self._stated("split", str)

    @property
    def subsets(self) -> tuple[str, ...]:
        """Names of the dataset's subsets that it belongs to."""
        return tuple(self._stated("subsets", list)) if "subsets" in self.record else ()

    @property
    def rate(self) -> float:
        """Frames a second."""
        return float(self._stated("rate", (int, float)))

    @property
    def num_frames(self) -> int:
        """T, of labels and videos alike."""
        return self._stated("num_frames", int)

    @property
    def views(self) -> tuple[str, ...]:
        """Names of the cameras, in the labels' order."""
        return tuple(self.info["views"])

    @cached_property
    def cameras(self) -> dict[str, Camera]:
        """By view the camera that took the full picture; `labels.crops` says what a video of crops shows."""
        return self._cameras("cameras")

    @cached_property
    def calibrated_cameras(self) -> dict[str, Camera]:
        """By view what a calibration would say of the camera; the truth but in stress sets."""
        return self._cameras("calibrated") or self.cameras

    @cached_property
    def labels(self) -> ClipLabels:
        """Coordinates, joints, keypoints and all other arrays."""
        return read_clip_labels(self.folder / "labels.npz")

    @property
    def model_path(self) -> Path:
        """The person's scaled OpenSim model."""
        return self.paths.subject(self.person) / "model.osim"

    @property
    def motion_path(self) -> Path:
        """The coordinates as OpenSim reads them, `.mot`, degrees."""
        return self.folder / "kinematics.mot"

    def video(self, view: str) -> Path:
        """The file of a view's pictures."""
        return self.folder / f"{view}.mp4"

    def picture(self, view: str, kind: PictureKind) -> Path:
        """The video of masks, body parts, depth or normals that belongs to a view's pictures."""
        return self.folder / f"{view}_{kind}.mkv"

    def frames(self, view: str, start: int = 0, stop: int | None = None) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB pictures of frames `start` to `stop` - 1; all that follow if `stop` is None.

        Raises:
            InputError: no such view or frames; a damaged video.
        """
        return self._decoded(self.video(self._known(view)), start, stop, "rgb24")

    def masks(self, view: str, start: int = 0, stop: int | None = None) -> Bool[np.ndarray, "T H W"]:
        """True on the person, of frames as in `frames`."""
        return self._decoded(self.picture(self._known(view), "mask"), start, stop, "gray") > 127

    def parts(self, view: str, start: int = 0, stop: int | None = None) -> UInt8[np.ndarray, "T H W"]:
        """Numbers of body parts, named in `dataset.json`; 254 the person behind something. As `frames`."""
        return self._decoded(self.picture(self._known(view), "parts"), start, stop, "gray")

    def depth(self, view: str, start: int = 0, stop: int | None = None) -> Float32[np.ndarray, "T H W"]:
        """Depth along the camera's z axis, m; inf where nobody is. As `frames`; only if it was asked for."""
        from odah.render.label_codes import decode_depth_mm

        path = self.picture(self._known(view), "depth")
        return self._decoded(path, start, stop, "gray16le", decode_depth_mm)

    def normals(self, view: str, start: int = 0, stop: int | None = None) -> Float32[np.ndarray, "T H W 3"]:
        """Normals in camera axes, to 1/255; 0 where nobody is. As `frames`; only if they were asked for."""
        from odah.render.label_codes import decode_normals

        return self._decoded(self.picture(self._known(view), "normals"), start, stop, "rgb24", decode_normals)

    def video_keypoints(self, v: int, crop_size: int | None) -> Float[np.ndarray, "T J 2"]:
        """Joints in pixels of the v-th view's video, which may show crops of `crop_size` px."""
        keypoints = self.labels["keypoints"][v]
        return keypoints if crop_size is None else in_crops(keypoints, self.labels["crops"][v], crop_size)

    def _decoded(
        self,
        path: Path,
        start: int,
        stop: int | None,
        pixel_format: str,
        decode: Callable[[np.ndarray], np.ndarray] = lambda frame: frame,
    ) -> np.ndarray:
        stop = self.num_frames if stop is None else stop
        if not 0 <= start < stop <= self.num_frames:
            found, expected = f"{start} to {stop}", f"a part of 0 to {self.num_frames}"
            raise InputError(f"{self.clip_id}: frames", found, expected)
        return np.stack([decode(frame) for frame in read_window(path, start, stop, self.rate, pixel_format)])

    def _known(self, view: str) -> str:
        if view not in self.views:
            raise InputError(f"{self.clip_id}: view", repr(view), f"one of {', '.join(self.views)}")
        return view

    def _cameras(self, key: str) -> dict[str, Camera]:
        try:
            cameras = [Camera.from_dict(values) for values in self.record["scene"].get(key, ())]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise InputError(self.folder / "clip.json", f"no readable {key}", "cameras") from None
        return {camera.name: camera for camera in cameras}

    def _stated(self, name: str, kind: type[Value] | tuple[type[Value], ...]) -> Value:
        value = self.record.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise InputError(
                f"{self.folder / 'clip.json'}: {name}", repr(value), "a value, for it is required"
            )
        return value
