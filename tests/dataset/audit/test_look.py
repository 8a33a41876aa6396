"""What single pictures and points tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from odah.dataset.audit.camera_checks import check_sides, project
from odah.dataset.audit.containers import read_chosen, read_container
from odah.dataset.audit.context import Context, Failure
from odah.dataset.audit.look import inside_mask
from odah.dataset.audit.motion_in_pictures import watch
from odah.errors import InputError
from odah.render.video import VideoWriter
from odah.scene import Camera, look_at
from odah.scene.time_effects import points_as_seen_by


def write(path: Path, codec: str, frames: list[np.ndarray], rate: float = 30) -> Path:
    height, width = frames[0].shape[:2]
    with VideoWriter(path, codec, (width, height), rate) as writer:
        for frame in frames:
            writer.write(frame)
    return path


def test_a_joint_is_inside_by_its_nearest_pixel_or_the_next() -> None:
    mask = np.zeros((4, 6), bool)
    mask[1, 2] = True
    assert inside_mask(mask, np.array([[2.3, 1.2], [5, 3], [3.4, 2.4]])).tolist() == [True, False, True]
    assert inside_mask(mask, np.array([[1.6, 0.6], [np.nan, np.nan], [3.6, 1]])).tolist() == [
        True,
        False,
        False,
    ]


def test_projection_of_a_known_point_without_and_with_a_lens() -> None:
    K = np.array([[100.0, 0, 50], [0, 100, 40], [0, 0, 1]])
    T = np.eye(4)
    T[:3, 3] = [0, 0, 2]
    point = np.array([[0.5, -0.25, 0.0]])
    np.testing.assert_allclose(project(K, np.zeros(5), T, point), [[75.0, 27.5]])
    bent = 1 - 0.2 * (0.25**2 + 0.125**2)
    np.testing.assert_allclose(
        project(K, np.array([-0.2, 0, 0, 0, 0]), T, point), [[50 + 25 * bent, 40 - 12.5 * bent]]
    )


@pytest.mark.parametrize(("codec", "name", "tolerance"), [("libx264", "h264", 1e-4), ("ffv1", "ffv1", 1e-3)])
@pytest.mark.parametrize("rate", [24.0, 30000 / 1001, 59.94])
def test_a_container_tells_its_frames_without_decoding_them(
    tmp_path: Path, codec: str, name: str, tolerance: float, rate: float
) -> None:
    shape = (36, 64, 3) if codec == "libx264" else (36, 64)
    frames = [np.full(shape, 9 * k, np.uint8) for k in range(25)]
    found = read_container(
        write(tmp_path / f"v{'.mp4' if codec == 'libx264' else '.mkv'}", codec, frames, rate)
    )
    assert (found.codec, found.size) == (name, (64, 36))
    np.testing.assert_allclose(found.times, np.arange(25) / rate, atol=tolerance)


def test_chosen_frames_are_those_and_missing_ones_are_told(tmp_path: Path) -> None:
    path = write(tmp_path / "v.mkv", "ffv1", [np.full((8, 8), 10 * k, np.uint8) for k in range(9)])
    assert [frame[0, 0] for frame in read_chosen(path, [0, 3, 8], "gray")] == [0, 30, 80]
    with pytest.raises(InputError, match="found 1 of 2 frames looked for"):
        list(read_chosen(path, [3, 9], "gray"))


def test_what_moves_is_where_the_masks_have_the_person(tmp_path: Path) -> None:
    """A light square wanders over the left of a large picture, its mask with it."""
    frames, masks = [], []
    for k in range(12):
        frame, mask = np.full((400, 1000, 3), 60, np.uint8), np.zeros((400, 1000), np.uint8)
        frame[100:200, 30 * k : 30 * k + 60] = 200
        mask[100:200, 30 * k : 30 * k + 60] = 255
        frames.append(frame)
        masks.append(mask)
    seen = watch(write(tmp_path / "v.mp4", "libx264", frames), 12)
    assert (seen.num_frames, len(seen.frames), seen.pictures.shape) == (12, 9, (9, 192, 480))
    count, share = seen.share_on(write(tmp_path / "m.mkv", "ffv1", masks))
    assert count > 3000
    assert share > 0.95
    other = write(tmp_path / "o.mkv", "ffv1", [np.ascontiguousarray(mask[:, ::-1]) for mask in masks])
    assert seen.share_on(other)[1] < 0.05
    assert watch(tmp_path / "v.mp4", 20).num_frames == 12


def check_of_sides(camera: Camera, joints: np.ndarray) -> tuple[Callable[[], None], dict[str, Any]]:
    """The check of (T, 2, 3) left and right hips as `camera` shows them, and its labels to break."""
    shape = (1, *joints.shape[:2])
    labels: dict[str, Any] = {
        "joints": joints,
        "T_world_ground": np.eye(4),
        "T_cam_world": camera.T_cam_world[None],
        "keypoints": camera.project(points_as_seen_by(joints, camera, 30.0))[None],
        "is_in_picture": np.ones(shape, bool),
        "part_at_joint": np.zeros(shape, np.uint8),
    }
    record = {"rate": 30.0, "error_budget": {"mesh_joint_mean_mm": 1.0}}
    info = {"joint_names": ["hip_l", "hip_r"], "body_parts": ["background"]}
    dataset: Any = SimpleNamespace(info=info, views=(camera.name,))

    def check() -> None:
        clip: Any = SimpleNamespace(labels=labels, record=record, cameras={camera.name: camera})
        check_sides(Context(cast(Any, clip), dataset))

    return check, labels


def test_sides_are_those_that_a_wide_lens_shows_far_from_the_middle_of_its_picture() -> None:
    """There one sees the side of those who nearly face the plane of the picture."""
    turn = np.deg2rad(np.arange(0.0, 360.0, 5.0))
    left = 0.1 * np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=-1)
    joints = np.stack([left, -left], axis=1) + np.array([-2.4, 0.0, 0.0])
    camera = Camera.from_lens("wide", look_at([0, -3, 0], [0, 0, 0]), 640, 480, 18.0)
    check, labels = check_of_sides(camera, joints)
    check()
    labels["keypoints"] = labels["keypoints"][:, :, ::-1]
    with pytest.raises(Failure, match=r"wide: labels\.npz: left and right are swapped in 48 frames"):
        check()


def test_sides_are_checked_at_the_time_a_late_camera_shows() -> None:
    """Someone turns round; a camera that is two frames late still sees the back when the labels face it."""
    turn = np.deg2rad([0.0, 0.0, 0.0, 180.0, 180.0, 180.0])
    left = 0.1 * np.stack([np.cos(turn), np.sin(turn), np.zeros(6)], axis=-1)
    camera = replace(Camera.from_lens("late", look_at([0, -3, 0], [0, 0, 0]), 640, 480), frame_offset=2)
    check, labels = check_of_sides(camera, np.stack([left, -left], axis=1))
    check()
    labels["keypoints"] = labels["keypoints"][:, :, ::-1]
    with pytest.raises(Failure, match=r"late: labels\.npz: left and right are swapped in 6 frames"):
        check()
