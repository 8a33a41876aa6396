"""Checks of cameras, and of joints as they see them."""

from __future__ import annotations

import cv2
import numpy as np

from odah.dataset.audit.context import Context, expect
from odah.scene.distortion import coefficients

KEYPOINT_TOLERANCE_PX = 0.05
_MATRIX_TOLERANCE = 1e-5
"""Relative, of float32."""
_MAX_MESH_ERROR_MM = 60.0
_CLEAR_COSINE = 0.5
_FEW_PAIRS = 20


def check_cameras(context: Context) -> None:
    """The labels' cameras are those of the scene record, and real ones: rigid, right-handed."""
    labels, clip = context.labels, context.clip
    for v, view in enumerate(context.dataset.views):
        for suffix, cameras in (("", clip.cameras), ("_calibrated", clip.calibrated_cameras)):
            camera = cameras[view]
            for key, stated in ((f"K{suffix}", camera.K), (f"T_cam_world{suffix}", camera.T_cam_world)):
                _check_same(view, key, labels[key][v], stated)
            R = labels[f"T_cam_world{suffix}"][v][:3, :3]
            expect(
                np.allclose(R @ R.T, np.eye(3), atol=1e-4) and np.linalg.det(R) > 0,
                f"{view}: labels.npz: T_cam_world{suffix} is not a rotation and a position",
            )
        stated = np.array(coefficients(clip.cameras[view].distortion))
        _check_same(view, "distortion", labels["distortion"][v], stated)


def _check_same(view: str, key: str, found: np.ndarray, stated: np.ndarray) -> None:
    expect(
        np.allclose(found, stated, rtol=_MATRIX_TOLERANCE, atol=_MATRIX_TOLERANCE),
        f"{view}: labels.npz: {key} is not that of clip.json's scene",
    )


def project(
    K: np.ndarray, distortion: np.ndarray, T_cam_points: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """Points (..., 3) to pixels (..., 2) by OpenCV: K (3, 3), distortion (5,), a pose (4, 4)."""
    rotvec, _ = cv2.Rodrigues(T_cam_points[:3, :3])
    pixels, _ = cv2.projectPoints(points.reshape(-1, 1, 3), rotvec, T_cam_points[:3, 3], K, distortion)
    return pixels.reshape(*points.shape[:-1], 2)


def check_reprojection(context: Context) -> None:
    """Keypoints are the projected joints; those before the camera have a pixel, those behind it none."""
    labels = context.labels
    for v, view in enumerate(context.dataset.views):
        joints, T = context.joints_seen[v], labels["T_cam_world"][v]
        pixels, keypoints = (
            project(labels["K"][v], labels["distortion"][v], T, joints),
            labels["keypoints"][v],
        )
        is_in, has_pixel = labels["is_in_picture"][v], np.isfinite(keypoints).all(axis=-1)
        expect(has_pixel[is_in].all(), f"{view}: labels.npz: keypoints in the picture are not finite")
        depth = joints @ T[2, :3] + T[2, 3]
        expect(not (has_pixel & (depth < -1e-3)).any(), f"{view}: labels.npz: keypoints of joints behind it")
        if not context.cameras[v].is_distorted:  # such a lens cannot see all that is before it
            expect(has_pixel[depth > 1e-3].all(), f"{view}: labels.npz: keypoints are not finite")
            is_in = is_in | (has_pixel & (np.abs(keypoints) < 1e4).all(axis=-1))
        error = np.where(is_in, np.abs(pixels - keypoints).max(axis=-1), 0.0)
        frame, joint = np.unravel_index(error.argmax(), error.shape)
        expect(
            error.max() <= KEYPOINT_TOLERANCE_PX,
            f"{view}: labels.npz: keypoints: {context.names('joint')[joint]} is {error.max():.2f} px "
            f"from the projected joint in frame {frame}",
        )


def left_to_image_right(context: Context, v: int) -> np.ndarray:
    """(T,) cosine between the pelvis' right-to-left axis and what is rightward for who looks at the hips from
    the v-th camera, which is not the picture's own axis far from its middle.

    Positive where the person's left is on the image's right, as for one who faces the camera.
    """
    T = context.labels["T_cam_world"][v]
    left, right = (
        context.joints_seen[v][:, context.names("joint").index(name)] @ T[:3, :3].T + T[:3, 3]
        for name in ("hip_l", "hip_r")
    )
    across, sight = left - right, (left + right)[:, [2, 0]] * [1, -1]
    length = np.linalg.norm(across, axis=1) * np.linalg.norm(sight, axis=1)
    return (across[:, [0, 2]] * sight).sum(axis=1) / length


def check_sides(context: Context) -> None:
    """Left is left: hips lie in the picture as the pelvis' turn demands, limbs are at joints of their own
    side, body and skeleton agree."""
    labels, names = context.labels, context.names("joint")
    left, right = names.index("hip_l"), names.index("hip_r")
    for v, view in enumerate(context.dataset.views):
        cosine = left_to_image_right(context, v)
        clear = (np.abs(cosine) > _CLEAR_COSINE) & labels["is_in_picture"][v][:, [left, right]].all(axis=1)
        offset = labels["keypoints"][v, :, left, 0] - labels["keypoints"][v, :, right, 0]
        swapped = np.sign(offset[clear]) != np.sign(cosine[clear])
        expect(not swapped.any(), f"{view}: labels.npz: left and right are swapped in {swapped.sum()} frames")
        own, other = _limbs_at_joints(labels["part_at_joint"][v], names, context.dataset.info["body_parts"])
        expect(
            own + other < _FEW_PAIRS or other <= 2 * own,
            f"{view}: labels.npz: part_at_joint has limbs of the other side at {other} "
            f"of {own + other} joints",
        )
    mean = context.clip.record["error_budget"]["mesh_joint_mean_mm"]
    expect(mean < _MAX_MESH_ERROR_MM, f"clip.json: error_budget: the mesh is {mean:.0f} mm off the skeleton")


def _limbs_at_joints(parts: np.ndarray, joint_names: list[str], part_names: list[str]) -> tuple[int, int]:
    """How often in (T, J) part numbers a limb of the joint's own side is there, and how often the other's."""
    side_of_part = np.zeros(256, int)
    for number, name in enumerate(part_names):
        side_of_part[number] = name.startswith("left_") - name.startswith("right_")
    side_of_joint = np.array([name.endswith("_l") * 1 - name.endswith("_r") * 1 for name in joint_names])
    agreement = side_of_part[parts] * side_of_joint
    return int((agreement > 0).sum()), int((agreement < 0).sum())
