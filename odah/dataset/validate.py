"""The audit: every clip against its own files, against OpenSim, and against its pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from odah.dataset.reader import Clip, Dataset
from odah.dataset.schema import BUDGET_KEYS, CLIP_FILES, VIEWS, file_hash
from odah.errors import OdahError
from odah.names import OPENSIM_COORDINATES
from odah.osim.reference import joints_with_opensim
from odah.render.video import read_frames, read_masks

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
    for name in CLIP_FILES:
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
        expect(np.isfinite(array).all(), f"labels.npz: {name} is not finite")
    steps = np.diff(labels["time"])
    rate = context.clip.record["rate"]
    expect((steps > 0).all(), "labels.npz: time does not rise")
    expect(np.allclose(steps, 1 / rate, atol=1e-6), f"labels.npz: time steps differ from 1/{rate} s")
    expect((labels["scale_factors"] > 0).all(), "labels.npz: a scale factor is not positive")


def check_frame_counts(context: Context) -> None:
    """Videos and masks have one frame a label."""
    frames = len(context.clip.labels["time"])
    for name in (*(f"{view}.mp4" for view in VIEWS), *(f"{view}_mask.mkv" for view in VIEWS)):
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


def project(K: np.ndarray, T_cam_points: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (..., 3) to pixels (..., 2) by K (3, 3) and a pose (4, 4), apart from the labels' own code."""
    cam = points @ T_cam_points[:3, :3].T + T_cam_points[:3, 3]
    homogeneous = cam @ K.T
    return homogeneous[..., :2] / homogeneous[..., 2:]


def check_reprojection(context: Context) -> None:
    """Keypoints are the projected joints."""
    labels = context.clip.labels
    for v, view in enumerate(VIEWS):
        T_cam_ground = labels["T_cam_world"][v].astype(float) @ labels["T_world_ground"].astype(float)
        pixels = project(labels["K"][v].astype(float), T_cam_ground, labels["joints"].astype(float))
        error = np.abs(pixels - labels["keypoints"][v]).max()
        expect(
            error <= KEYPOINT_TOLERANCE_PX, f"{view}: keypoints are {error:.2f} px from the projected joints"
        )


def inside_mask_share(masks: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """Share of frames in which each joint's pixel is inside the mask: (T, H, W) and (T, J, 2) px -> (J,)."""
    height, width = masks.shape[1:]
    column = np.clip(np.rint(keypoints[..., 0]).astype(int), 0, width - 1)
    row = np.clip(np.rint(keypoints[..., 1]).astype(int), 0, height - 1)
    return masks[np.arange(len(masks))[:, None], row, column].mean(axis=0)


def check_masks(context: Context) -> None:
    """Projected joints fall inside the person mask in at least 99 % of frame-joint pairs."""
    names = context.names("joint")
    for v, view in enumerate(VIEWS):
        masks = read_masks(context.clip.mask(view))
        share = inside_mask_share(masks, context.clip.labels["keypoints"][v])
        worst = names[int(share.argmin())]
        expect(
            share.mean() >= MIN_INSIDE_MASK,
            f"{view}: only {share.mean():.1%} of joints fall inside the mask ({worst} {share.min():.1%})",
        )


def left_to_image_right(labels: dict[str, np.ndarray], view: int, names: list[str]) -> np.ndarray:
    """(T,) cosine between the pelvis' right-to-left axis and the image's rightward axis.

    Positive where the person's left is on the image's right, as for one who faces the camera.
    """
    left, right = names.index("hip_l"), names.index("hip_r")
    across = labels["joints"][:, left] - labels["joints"][:, right]
    R_cam_ground = labels["T_cam_world"][view][:3, :3] @ labels["T_world_ground"][:3, :3]
    across_cam = across @ R_cam_ground.T
    return across_cam[:, 0] / np.linalg.norm(across_cam, axis=1)


def check_sides(context: Context) -> None:
    """Left is left: the hips lie in the picture as the pelvis' turn demands, and body and skeleton agree."""
    labels, names = context.clip.labels, context.names("joint")
    left, right = names.index("hip_l"), names.index("hip_r")
    for v, view in enumerate(VIEWS):
        cosine = left_to_image_right(labels, v, names)
        clear = np.abs(cosine) > 0.5
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
