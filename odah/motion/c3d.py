"""Labelled surface markers from `.c3d` files, read by ezc3d (Michaud and Begon 2021, JOSS 6(58), 2911).

ezc3d runs in a child process, because it crashes or fills all memory on some damaged files, which must end in
one sentence. Format: "The C3D File Format: A Technical User Guide", Motion Lab Systems 2021 (c3d.org).
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from odah.errors import InputError, OdahError
from odah.files import existing_file
from odah.motion.skeleton import METRES_PER_UNIT, check_rate, rotate_to_world, up_axis
from odah.motion.types import MarkerTrajectories, Source

_KIND = "a .c3d file"
_READER = Path(__file__).with_name("ezc3d_reader.py")
_TIMEOUT_S = 120.0
_BLOCK = 512
_INTEL, _DEC, _MIPS = 84, 85, 86
_UPPER_MARKERS = ("LFHD", "RFHD", "LBHD", "RBHD", "HEAD", "C7", "CLAV", "STRN", "T10")
_LOWER_MARKERS = (
    "LHEE",
    "RHEE",
    "LTOE",
    "RTOE",
    "LANK",
    "RANK",
    "LCAL",
    "RCAL",
    "LMT5",
    "RMT5",
    "LMT1",
    "RMT1",
)
_UPRIGHT = 0.8  # part of the way from feet to head that is along one axis
# groups of outputs that are stored as points without being places
_NOT_POSITIONS = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS", "REACTIONS")


@dataclass(frozen=True)
class _Layout:
    """How many frames the header promises, and how many the bytes after it can hold."""

    num_points: int
    num_frames: int
    num_frames_held: int

    def check(self, num_points: int, num_frames: int, path: Path) -> None:
        """Raises InputError if there are other points, or more frames, than header and file size allow."""
        if num_points != self.num_points:
            expected = f"the {self.num_points} points that the header states"
            raise InputError(f"{path}, POINT:USED", f"{num_points} points", expected)
        if num_frames > self.num_frames_held:
            found = f"data of {self.num_frames_held} frames"
            raise InputError(f"{path}, header", found, f"the {num_frames} that the header states")


@dataclass(frozen=True)
class _Recording:
    """What ezc3d found: positions (T, M, 3) in file units, NaN in gaps; text parameters of group POINT."""

    positions: np.ndarray
    rate: float
    first_frame: float
    point_texts: dict[str, list[str]]


def read_c3d(path: str | Path, up: str | None = None, rate: float | None = None) -> MarkerTrajectories:
    """The labelled markers of a `.c3d` file in world (Z-up), m; NaN where a marker was not seen.

    Unlabelled points (`*0`, ...) and model outputs stored as points (angles, forces, ...) are left out; the
    subject's name in front of a label (`Daniel:LFHD`) is cut off.

    Args:
        up: the file's vertical axis (`x`, `y`, `z`); None: what POINT:Y_SCREEN says, else the axis along
            which markers of head and trunk are above those of the feet, else z.
        rate: Hz; None: the file's.

    Raises:
        InputError: not a whole `.c3d` file with labelled markers, or one with MIPS numbers.
        OdahError: ezc3d is not installed.
    """
    path = existing_file(path, _KIND)
    layout = _read_layout(path)
    layout.check(layout.num_points, layout.num_frames, path)
    recording = _read_with_ezc3d(path)
    num_frames, num_points = recording.positions.shape[:2]
    layout.check(num_points, num_frames, path)
    names, kept = _kept_markers(recording)
    if not kept:
        found = f"{layout.num_points} points without a label"
        raise InputError(f"{path}, POINT:LABELS", found, "labelled markers")
    positions = recording.positions[:, kept] * _metres(recording, path)
    if not np.nanmax(np.abs(positions), initial=0.0) < 1e4:
        raise InputError(f"{path}, points", "values beyond 10 km", "markers in a room")
    axis = up_axis(_vertical_axis(names, positions, recording) if up is None else up, path)
    rate = recording.rate if rate is None else rate
    check_rate(rate, path)
    return MarkerTrajectories(
        names=names,
        positions=rotate_to_world(positions, axis),
        rate=float(rate),
        frame="world",
        source=Source(str(path), "c3d"),
        start_time=recording.first_frame / rate,
        notes=_notes(len(kept), recording.positions.shape[1]),
    )


def _read_layout(path: Path) -> _Layout:
    """The sizes in the header, which ezc3d does not hold against the size of the file.

    Raises:
        InputError: no C3D header, or one without points or frames.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_BLOCK)
        if size < 2 * _BLOCK or head[1] != 0x50 or head[0] == 0:
            raise InputError(path, f"{size} bytes without the C3D mark", _KIND)
        file.seek((head[0] - 1) * _BLOCK + 3)
        processor = int.from_bytes(file.read(1), "little")
    if processor == _MIPS:
        raise InputError(f"{path}, processor type", "MIPS numbers", "Intel or DEC numbers, as ezc3d reads")
    if processor not in (_INTEL, _DEC):
        raise InputError(f"{path}, processor type", str(processor), f"{_INTEL} (Intel) or {_DEC} (DEC)")
    num_points, num_analog, first, last = struct.unpack_from("<4H", head, 2)
    (data_block,) = struct.unpack_from("<H", head, 16)
    num_frames = last - first + 1
    if num_points == 0 or num_frames <= 0 or data_block == 0:
        raise InputError(f"{path}, header", f"{num_frames} frames of {num_points} points", "some markers")
    sign_byte = 15 if processor == _INTEL else 13  # of the scale factor; DEC swaps the words of a float
    is_float = head[sign_byte] & 0x80
    frame_size = (4 * num_points + num_analog) * (4 if is_float else 2)
    return _Layout(num_points, num_frames, max(size - (data_block - 1) * _BLOCK, 0) // frame_size)


def _read_with_ezc3d(path: Path) -> _Recording:
    """Run ezc3d_reader.py on the file.

    Raises:
        OdahError: ezc3d is not installed, or cannot be loaded.
        InputError: it crashed, never ended, or refused the file.
    """
    with tempfile.TemporaryDirectory(prefix="odah-c3d-") as folder:
        archive_path = Path(folder) / "content.npz"
        command = [sys.executable, "-P", str(_READER), str(path), str(archive_path)]
        try:
            done = subprocess.run(
                command,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # faster to load; nothing is multiplied
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            found = f"a damaged file (ezc3d did not end within {_TIMEOUT_S:g} s)"
            raise InputError(path, found, _KIND) from error
        if done.returncode != 0:
            words = _last_words(done)
            if words.startswith(("ImportError", "ModuleNotFoundError")):
                raise OdahError(f"{path}: a .c3d file needs ezc3d: pip install 'odah[kinematics]' ({words})")
            raise InputError(path, f"a damaged file ({words})", _KIND)
        with np.load(archive_path, allow_pickle=False) as archive:
            return _recording(archive)


def _last_words(done: subprocess.CompletedProcess[bytes]) -> str:
    """Why the reader failed: the first sentence of its exception, or the status that it crashed with."""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    if done.returncode == 1 and lines:
        return lines[-1].split(". ")[0][:120]
    return f"ezc3d crashed with exit status {done.returncode}"


def _recording(archive: np.lib.npyio.NpzFile) -> _Recording:
    """A point is unseen where its residual is negative, or it lies exactly at zero, or is not finite."""
    positions = archive["positions"]
    is_seen = (
        (archive["residuals"] >= 0) & (positions != 0).any(axis=-1) & np.isfinite(positions).all(axis=-1)
    )
    return _Recording(
        positions=np.where(is_seen[..., None], positions, np.nan),
        rate=float(archive["rate"]),
        first_frame=float(archive["first_frame"]),
        point_texts=json.loads(str(archive["point_texts"])),
    )


def _words(recording: _Recording, name: str) -> list[str]:
    """A text parameter with its continuations (`LABELS`, `LABELS2`, ...: a C3D array holds 255)."""
    words: list[str] = []
    for key in (name, *(f"{name}{k}" for k in range(2, 100))):
        if key not in recording.point_texts:
            break
        words += recording.point_texts[key]
    return words


def _kept_markers(recording: _Recording) -> tuple[tuple[str, ...], list[int]]:
    """Names and indices of the labelled markers; of two with one name the first."""
    labels = _words(recording, "LABELS")[: recording.positions.shape[1]]
    outputs = {word for group in _NOT_POSITIONS for word in _words(recording, group)}
    kept: dict[str, int] = {}
    for index, label in enumerate(labels):
        if label and not label.startswith("*") and label not in outputs:
            kept.setdefault(label.rsplit(":", 1)[-1].strip(), index)
    return tuple(kept), list(kept.values())


def _notes(num_kept: int, num_points: int) -> tuple[str, ...]:
    if num_kept == num_points:
        return ()
    return (f"{num_points - num_kept} of {num_points} points are no labelled markers and were left out",)


def _metres(recording: _Recording, path: Path) -> float:
    unit = next(iter(_words(recording, "UNITS")), "mm").lower() or "mm"
    if unit not in METRES_PER_UNIT:
        raise InputError(f"{path}, POINT:UNITS", repr(unit[:20]), "mm, cm or m")
    return METRES_PER_UNIT[unit]


def _vertical_axis(names: tuple[str, ...], positions: np.ndarray, recording: _Recording) -> str:
    stated = next(iter(_words(recording, "Y_SCREEN")), "").strip("+-").lower()
    if stated in ("x", "y", "z"):
        return stated
    is_upper, is_lower = (
        [name.upper() in group for name in names] for group in (_UPPER_MARKERS, _LOWER_MARKERS)
    )
    rise = np.array([_mean(positions[:, is_upper, k]) - _mean(positions[:, is_lower, k]) for k in range(3)])
    largest = int(np.abs(rise).argmax())
    return "xyz"[largest] if abs(rise[largest]) > _UPRIGHT * np.linalg.norm(rise) else "z"


def _mean(values: np.ndarray) -> float:
    """Mean of what is not NaN; 0 of nothing."""
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else 0.0
