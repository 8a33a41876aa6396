"""Hashes are remembered as long as a file is the same, and a damaged memory is no memory."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odah.dataset import file_hashes
from odah.dataset.file_hashes import UNREADABLE, FileHashes


def old_file(path: Path, text: str, changed_at: int = 10**18) -> Path:
    path.write_text(text)
    os.utime(path, ns=(changed_at, changed_at))
    return path


def test_a_file_is_read_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []
    real = file_hashes.file_hash
    monkeypatch.setattr(file_hashes, "file_hash", lambda path: (reads.append(path), real(path))[1])
    memory, path = tmp_path / "hashes.json", old_file(tmp_path / "walk.npz", "abc")
    for _ in range(2):
        hashes = FileHashes(memory)
        assert hashes.of(path) == hashlib.sha256(b"abc").hexdigest()
        hashes.save()
    assert len(reads) == 1
    old_file(path, "abd", 2 * 10**18)  # the same size
    assert FileHashes(memory).of(path) == hashlib.sha256(b"abd").hexdigest()
    assert str(tmp_path) not in memory.read_text()


def test_two_runs_that_remember_do_not_forget_for_each_other(tmp_path: Path) -> None:
    memory = tmp_path / "hashes.json"
    first, second = FileHashes(memory), FileHashes(memory)
    for hashes, name in ((first, "a"), (second, "b")):
        hashes.of(old_file(tmp_path / name, name))
    first.save()
    second.save()
    assert len(json.loads(memory.read_text())) == 2


def test_a_file_that_has_just_changed_is_not_remembered(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("x")
    hashes = FileHashes(tmp_path / "hashes.json")
    hashes.of(tmp_path / "new")
    hashes.save()
    assert not (tmp_path / "hashes.json").exists()


def test_what_cannot_be_read_has_no_hash(tmp_path: Path) -> None:
    assert FileHashes(tmp_path / "hashes.json").of(tmp_path / "nothing") == UNREADABLE
    assert FileHashes(tmp_path / "hashes.json").of(tmp_path) == UNREADABLE


@given(damage=st.one_of(st.binary(max_size=40), st.sampled_from([b"[]", b'{"a": 1}', b"[" * 100_000])))
def test_a_damaged_memory_is_empty(tmp_path_factory: pytest.TempPathFactory, damage: bytes) -> None:
    folder = tmp_path_factory.mktemp("m")
    (folder / "hashes.json").write_bytes(damage)
    path = old_file(folder / "a", "a")
    assert FileHashes(folder / "hashes.json").of(path) == hashlib.sha256(b"a").hexdigest()
