"""A static pinhole camera in OpenCV's convention, and the matrix a lens and sensor make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from odah.errors import InputError


@dataclass(frozen=True, eq=False)
class Camera:
    """One view: intrinsics, pose, picture size.

    K: (3, 3) intrinsic matrix, px, square pixels without skew. The centre of the top-left pixel is (0, 0),
        as in OpenCV, so that a centred lens has its principal point at ((width - 1) / 2, (height - 1) / 2).
    T_world_cam: (4, 4) camera to world, m; camera axes are x right, y down, z forward.
    focal_length_mm, sensor_width_mm: the lens `K` was made from; the sensor fits the picture's width.

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
        if self.K[0, 0] <= 0 or not np.isclose(self.K[0, 0], self.K[1, 1]):
            found = f"focal lengths {self.K[0, 0]} and {self.K[1, 1]} px"
            raise InputError(f"camera {self.name}, K", found, "two equal positive numbers")

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

    def to_cam(self, points: ArrayLike) -> np.ndarray:
        """World points (..., 3) in camera coordinates, m; the last number is the depth."""
        T = self.T_cam_world
        return np.asarray(points, dtype=float) @ T[:3, :3].T + T[:3, 3]

    def project(self, points: ArrayLike) -> np.ndarray:
        """World points (..., 3) to pixels (..., 2); NaN for points not in front of the camera."""
        cam = self.to_cam(points)
        depth = np.where(cam[..., 2:] > 0, cam[..., 2:], np.nan)
        return (cam[..., :2] / depth) * np.diag(self.K)[:2] + self.K[:2, 2]

    def sees(self, points: ArrayLike, margin: float = 0.0) -> np.ndarray:
        """Which world points (..., 3) fall inside the picture, `margin` times its size from every edge."""
        pixels = self.project(points)
        size = np.array([self.width, self.height])
        low, high = margin * size - 0.5, (1 - margin) * size - 0.5
        return np.all((pixels >= low) & (pixels <= high), axis=-1)

    def to_dict(self) -> dict[str, Any]:
        """Only numbers, strings and lists, for JSON."""
        return {**vars(self), "K": self.K.tolist(), "T_world_cam": self.T_world_cam.tolist()}

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
