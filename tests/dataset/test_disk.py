"""A disk that is full, read-only or gone is told from failures that concern one clip."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fake_clips import fake_clip

from odah.dataset.disk import disk_trouble
from odah.dataset.plan import ClipPlan
from odah.dataset.schema import DatasetPaths
from odah.dataset.writer import write_clip, write_labels
from odah.errors import OdahError
from odah.render.video import VideoWriter


@pytest.fixture
def paths(tmp_path: Path) -> DatasetPaths:
    paths = DatasetPaths(tmp_path / "d")
    paths.state.mkdir(parents=True)
    return paths


def caused_by(error: OSError) -> OdahError:
    try:
        raise OdahError("no readable picture") from error
    except OdahError as wrapped:
        return wrapped


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "no space", "/d/clip.json"), "/d/clip.json: the disk is full"),
        (OSError(errno.EROFS, "read-only"), ": the disk can only be read"),
        (caused_by(OSError(errno.ENOSPC, "no space", "/d/a.mp4")), "/d/a.mp4: the disk is full"),
        (OSError(errno.EIO, "a recording's bad sector", "/recordings/a.npz"), None),
        (FileNotFoundError(errno.ENOENT, "gone", "/recordings/a.npz"), None),
        (OdahError("the lamp fell over"), None),
        (None, None),
    ],
)
def test_what_concerns_the_disk(paths: DatasetPaths, error: BaseException | None, told: str | None) -> None:
    found = disk_trouble(paths, error)
    assert (found is None) if told is None else (found is not None and found.endswith(told))


def test_a_dataset_whose_folder_is_gone(paths: DatasetPaths) -> None:
    shutil.rmtree(paths.root)
    paths.root.mkdir()  # what is left of a mount
    assert str(disk_trouble(paths)).startswith(f"{paths.root}: the dataset's folder is gone")
    assert disk_trouble(paths, FileNotFoundError(errno.ENOENT, "gone")) is not None


def test_a_disk_that_does_not_answer(paths: DatasetPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bool:
        raise OSError(errno.ESTALE, "stale")

    monkeypatch.setattr(Path, "is_dir", fail)
    assert disk_trouble(paths) is not None


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[DatasetPaths]:
    """A dataset on a disk of 64 kB."""
    mount = tmp_path / "mount"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mount)]
    if (
        os.name == "nt"
        or os.getuid() != 0
        or subprocess.run(command, capture_output=True, check=False).returncode
    ):
        pytest.skip("may mount nothing")
    paths = DatasetPaths(mount / "d")
    paths.state.mkdir(parents=True)
    yield paths
    subprocess.run(["umount", "-l", str(mount)], check=True)


def filled(folder: Path, kind: str) -> dict[str, object]:
    noise = np.random.default_rng(0)
    if kind == "labels":
        write_labels(folder / "labels.npz", {"joints": noise.random((40_000, 3))})
    elif kind == "video":
        with VideoWriter(folder / "front.mp4", "libx264", (128, 96), 30.0, 10) as writer:
            for _ in range(60):
                writer.write(noise.integers(0, 255, (96, 128, 3), dtype=np.uint8))
    else:
        (folder / "kinematics.mot").write_text("1\n" * 100_000)
    return {}


@pytest.mark.parametrize("kind", ["labels", "video", "text"])
def test_a_full_disk_is_known_whatever_was_being_written(full_disk: DatasetPaths, kind: str) -> None:
    fake_clip(full_disk, ClipPlan("first", "a", "walking"))
    with pytest.raises(Exception) as failed:  # noqa: PT011  of the encoder, of numpy or of the system
        write_clip(full_disk, ClipPlan("second", "a", "kicking"), {}, lambda folder: filled(folder, kind))  # type: ignore[arg-type]
    assert str(disk_trouble(full_disk, failed.value)).endswith("the disk is full")
    assert [path.name for path in full_disk.clips.iterdir()] == ["first"]
