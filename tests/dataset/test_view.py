"""What is recorded for the viewer, read back from the file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("rerun", reason="the viewer's extra is not installed")

import rerun as rr

from odah.cli import app
from odah.dataset.reader import Dataset
from odah.dataset.view import record_clip
from odah.errors import InputError

pytestmark = pytest.mark.blender


def columns(path: Path, entity: str, component: str) -> dict[int, np.ndarray]:
    """Frame number to the values that a component of an entity has; -1 where they hold for all frames."""
    found: dict[int, np.ndarray] = {}
    for chunk in rr.chunk.RrdReader(path).stream():
        if str(chunk.entity_path) != entity:
            continue
        batch = chunk.to_record_batch()
        for name in (n for n in batch.schema.names if n.endswith(component)):
            frames = [-1] if chunk.is_static else batch.column("frame").to_pylist()
            for frame, values in zip(frames, batch.column(name), strict=True):
                found[frame] = np.array(values.as_py())
    return found


@pytest.fixture(scope="module")
def saved(tiny_dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("view") / "clip.rrd"
    clip = tiny_dataset.clips[0].clip_id
    arguments = ["view", str(tiny_dataset.paths.root), clip, "--save", str(path), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"clip": clip, "file": str(path)}
    return path


def test_a_dataset_without_clips_is_told_in_a_sentence(tiny_dataset: Dataset, tmp_path: Path) -> None:
    shutil.copy(tiny_dataset.paths.info, tmp_path)
    result = CliRunner().invoke(app, ["view", str(tmp_path), "--save", str(tmp_path / "clip.rrd")])
    assert result.exit_code != 0
    assert isinstance(result.exception, InputError)
    assert "no finished clip" in str(result.exception)


def test_bones_are_where_the_joints_are(saved: Path, tiny_dataset: Dataset) -> None:
    clip = tiny_dataset.clips[0]
    T = clip.labels["T_world_ground"]
    names = tiny_dataset.info["joint_names"]
    found = columns(saved, "/world/skeleton", "LineStrips3D:strips")
    colors = columns(saved, "/world/skeleton", "LineStrips3D:colors")
    assert sorted(found) == list(range(clip.num_frames))
    right, left = 0xFF8C00FF, 0x2896FFFF
    for frame, strips in found.items():
        joints = clip.labels["joints"][frame] @ T[:3, :3].T + T[:3, 3]
        ends = strips.reshape(-1, 3)
        for name, color in (("walker_knee_r", right), ("walker_knee_l", left)):
            knee = joints[names.index(name)]
            assert np.linalg.norm(ends - knee, axis=1).min() < 1e-5
            bone = np.flatnonzero(np.linalg.norm(strips[:, 1] - knee, axis=1) < 1e-5)
            assert (colors[frame][bone] == color).all()


@pytest.mark.parametrize(("v", "view"), [(0, "front"), (1, "side")])
def test_keypoints_lie_over_their_own_video(saved: Path, tiny_dataset: Dataset, v: int, view: str) -> None:
    clip = tiny_dataset.clips[0]
    strips = columns(saved, f"/world/{view}/skeleton", "LineStrips2D:strips")[1]
    wrist = clip.labels["keypoints"][v, 1, tiny_dataset.info["joint_names"].index("radius_hand_r")]
    assert np.linalg.norm(strips.reshape(-1, 2) - wrist, axis=1).min() < 1e-3
    assert len(columns(saved, f"/world/{view}/picture", "VideoFrameReference:timestamp")) == clip.num_frames
    assert columns(saved, f"/world/{view}/picture", "AssetVideo:blob")[-1].size > 1000


def test_angles_are_in_degrees(saved: Path, tiny_dataset: Dataset) -> None:
    clip = tiny_dataset.clips[0]
    for name, plot in (
        ("elbow_flex_r", "elbow_and_wrist"),
        ("hip_flexion_l", "hip"),
        ("lumbar_bending", "trunk"),
    ):
        column = tiny_dataset.info["coordinate_names"].index(name)
        found = columns(saved, f"/angles/{plot}/{name}", "Scalars:scalars")
        shown = [float(found[frame][0]) for frame in range(clip.num_frames)]
        np.testing.assert_allclose(shown, np.rad2deg(clip.labels["coordinates"][:, column]), atol=1e-4)


def test_the_body_stands_on_the_floor(saved: Path) -> None:
    vertices = columns(saved, "/world/body", "Mesh3D:vertex_positions")[0]
    assert vertices[:, 2].min() == pytest.approx(0, abs=0.03)
    assert 1.4 < np.ptp(vertices[:, 2]) < 2.2


def test_pictures_and_no_body_where_asked(tiny_dataset: Dataset, tmp_path: Path) -> None:
    path, clip = tmp_path / "clip.rrd", tiny_dataset.clips[1]
    recording = rr.RecordingStream("odah")
    recording.save(path)
    record_clip(tiny_dataset, clip, recording, with_body=False, as_jpeg=True)
    recording.disconnect()
    pictures = columns(path, "/world/side/picture", "EncodedImage:blob")
    assert len(pictures) == clip.num_frames
    assert bytes(pictures[0].ravel()[:2].astype(np.uint8)) == b"\xff\xd8"
    assert not columns(path, "/world/body", "Mesh3D:vertex_positions")


def test_a_clip_that_is_not_there_is_told(tiny_dataset: Dataset, tmp_path: Path) -> None:
    arguments = ["view", str(tiny_dataset.paths.root), "nobody", "--save", str(tmp_path / "x.rrd")]
    result = CliRunner().invoke(app, arguments)
    assert "no clip 'nobody'" in str(result.exception)
    assert not list(tmp_path.iterdir())
