"""What appears is whole, what goes, goes whole; what a killed process left goes, what others make stays."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from odah import files
from odah.files import atomic_folder, atomic_path, drop_unfinished


def test_the_remains_of_a_killed_process_go_and_nothing_else(tmp_path: Path) -> None:
    wanted = tmp_path / "walk"
    with atomic_folder(wanted) as finished:
        (finished / "file").touch()
    killed, neighbour = atomic_folder(wanted), atomic_folder(tmp_path / "walking")
    (tmp_path / ".hidden").touch()
    with neighbour as others:
        (killed.__enter__() / "half").touch()
        killed_file = atomic_path(tmp_path / "walk")
        half_file = killed_file.__enter__()
        assert half_file.exists()
        drop_unfinished(tmp_path, {"walk"})
        assert not half_file.exists()
        assert sorted(tmp_path.iterdir()) == sorted([wanted, others, tmp_path / ".hidden"])
    assert (wanted / "file").is_file()
    killed = atomic_folder(tmp_path / "a.b+1")
    assert killed.__enter__().is_dir()
    drop_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "walk", "walking"]


def test_who_was_believed_dead_does_not_bring_back_half_a_folder(tmp_path: Path) -> None:
    wanted = tmp_path / "walk"

    def write_late() -> None:
        with atomic_folder(wanted) as folder:
            (folder / "first").touch()
            drop_unfinished(tmp_path)

    with pytest.raises(FileNotFoundError):
        write_late()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_replaced_whole_at_every_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = tmp_path / "walk"
    seen: list[list[str]] = []

    def look(*_: object) -> None:
        seen.append(sorted(path.name for path in wanted.iterdir()) if wanted.exists() else [])

    with atomic_folder(wanted) as folder:
        for name in "abc":
            (folder / name).touch()
    real_replace, real_rmtree = Path.replace, files.shutil.rmtree
    monkeypatch.setattr(Path, "replace", lambda *paths: (look(), real_replace(*paths), look())[1])
    monkeypatch.setattr(files.shutil, "rmtree", lambda *a, **k: (look(), real_rmtree(*a, **k), look())[1])
    with atomic_folder(wanted) as folder:
        (folder / "d").touch()
        (folder / "e").touch()
    monkeypatch.undo()
    assert len(seen) >= 6
    assert all(names in (["a", "b", "c"], [], ["d", "e"]) for names in seen)
    assert [path.name for path in tmp_path.iterdir()] == ["walk"]


def test_the_old_folder_comes_back_if_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = tmp_path / "walk"
    with atomic_folder(wanted) as folder:
        (folder / "old").touch()
    real = Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if (path / "new").exists():
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(path, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="Input/output"), atomic_folder(wanted) as folder:
        (folder / "new").touch()
    monkeypatch.undo()
    assert [path.name for path in tmp_path.rglob("*")] == ["walk", "old"]


def test_what_is_in_place_was_written_to_the_disk_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        order.append(Path(f"/proc/self/fd/{descriptor}").resolve().name)
        real_fsync(descriptor)

    def replace(path: Path, target: Path) -> Path:
        order.append(f"-> {target.name}")
        return real_replace(path, target)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("asks /proc for the name of an open file")
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    with atomic_folder(tmp_path / "walk") as folder:
        (folder / "labels").write_text("x")
    at = order.index("-> walk")
    assert "labels" in order[:at]
    assert folder.name in order[:at]
    assert order[at + 1 :] == [tmp_path.name]
