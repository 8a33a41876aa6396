"""A good dataset passes; each kind of damage is found by the check that is there for it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odah.config import GenerateConfig
from odah.dataset.reader import Clip, Dataset, in_crops, open_dataset, read_labels
from odah.dataset.schema import file_hash
from odah.dataset.validate import (
    Context,
    Failure,
    audit_clip,
    audit_dataset,
    check_sides,
    inside_mask,
    project,
)
from odah.dataset.writer import start_dataset
from odah.errors import InputError, OdahError
from odah.osim import full_body_model
from odah.scene import Camera, look_at
from odah.scene.time_effects import points_as_seen_by


def edit_labels(folder: Path, change: Callable[[dict[str, np.ndarray]], None]) -> None:
    """Change labels and renew their hash, so that only the deeper checks can notice."""
    labels = read_labels(folder / "labels.npz")
    change(labels)
    np.savez_compressed(folder / "labels.npz", **labels)
    renew_hash(folder, "labels.npz")


def renew_hash(folder: Path, name: str) -> None:
    record = json.loads((folder / "clip.json").read_text())
    record["sha256"][name] = file_hash(folder / name)
    (folder / "clip.json").write_text(json.dumps(record))


@pytest.fixture
def damaged(tiny_dataset: Dataset, tmp_path: Path) -> Dataset:
    """A copy to break."""
    copy = tmp_path / "copy"
    shutil.copytree(tiny_dataset.paths.root, copy)
    return open_dataset(copy)


@pytest.mark.blender
def test_what_the_chain_makes_is_valid(tiny_dataset: Dataset) -> None:
    audits = audit_dataset(tiny_dataset, lambda clips: clips)
    assert len(audits) == 2
    assert {audit.clip_id: audit.failures for audit in audits if not audit.is_valid} == {}


def shift_joint(labels: dict[str, np.ndarray]) -> None:
    labels["joints"][1, 2, 0] += 0.001


def swap_hips(labels: dict[str, np.ndarray]) -> None:
    labels["keypoints"][0] = labels["keypoints"][0][:, ::-1]


def stop_time(labels: dict[str, np.ndarray]) -> None:
    labels["time"][2] = labels["time"][1]


def overextend_knee(labels: dict[str, np.ndarray]) -> None:
    labels["coordinates"][:, 9] = -0.5


def poison(labels: dict[str, np.ndarray]) -> None:
    labels["markers"][0, 0, 0] = np.nan


def flip_sides(labels: dict[str, np.ndarray]) -> None:
    width = 2 * labels["K"][0, 0, 2]
    labels["keypoints"][0, ..., 0] = width - labels["keypoints"][0, ..., 0]


@pytest.mark.blender
@pytest.mark.parametrize(
    ("change", "check"),
    [
        (shift_joint, "opensim"),
        (swap_hips, "reprojection"),
        (stop_time, "labels"),
        (overextend_knee, "ranges"),
        (poison, "labels"),
        (flip_sides, "sides"),
    ],
)
def test_wrong_labels_are_found(
    damaged: Dataset, change: Callable[[dict[str, np.ndarray]], None], check: str
) -> None:
    clip = damaged.clips[0]
    edit_labels(clip.folder, change)
    assert check in audit_clip(clip, damaged).failures


@pytest.mark.blender
def test_missing_changed_and_foreign_files_are_found(damaged: Dataset) -> None:
    first, second = damaged.clips
    (first.folder / "front.mp4").unlink()
    shutil.copy(second.folder / "front_mask.mkv", second.folder / "side_mask.mkv")
    assert "front.mp4 is missing" in audit_clip(first, damaged).failures["files"]
    failures = audit_clip(second, damaged).failures
    assert "side_mask.mkv has changed" in failures["files"]


@pytest.mark.blender
def test_masks_of_another_clip_are_found(damaged: Dataset) -> None:
    clip = damaged.clips[0]
    shutil.copy(clip.folder / "front_mask.mkv", clip.folder / "side_mask.mkv")
    renew_hash(clip.folder, "side_mask.mkv")
    assert "side" in audit_clip(clip, damaged).failures["masks"]


@pytest.mark.blender
def test_truncated_labels_do_not_stop_the_audit(damaged: Dataset) -> None:
    path = damaged.clips[0].folder / "labels.npz"
    path.write_bytes(path.read_bytes()[:200])
    failures = audit_clip(damaged.clips[0], damaged).failures
    assert "labels.npz has changed" in failures["files"]
    assert "no readable arrays" in failures["labels"]


@pytest.mark.blender
def test_a_budget_without_a_number_is_found(damaged: Dataset) -> None:
    clip = damaged.clips[0]
    del clip.record["error_budget"]["sliding_excess_mm"]
    assert audit_clip(clip, damaged).failures == {"budget": "error_budget: no number sliding_excess_mm"}


def test_a_folder_that_is_no_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"without dataset\.json"):
        open_dataset(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        open_dataset(tmp_path / "none")
    (tmp_path / "dataset.json").write_text('{"schema_version": 99}')
    with pytest.raises(InputError, match="found 99, expected 4"):
        open_dataset(tmp_path)
    (tmp_path / "dataset.json").write_text("[")
    with pytest.raises(InputError, match="no valid dataset description"):
        open_dataset(tmp_path)


def test_an_empty_dataset_is_not_valid(tmp_path: Path, tiny_config: GenerateConfig) -> None:
    start_dataset(tmp_path, tiny_config, full_body_model())
    with pytest.raises(OdahError, match="no finished clip"):
        audit_dataset(open_dataset(tmp_path), lambda clips: clips)


def test_a_joint_is_inside_by_its_nearest_pixel_or_the_next() -> None:
    masks = np.zeros((2, 4, 6), bool)
    masks[:, 1, 2] = True
    keypoints = np.array([[[2.3, 1.2], [5, 3], [3.4, 2.4]], [[1.6, 0.6], [np.nan, np.nan], [3.6, 1]]])
    assert inside_mask(masks, keypoints).tolist() == [[True, False, True], [True, False, False]]


def test_projection_of_a_known_point_without_and_with_a_lens() -> None:
    K = np.array([[100.0, 0, 50], [0, 100, 40], [0, 0, 1]])
    T = np.eye(4)
    T[:3, 3] = [0, 0, 2]
    point = np.array([[0.5, -0.25, 0.0]])
    np.testing.assert_allclose(project(K, np.zeros(5), T, point), [[75.0, 27.5]])
    squared = 0.25**2 + 0.125**2
    bent = 1 - 0.2 * squared
    np.testing.assert_allclose(
        project(K, np.array([-0.2, 0, 0, 0, 0]), T, point), [[50 + 25 * bent, 40 - 12.5 * bent]]
    )


@given(left=st.floats(-50, 200), top=st.floats(-50, 200), side=st.floats(10, 400), size=st.integers(32, 256))
def test_crops_keep_corners_and_middle(left: float, top: float, side: float, size: int) -> None:
    crops = np.array([[left, top, side]])
    corners = np.array([[[left - 0.5, top - 0.5], [left + side - 0.5, top + side - 0.5]]])
    np.testing.assert_allclose(in_crops(corners, crops, size)[0], [[-0.5] * 2, [size - 0.5] * 2], atol=1e-9)


def test_sides_are_checked_at_the_time_a_late_camera_shows() -> None:
    """Someone turns round; a camera that is two frames late still sees the back when the labels face it."""
    turn = np.deg2rad([0.0, 0.0, 0.0, 180.0, 180.0, 180.0])
    left = 0.1 * np.stack([np.cos(turn), np.sin(turn), np.zeros(6)], axis=-1)
    joints = np.stack([left, -left], axis=1)
    camera = replace(Camera.from_lens("late", look_at([0, -3, 0], [0, 0, 0]), 640, 480), frame_offset=2)
    labels = {
        "joints": joints,
        "T_world_ground": np.eye(4),
        "T_cam_world": camera.T_cam_world[None],
        "keypoints": camera.project(points_as_seen_by(joints, camera, 30.0))[None],
        "is_in_picture": np.ones((1, 6, 2), bool),
    }
    record = {
        "scene": {"cameras": [camera.to_dict()]}, "rate": 30.0, "error_budget": {"mesh_joint_mean_mm": 1.0},
    }  # fmt: skip
    dataset = SimpleNamespace(info={"joint_names": ["hip_l", "hip_r"]}, views=("late",))

    def check() -> None:
        check_sides(
            Context(cast(Clip, SimpleNamespace(labels=labels, record=record)), cast(Dataset, dataset))
        )

    check()
    labels["keypoints"] = labels["keypoints"][:, :, ::-1]
    with pytest.raises(Failure, match="late: left and right are swapped in 6 frames"):
        check()
