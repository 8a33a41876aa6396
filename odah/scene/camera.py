"""A static camera in OpenCV's convention, and the matrix a lens and sensor make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from odah.errors import InputError
from odah.scene.distortion import distort


@dataclass(frozen=True, eq=False)
class Camera:
    """One view: intrinsics, pose, picture size, and what a real camera does to a picture.

    K: (3, 3) intrinsic matrix, px, without skew. The centre of the top-left pixel is (0, 0),
        as in OpenCV, so that a centred lens has its principal point at ((width - 1) / 2, (height - 1) / 2).
    T_world_cam: (4, 4) camera to world, m; camera axes are x right, y down, z forward.
    focal_length_mm, sensor_width_mm: the lens `K` was made from; the sensor fits the picture's width.
    distortion: OpenCV's k1, k2, p1, p2 and perhaps k3; empty for a pinhole.
    readout: s from the reading of the first row to that of the last, a rolling shutter; frame k's first row
        is read at the time of frame k.
    frame_offset: frame k of this video shows the motion of frame k - frame_offset, the ends held.
    exposure: photographic stops added to this camera's pictures. crf: of its H264; None for the video's.

    Raises:
        InputError: a picture without pixels, matrices that are no camera.
    """

    name: str
    K: np.ndarray
    T_world_cam: np.ndarray
    width: int
    height: int
    focal_length_mm: float
    sensor_width_mm: float
    distortion: tuple[float, ...] = ()
    readout: float = 0.0
    frame_offset: int = 0
    exposure: float = 0.0
    crf: int | None = None

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise InputError(
                f"camera {self.name}", f"{self.width} x {self.height} pixels", "a picture of at least 1 x 1"
            )
        for field, shape in (("K", (3, 3)), ("T_world_cam", (4, 4))):
            matrix = np.asarray(getattr(self, field), dtype=float)
            if matrix.shape != shape or not np.isfinite(matrix).all():
                raise InputError(
                    f"camera {self.name}, {field}", f"{matrix.tolist()}", f"finite numbers {shape}"
                )
            object.__setattr__(self, field, matrix)
        self._check_matrices()
        self._check_effects()

    def _check_matrices(self) -> None:
        if not (self.K[0, 0] > 0 and self.K[1, 1] > 0):
            found = f"focal lengths {self.K[0, 0]} and {self.K[1, 1]} px"
            raise InputError(f"camera {self.name}, K", found, "two positive numbers")
        fx, fy, cx, cy = self.K[0, 0], self.K[1, 1], self.K[0, 2], self.K[1, 2]
        if not np.allclose(self.K, [[fx, 0, cx], [0, fy, cy], [0, 0, 1]], atol=1e-6):
            expected = "[[fx, 0, cx], [0, fy, cy], [0, 0, 1]]"
            raise InputError(f"camera {self.name}, K", f"{self.K.tolist()}", expected)
        R = self.T_world_cam[:3, :3]
        is_rotation = np.allclose(R @ R.T, np.eye(3), atol=1e-4) and np.linalg.det(R) > 0
        if not is_rotation or not np.allclose(self.T_world_cam[3], [0, 0, 0, 1]):
            found = f"{self.T_world_cam.tolist()}"
            raise InputError(f"camera {self.name}, T_world_cam", found, "a rotation and a position")

    def _check_effects(self) -> None:
        distortion = tuple(float(value) for value in self.distortion)
        if len(distortion) not in (0, 4, 5) or not np.isfinite(distortion).all():
            raise InputError(
                f"camera {self.name}, distortion", f"{list(distortion)}", "finite k1, k2, p1, p2 [, k3]"
            )
        object.__setattr__(self, "distortion", distortion)
        if not (np.isfinite(self.readout) and self.readout >= 0):
            raise InputError(f"camera {self.name}, readout", f"{self.readout}", "seconds, not negative")
        if not np.isfinite(self.exposure):
            raise InputError(f"camera {self.name}, exposure", f"{self.exposure}", "a number of stops")
        if self.crf is not None and not 0 <= self.crf <= 51:
            raise InputError(f"camera {self.name}, crf", f"{self.crf}", "0 to 51")

    @classmethod
    def from_lens(
        cls,
        name: str,
        T_world_cam: ArrayLike,
        width: int,
        height: int,
        focal_length_mm: float = 33.0,
        sensor_width_mm: float = 36.0,
    ) -> Camera:
        """A camera with a centred lens; the default lens is the one of the ODAH paper, section 3.4."""
        K = intrinsics(width, height, focal_length_mm, sensor_width_mm)
        return cls(name, K, np.asarray(T_world_cam), width, height, focal_length_mm, sensor_width_mm)

    @property
    def T_cam_world(self) -> np.ndarray:
        """(4, 4) world to camera, m."""
        R, t = self.T_world_cam[:3, :3], self.T_world_cam[:3, 3]
        T = np.eye(4)
        T[:3, :3], T[:3, 3] = R.T, -R.T @ t
        return T

    @property
    def position(self) -> np.ndarray:
        """(3,) optical centre in world, m."""
        return self.T_world_cam[:3, 3]

    @property
    def is_distorted(self) -> bool:
        """Whether its lens is more than a pinhole."""
        return any(self.distortion)

    def to_cam(self, points: ArrayLike) -> np.ndarray:
        """World points (..., 3) in camera coordinates, m; the last number is the depth."""
        T = self.T_cam_world
        return np.asarray(points, dtype=float) @ T[:3, :3].T + T[:3, 3]

    def project(self, points: ArrayLike) -> np.ndarray:
        """World points (..., 3) to pixels (..., 2), through the lens; NaN for points it cannot see.

        Those are points not in front of the camera and, for a lens with distortion, points so far to the
        side that its polynomial has turned back.
        """
        cam = self.to_cam(points)
        depth = np.where(cam[..., 2:] > 0, cam[..., 2:], np.nan)
        normalized = cam[..., :2] / depth
        if self.is_distorted:
            normalized = distort(normalized, self.distortion)
        return normalized * np.diag(self.K)[:2] + self.K[:2, 2]

    def cropped(self, left: float, top: float, side: float, size: int) -> Camera:
        """The camera of a square of `side` px of this picture, drawn as `size` x `size` px.

        left, top: the square's top-left corner, an edge: that of the whole picture is (-0.5, -0.5) as a pixel
        and (0, 0) here, so that u' = (u + 0.5 - left) * size / side - 0.5. The square may reach over the
        picture's edges; the cropped camera simply sees more. Time has been dealt with by the rows of the
        whole picture, so the cropped camera has neither `readout` nor `frame_offset`.

        Raises:
            InputError: a lens with distortion, a square without pixels.
        """
        if self.is_distorted:
            raise InputError(f"camera {self.name}", "a crop of a lens with distortion", "an undistorted one")
        if not (np.isfinite([left, top, side]).all() and side > 0):
            raise InputError(f"camera {self.name}", f"a crop of {side} px at {left}, {top}", "a square")
        scale = size / side
        K = np.diag([scale, scale, 1.0]) @ self.K
        K[:2, 2] = (self.K[:2, 2] + 0.5 - [left, top]) * scale - 0.5
        sensor_width_mm = self.sensor_width_mm * side / self.width
        return replace(
            self, K=K, width=size, height=size, sensor_width_mm=sensor_width_mm, readout=0.0, frame_offset=0
        )

    def sees(self, points: ArrayLike, margin: float = 0.0) -> np.ndarray:
        """Which world points (..., 3) fall inside the picture, `margin` times its size from every edge."""
        pixels = self.project(points)
        size = np.array([self.width, self.height])
        low, high = margin * size - 0.5, (1 - margin) * size - 0.5
        return np.all((pixels >= low) & (pixels <= high), axis=-1)

    def to_dict(self) -> dict[str, Any]:
        """Only numbers, strings and lists, for JSON."""
        matrices = {"K": self.K.tolist(), "T_world_cam": self.T_world_cam.tolist()}
        return {**vars(self), **matrices, "distortion": list(self.distortion)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Camera:
        """Inverse of `to_dict`."""
        return cls(**values)


def intrinsics(width: int, height: int, focal_length_mm: float, sensor_width_mm: float) -> np.ndarray:
    """(3, 3) `K` of a centred lens, px, pixel centres on integers; the sensor fits the picture's width."""
    focal_length_px = focal_length_mm / sensor_width_mm * width
    return np.array(
        [[focal_length_px, 0.0, (width - 1) / 2], [0.0, focal_length_px, (height - 1) / 2], [0.0, 0.0, 1.0]]
    )


def look_at(position: ArrayLike, target: ArrayLike) -> np.ndarray:
    """(4, 4) `T_world_cam` of an upright camera at `position` with `target` in the middle of its picture.

    Raises:
        InputError: straight up or down, where upright means nothing.
    """
    position, target = np.asarray(position, dtype=float), np.asarray(target, dtype=float)
    forward = target - position
    right = np.cross(forward, [0.0, 0.0, 1.0])
    if np.linalg.norm(right) < 1e-9 * max(np.linalg.norm(forward), 1e-300):
        raise InputError("look_at", f"{position} towards {target}", "a direction that is not vertical")
    forward, right = forward / np.linalg.norm(forward), right / np.linalg.norm(right)
    T = np.eye(4)
    T[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    T[:3, 3] = position
    return T
