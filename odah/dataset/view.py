"""A clip in the rerun viewer: videos under the skeleton, skeleton and body in 3D, angles, on one timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import rerun as rr
import rerun.blueprint as rrb
import torch

from odah.body.mesh import vertex_normals
from odah.body.model import load_body
from odah.body.shape.bone_lengths import with_bone_lengths
from odah.dataset.overlay import SIDE_COLORS_RGB
from odah.dataset.reader import Clip, Dataset
from odah.names import SKELETON_BONES, side_of
from odah.render.video import read_frames

PLOTS: dict[str, tuple[str, ...]] = {
    "hip": ("hip_flexion", "hip_adduction", "hip_rotation"),
    "knee_and_ankle": ("knee_angle", "ankle_angle", "subtalar_angle", "mtp_angle"),
    "trunk": ("lumbar_extension", "lumbar_bending", "lumbar_rotation"),
    "shoulder": ("arm_flex", "arm_add", "arm_rot"),
    "elbow_and_wrist": ("elbow_flex", "pro_sup", "wrist_flex", "wrist_dev"),
}
"""Coordinates that are plotted together, named without their side."""
_BRIGHTNESS = (1.0, 0.7, 0.5, 0.35)
"""Of the curves of one side in one plot."""
_TRUNK_RGB = (110, 160, 90)
_SKIN_RGBA = (206, 188, 172, 150)
_BODIES_PER_SECOND = 10.0
"""Each takes 260 kB; the skeleton is there in every frame."""
_BONE_RADIUS = 0.008  # m
_PICTURE_DISTANCE = 0.6
"""From a camera to where its picture hangs in 3D, m."""
_JPEG_QUALITY = 85
_EYE = np.array([2.2, -2.2, 0.6])
"""From the person to where they are looked at from first, m."""


def record_clip(
    dataset: Dataset, clip: Clip, recording: rr.RecordingStream, with_body: bool = True, as_jpeg: bool = False
) -> None:
    """Log a clip, and how to lay it out, to `recording`.

    with_body: where it is the open one; the file of a licensed one is not in the dataset. as_jpeg: pictures
    one by one, ten times as large as the videos, for a viewer that cannot decode H264.

    Raises:
        InputError: the clip's record or labels are damaged.
    """
    shown = _ShownClip(dataset, clip, recording)
    recording.send_recording_name(clip.clip_id)
    recording.log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
    shown.log_skeleton()
    if with_body and clip.record["body"]["kind"] == "open":
        shown.log_body()
    for v, view in enumerate(dataset.views):
        shown.log_camera(v, view)
        shown.log_pictures(view) if as_jpeg else shown.log_video(view)
        shown.log_keypoints(v, view)
    shown.log_angles()
    recording.send_blueprint(_layout(dataset.views, shown.world_joints()[0]))
    recording.flush()


@dataclass(frozen=True)
class _ShownClip:
    """What of a clip goes where in the recording."""

    dataset: Dataset
    clip: Clip
    recording: rr.RecordingStream

    def world_joints(self) -> np.ndarray:
        """(T, J, 3) m."""
        T_world_ground = self.clip.labels["T_world_ground"].astype(float)
        return self.clip.labels["joints"] @ T_world_ground[:3, :3].T + T_world_ground[:3, 3]

    def log_skeleton(self) -> None:
        """Bones in world, m."""
        strips, colors, counts = self._bones(self.world_joints())
        radii = np.full(len(strips), _BONE_RADIUS)
        bones = rr.LineStrips3D.columns(strips=strips, colors=colors, radii=radii)
        self._send("world/skeleton", bones.partition(counts))

    def log_body(self) -> None:
        """The posed body in world, m, a few times a second."""
        labels = self.clip.labels
        chosen = np.arange(0, len(labels["time"]), max(1, round(self.clip.rate / _BODIES_PER_SECOND)))
        body = with_bone_lengths(load_body())
        shape = (
            torch.as_tensor(labels["betas"]),
            *(torch.as_tensor(labels[n][chosen]) for n in ("poses", "transl")),
        )
        with torch.no_grad():
            vertices = body(*shape).vertices.numpy()
        normals = np.stack([vertex_normals(points, body.faces) for points in vertices]).astype(np.float32)
        surface = rr.Mesh3D.from_fields(triangle_indices=body.faces, albedo_factor=_SKIN_RGBA)
        self.recording.log("world/body", surface, static=True)
        flat = vertices.reshape(-1, 3), normals.reshape(-1, 3)
        moving = rr.Mesh3D.columns(vertex_positions=flat[0], vertex_normals=flat[1])
        self._send("world/body", moving.partition([vertices.shape[1]] * len(chosen)), chosen)

    def log_camera(self, v: int, view: str) -> None:
        """Where a camera stands and looks; of a crop, whose lens follows the person, in every frame."""
        camera, path = self.clip.cameras[view], f"world/{view}"
        T_world_cam = camera.T_world_cam
        stand = rr.Transform3D(translation=T_world_cam[:3, 3], mat3x3=T_world_cam[:3, :3])
        self.recording.log(path, stand, static=True)
        size = self.dataset.crop_size
        if size is None:
            K, resolution = camera.K, (camera.width, camera.height)
            lens = rr.Pinhole(
                image_from_camera=K,
                resolution=resolution,
                camera_xyz=rr.ViewCoordinates.RDF,
                image_plane_distance=_PICTURE_DISTANCE,
            )
            self.recording.log(path, lens, static=True)
            return
        crops = self.clip.labels["crops"][v].astype(float)
        K = np.stack([camera.cropped(left, top, side, size).K for left, top, side in crops.tolist()])
        resolutions = np.full((len(K), 2), size)
        fixed = rr.Pinhole.from_fields(
            camera_xyz=rr.ViewCoordinates.RDF, image_plane_distance=_PICTURE_DISTANCE
        )
        self.recording.log(path, fixed, static=True)
        self._send(path, rr.Pinhole.columns(image_from_camera=K, resolution=resolutions))

    def log_video(self, view: str) -> None:
        """A view's pictures as the MP4 they are in."""
        video, path = rr.AssetVideo(path=self.clip.video(view)), f"world/{view}/picture"
        self.recording.log(path, video, static=True)
        stamps = video.read_frame_timestamps_nanos()[: self.clip.num_frames]
        self._send(path, rr.VideoFrameReference.columns_nanos(stamps), np.arange(len(stamps)))

    def log_pictures(self, view: str) -> None:
        """A view's pictures one by one."""
        blobs = [
            cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
            for frame in read_frames(self.clip.video(view))
        ]
        pictures = rr.EncodedImage.columns(blob=blobs, media_type=["image/jpeg"] * len(blobs))
        self._send(f"world/{view}/picture", pictures, np.arange(len(blobs)))

    def log_keypoints(self, v: int, view: str) -> None:
        """The projected bones over a view's pictures, px."""
        keypoints = self.clip.video_keypoints(v, self.dataset.crop_size)
        strips, colors, counts = self._bones(keypoints)
        bones = rr.LineStrips2D.columns(strips=strips, colors=colors)
        self._send(f"world/{view}/skeleton", bones.partition(counts))

    def log_angles(self) -> None:
        """Joint angles, deg; right and left in the project's colours."""
        names: list[str] = self.dataset.info["coordinate_names"]
        angles = np.rad2deg(self.clip.labels["coordinates"].astype(float))
        for plot, coordinates in PLOTS.items():
            for shade, coordinate in zip(_BRIGHTNESS, coordinates, strict=False):
                for name in (n for n in (coordinate, f"{coordinate}_r", f"{coordinate}_l") if n in names):
                    path = f"angles/{plot}/{name}"
                    style = rr.SeriesLines(colors=[_shaded(name, shade)], names=[name])
                    self.recording.log(path, style, static=True)
                    self._send(path, rr.Scalars.columns(scalars=angles[:, names.index(name)]))

    def _bones(self, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[int]]:
        """Bones between joints (T, J, D), frame by frame: ends (B, 2, D), colours (B, 3), how many a frame;
        one that is not known, as behind a camera, is left out."""
        index = {name: j for j, name in enumerate(self.dataset.info["joint_names"])}
        known = [(a, b) for a, b in SKELETON_BONES if a in index and b in index]
        pairs = np.array([(index[a], index[b]) for a, b in known])
        strips = joints[:, pairs]
        colors = np.array([SIDE_COLORS_RGB[side_of(end)] for _, end in known], np.uint8)
        is_known = np.isfinite(strips).all(axis=(2, 3))
        every_frame = np.broadcast_to(colors, (len(joints), *colors.shape))
        return strips[is_known], every_frame[is_known], is_known.sum(axis=1).tolist()

    def _send(self, path: str, columns: Any, frames: np.ndarray | None = None) -> None:
        """Columns of one row a frame, for all frames or for those numbered."""
        time = self.clip.labels["time"]
        chosen = np.arange(len(time)) if frames is None else frames
        indexes = [rr.TimeColumn("time", duration=time[chosen]), rr.TimeColumn("frame", sequence=chosen)]
        self.recording.send_columns(path, indexes, columns)


def _shaded(name: str, brightness: float) -> tuple[int, ...]:
    side = side_of(name)
    rgb = _TRUNK_RGB if side == "middle" else SIDE_COLORS_RGB[side]
    return tuple(round(brightness * value) for value in rgb)


def _layout(views: Sequence[str], joints: np.ndarray) -> rrb.Blueprint:
    """Videos and 3D above, curves below; joints (J, 3), world, m, of the first frame are looked at."""
    middle = joints.mean(axis=0)
    eye = rrb.EyeControls3D(position=middle + _EYE, look_target=middle, eye_up=(0.0, 0.0, 1.0))
    videos = [rrb.Spatial2DView(origin=f"world/{view}", name=view) for view in views]
    scene = rrb.Spatial3DView(origin="world", name="skeleton and body", eye_controls=eye)
    plots = [
        rrb.TimeSeriesView(origin=f"angles/{plot}", name=f"{plot.replace('_', ' ')} (deg)") for plot in PLOTS
    ]
    pictures = rrb.Grid(*videos, scene) if len(views) > 3 else rrb.Horizontal(*videos, scene)
    return rrb.Blueprint(
        rrb.Vertical(pictures, rrb.Horizontal(*plots), row_shares=[3, 2]),
        rrb.TimePanel(timeline="time", state="collapsed"),
        collapse_panels=True,
    )
