"""The audit: every clip against its own files, against OpenSim, and against its pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from odah.dataset.reader import Clip, Dataset
from odah.dataset.schema import BUDGET_KEYS, MAY_BE_NAN, clip_files, file_hash, video_files
from odah.errors import OdahError
from odah.names import OPENSIM_COORDINATES
from odah.osim.reference import joints_with_opensim
from odah.render.parts import OCCLUDED
from odah.render.video import read_frames, read_masks
from odah.scene import Camera
from odah.scene.time_effects import points_as_seen_by

FK_TOLERANCE = 1e-4
"""m; labels are float32."""
KEYPOINT_TOLERANCE_PX = 0.05
MIN_INSIDE_MASK = 0.99
MAX_RANGE_EXCESS = 1e-3
"""rad beyond a coordinate's range; float32 rounding is 1e-7."""


class Failure(Exception):
    """A check that a clip does not pass, in one sentence."""


def expect(condition: object, sentence: str) -> None:
    """Raise Failure unless `condition` holds."""
    if not condition:
        raise Failure(sentence)


@dataclass(frozen=True)
class Context:
    """What a check may look at."""

    clip: Clip
    dataset: Dataset

    def names(self, kind: str) -> list[str]:
        return self.dataset.info[f"{kind}_names"]


def check_files(context: Context) -> None:
    """Every file is there and is byte for byte the one that was written."""
    hashes: dict[str, str] = context.clip.record["sha256"]
    for name in clip_files(context.dataset.info):
        path = context.clip.folder / name
        expect(path.is_file(), f"{name} is missing")
        expect(name in hashes, f"{name} has no hash in clip.json")
        expect(file_hash(path) == hashes[name], f"{name} has changed since it was written")


def check_labels(context: Context) -> None:
    """Shapes agree with each other and with the names; all finite; time rises at the stated rate."""
    labels = context.clip.labels
    for kind, axis in (
        ("coordinate", "coordinates"),
        ("joint", "joints"),
        ("body", "body_coms"),
        ("marker", "markers"),
    ):
        found, stated = labels[axis].shape[1], len(context.names(kind))
        expect(found == stated, f"labels.npz: {axis} has {found} columns, dataset.json names {stated}")
    for name, array in labels.items():
        expect(name in MAY_BE_NAN or np.isfinite(array).all(), f"labels.npz: {name} is not finite")
    seen = labels["keypoints"][labels["is_in_picture"]]
    expect(np.isfinite(seen).all(), "labels.npz: keypoints in the picture are not finite")
    expect(
        not (labels["is_visible"] & ~labels["is_in_picture"]).any(),
        "labels.npz: a joint is visible outside the picture",
    )
    steps = np.diff(labels["time"])
    rate = context.clip.record["rate"]
    expect((steps > 0).all(), "labels.npz: time does not rise")
    expect(np.allclose(steps, 1 / rate, atol=1e-6), f"labels.npz: time steps differ from 1/{rate} s")
    expect((labels["scale_factors"] > 0).all(), "labels.npz: a scale factor is not positive")


def check_frame_counts(context: Context) -> None:
    """Videos and masks have one frame a label."""
    frames = len(context.clip.labels["time"])
    for name in video_files(context.dataset.info):
        found = sum(1 for _ in read_frames(context.clip.folder / name, "gray"))
        expect(found == frames, f"{name} has {found} frames, labels.npz {frames}")


def check_opensim(context: Context) -> None:
    """OpenSim itself, reading the written model and motion, puts the joints where the labels say."""
    model = context.dataset.paths.subject(context.clip.record["subject"]) / "model.osim"
    joints = joints_with_opensim(model, context.clip.folder / "kinematics.mot", context.names("joint"))
    error = np.linalg.norm(joints - context.clip.labels["joints"], axis=-1)
    frame, joint = np.unravel_index(error.argmax(), error.shape)
    expect(
        error.max() <= FK_TOLERANCE,
        f"joint {context.names('joint')[joint]} is {error.max():.2e} m from OpenSim's in frame {frame}",
    )


def project(
    K: np.ndarray, distortion: np.ndarray, T_cam_points: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """Points (..., 3) to pixels (..., 2) by OpenCV: K (3, 3), distortion (5,), a pose (4, 4)."""
    rotvec, _ = cv2.Rodrigues(T_cam_points[:3, :3])
    pixels, _ = cv2.projectPoints(points.reshape(-1, 1, 3), rotvec, T_cam_points[:3, 3], K, distortion)
    return pixels.reshape(*points.shape[:-1], 2)


def joints_seen_by(context: Context, v: int) -> np.ndarray:
    """(T, J, 3) joints in ground when the v-th camera sees them: late, or row by row, if it is such a one."""
    camera = Camera.from_dict(context.clip.record["scene"]["cameras"][v])
    joints, rate = context.clip.labels["joints"].astype(float), context.clip.record["rate"]
    T = context.clip.labels["T_world_ground"].astype(float)
    world = points_as_seen_by(joints @ T[:3, :3].T + T[:3, 3], camera, rate)
    return (world - T[:3, 3]) @ T[:3, :3]


def check_reprojection(context: Context) -> None:
    """Keypoints are the projected joints."""
    labels = {name: array.astype(float) for name, array in context.clip.labels.items()}
    for v, view in enumerate(context.dataset.views):
        T_cam_ground = labels["T_cam_world"][v] @ labels["T_world_ground"]
        joints = joints_seen_by(context, v)
        pixels = project(labels["K"][v], labels["distortion"][v], T_cam_ground, joints)
        seen = context.clip.labels["is_in_picture"][v]
        error = np.abs(pixels - labels["keypoints"][v])[seen].max(initial=0.0)
        expect(
            error <= KEYPOINT_TOLERANCE_PX, f"{view}: keypoints are {error:.2f} px from the projected joints"
        )


def check_masks(context: Context) -> None:
    """Projected joints fall inside the person mask in at least 99 % of frame-joint pairs."""
    names = np.array(context.names("joint"))
    for v, view in enumerate(context.dataset.views):
        masks = read_masks(context.clip.picture(view, "mask"))
        keypoints = context.clip.video_keypoints(v, context.dataset.crop_size)
        counts = context.clip.labels["is_in_picture"][v] & ~hidden_by_furniture(context.clip, v)
        inside = inside_mask(masks, keypoints)
        share = np.mean(inside, where=counts) if counts.any() else 1.0
        missed = (counts & ~inside).sum(axis=0)
        expect(
            share >= MIN_INSIDE_MASK,
            f"{view}: only {share:.1%} of joints fall inside the mask "
            f"({names[missed.argmax()]} misses it in {missed.max()} frames)",
        )


def hidden_by_furniture(clip: Clip, v: int) -> np.ndarray:
    """(T, J) whether something of the room stands before a joint's place in the v-th view."""
    return clip.labels["part_at_joint"][v] == OCCLUDED


def inside_mask(masks: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """(T, J) whether each joint is inside the mask, or a pixel off: (T, H, W) and (T, J, 2) px.

    Where bone lies right under the skin, as at the heel, the pixel of a small picture may be the next one.
    """
    wide = np.stack([cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0 for mask in masks])
    height, width = masks.shape[1:]
    pixels = np.rint(np.nan_to_num(keypoints, nan=-1.0)).astype(int)
    column, row = np.clip(pixels[..., 0], 0, width - 1), np.clip(pixels[..., 1], 0, height - 1)
    return wide[np.arange(len(masks))[:, None], row, column]


def left_to_image_right(context: Context, v: int) -> np.ndarray:
    """(T,) cosine between the pelvis' right-to-left axis and the v-th picture's rightward axis.

    Positive where the person's left is on the image's right, as for one who faces the camera.
    """
    labels, joints = context.clip.labels, joints_seen_by(context, v)
    left, right = (context.names("joint").index(name) for name in ("hip_l", "hip_r"))
    across = joints[:, left] - joints[:, right]
    R_cam_ground = labels["T_cam_world"][v][:3, :3] @ labels["T_world_ground"][:3, :3]
    across_cam = across @ R_cam_ground.T
    return across_cam[:, 0] / np.linalg.norm(across_cam, axis=1)


def check_sides(context: Context) -> None:
    """Left is left: the hips lie in the picture as the pelvis' turn demands, and body and skeleton agree."""
    labels, names = context.clip.labels, context.names("joint")
    left, right = names.index("hip_l"), names.index("hip_r")
    for v, view in enumerate(context.dataset.views):
        cosine = left_to_image_right(context, v)
        clear = (np.abs(cosine) > 0.5) & labels["is_in_picture"][v][:, [left, right]].all(axis=1)
        offset = labels["keypoints"][v, :, left, 0] - labels["keypoints"][v, :, right, 0]
        swapped = np.sign(offset[clear]) != np.sign(cosine[clear])
        expect(not swapped.any(), f"{view}: left and right are swapped in {swapped.sum()} frames")
    residuals = context.clip.record["error_budget"]
    expect(residuals["mesh_joint_mean_mm"] < 60.0, "the mesh is not on the skeleton: sides may be swapped")


def check_ranges(context: Context) -> None:
    """Coordinates within the model's ranges; the free root is not limited."""
    values = context.clip.labels["coordinates"]
    names = context.names("coordinate")
    for c, (name, (low, high)) in enumerate(
        zip(names, context.dataset.info["coordinate_ranges"], strict=True)
    ):
        if name in OPENSIM_COORDINATES[:6]:
            continue
        excess = max(low - values[:, c].min(), values[:, c].max() - high)
        expect(excess <= MAX_RANGE_EXCESS, f"{name} is {np.rad2deg(excess):.2f} deg beyond its range")


def check_budget(context: Context) -> None:
    """The error budget has every number that the schema asks for."""
    budget = context.clip.record["error_budget"]
    for name in BUDGET_KEYS:
        value = budget.get(name)
        expect(isinstance(value, int | float) and np.isfinite(value), f"error_budget: no number {name}")


CHECKS: dict[str, Callable[[Context], None]] = {
    "files": check_files,
    "labels": check_labels,
    "frames": check_frame_counts,
    "opensim": check_opensim,
    "reprojection": check_reprojection,
    "masks": check_masks,
    "sides": check_sides,
    "ranges": check_ranges,
    "budget": check_budget,
}


@dataclass(frozen=True)
class ClipAudit:
    """The failures of one clip, by check."""

    clip_id: str
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        return not self.failures


def audit_clip(clip: Clip, dataset: Dataset) -> ClipAudit:
    """Run every check; one that fails does not stop the others."""
    failures: dict[str, str] = {}
    for name, check in CHECKS.items():
        try:
            check(Context(clip, dataset))
        except (Failure, OdahError) as failure:
            failures[name] = str(failure)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            failures[name] = f"clip.json or labels.npz does not have what the check needs ({error})"
    return ClipAudit(clip.clip_id, failures)


def audit_dataset(dataset: Dataset, progress: Callable[[Iterable[Clip]], Iterable[Clip]]) -> list[ClipAudit]:
    """Audit every clip.

    Raises:
        OdahError: there is no clip to audit.
    """
    if not dataset.clips:
        raise OdahError(f"{Path(dataset.paths.root)}: found no finished clip, expected at least one")
    return [audit_clip(clip, dataset) for clip in progress(dataset.clips)]
