"""Fetching the networks that find people, with a pip that is made up."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from odah.errors import OdahError
from odah.estimator.predict import blazepose_networks as module

CONTENT = b"not really a network"


@pytest.fixture
def fake_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Puts a wheel of the given files where pip is told to, and keeps its commands."""
    monkeypatch.setenv("ODAH_CACHE", str(tmp_path / "cache"))
    digest = hashlib.sha256(CONTENT).hexdigest()
    networks = tuple(module._Network(network.place, digest) for network in module._NETWORKS)
    monkeypatch.setattr(module, "_NETWORKS", networks)
    commands: list[list[str]] = []

    def offering(files: dict[str, bytes], status: int = 0) -> list[list[str]]:
        def run(command: list[str], **_) -> subprocess.CompletedProcess[str]:
            commands.append(command)
            folder = Path(command[command.index("--dest") + 1])
            if status == 0:
                with zipfile.ZipFile(folder / "mediapipe.whl", "w") as wheel:
                    for name, content in files.items():
                        wheel.writestr(name, content)
            return subprocess.CompletedProcess(command, status, "", "ERROR: no index")

        monkeypatch.setattr(subprocess, "run", run)
        return commands

    return offering


def test_they_are_fetched_once_and_told(fake_pip) -> None:
    commands = fake_pip({network.place: CONTENT for network in module._NETWORKS})
    told: list[str] = []
    files = module.blazepose_networks(told.append)
    assert [file.read_bytes() for file in files] == [CONTENT, CONTENT]
    assert module.blazepose_networks(told.append) == files
    assert len(commands) == len(told) == 1
    assert "--no-deps" in commands[0]


@pytest.mark.parametrize(
    ("files", "status", "message"),
    [
        ({}, 1, r"pip could not fetch mediapipe.*no index; give masks by --masks"),
        ({"other": b"x"}, 0, "does not hold the networks"),
        ({network.place: b"other" for network in module._NETWORKS}, 0, "is not the file it was"),
    ],
)
def test_what_is_not_right_leaves_nothing(fake_pip, files, status, message, tmp_path: Path) -> None:
    fake_pip(files, status)
    with pytest.raises(OdahError, match=message):
        module.blazepose_networks(lambda line: None)
    assert not list((tmp_path / "cache").rglob("*.tflite"))
