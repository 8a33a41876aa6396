"""MediaPipe's BlazePose networks, fetched once: two files of its wheel.

The wheel itself cannot be installed beside OpenSim, which wants another numpy. It comes from the package
index that pip knows, and what is taken from it is checked by its hash.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from odah.errors import OdahError
from odah.files import atomic_path, cache_folder
from odah.locks import locked
from odah.progress import say as say_to_user

_REQUIREMENT = "mediapipe==0.10.21"
_WHEEL = ("--platform", "manylinux_2_28_x86_64", "--python-version", "3.11", "--implementation", "cp")
"""The same one on every machine: only its data are used."""
_TIMEOUT = 1800.0
_OTHERWISE = "give masks by --masks or weights by --yolo instead"


@dataclass(frozen=True)
class _Network:
    place: str
    sha256: str


_NETWORKS = (
    _Network(
        "mediapipe/modules/pose_detection/pose_detection.tflite",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
    _Network(
        "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
)

NETWORK_HASHES = tuple(network.sha256 for network in _NETWORKS)
"""SHA-256 of the detector and of the network that draws masks."""


def blazepose_networks(say: Callable[[str], None] = say_to_user) -> tuple[Path, Path]:
    """Files of the detector and of the network that draws masks, from the user's cache or fetched into it.

    Raises:
        OdahError: they are not there and cannot be had.
    """
    folder = cache_folder() / "blazepose"
    files = tuple(folder / Path(network.place).name for network in _NETWORKS)
    if not all(file.is_file() for file in files):
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / "lock"):
            say(f"fetching the networks that find people, from {_REQUIREMENT} (36 MB, once)")
            _fetch(files)
    return files[0], files[1]


def _fetch(files: tuple[Path, ...]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        wheel = _downloaded(Path(scratch))
        try:
            with zipfile.ZipFile(wheel) as archive:
                contents = [archive.read(network.place) for network in _NETWORKS]
        except (zipfile.BadZipFile, KeyError) as error:
            raise OdahError(
                f"{wheel.name} does not hold the networks that find people ({error}); {_OTHERWISE}"
            ) from None
    for file, network, content in zip(files, _NETWORKS, contents, strict=True):
        if hashlib.sha256(content).hexdigest() != network.sha256:
            raise OdahError(f"{network.place} of {_REQUIREMENT} is not the file it was; {_OTHERWISE}")
        with atomic_path(file) as temporary:
            temporary.write_bytes(content)


def _downloaded(folder: Path) -> Path:
    """The wheel, in the folder."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        *_WHEEL,
    ]
    try:
        result = subprocess.run(
            [*command, "--dest", str(folder), _REQUIREMENT],
            capture_output=True, text=True, timeout=_TIMEOUT, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OdahError(
            f"pip could not fetch {_REQUIREMENT} ({type(error).__name__}); {_OTHERWISE}"
        ) from None
    wheels = sorted(folder.glob("*.whl"))
    if result.returncode != 0 or not wheels:
        last = (result.stderr.strip().splitlines() or [f"exit status {result.returncode}"])[-1]
        raise OdahError(f"pip could not fetch {_REQUIREMENT}: {last}; {_OTHERWISE}")
    return wheels[0]
