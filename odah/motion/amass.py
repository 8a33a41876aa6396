"""AMASS `.npz` files: SMPL-H (156 columns), SMPL-X (165 columns) or split by body part.

Format: Mahmood et al. 2019 and the tables of https://amass.is.tue.mpg.de. Rotation vectors in rad, hands
without mean pose; `trans` in m; world Z-up.
"""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from odah.errors import InputError
from odah.files import existing_file
from odah.motion.skeleton import check_rate
from odah.motion.types import Gender, Motion, Source
from odah.names import SMPLX_JOINTS

_KIND = "an AMASS .npz file"
_NUM_JOINTS = len(SMPLX_JOINTS)
_BODY, _JAW, _EYES, _HANDS = slice(0, 22), slice(22, 23), slice(23, 25), slice(25, _NUM_JOINTS)
_SPLIT_KEYS = {"root_orient": slice(0, 1), "pose_body": slice(1, 22), "pose_hand": _HANDS, "pose_jaw": _JAW,
               "pose_eye": _EYES}  # fmt: skip
_RATE_KEYS = ("mocap_framerate", "mocap_frame_rate")
_GENDERS: dict[str, Gender] = {
    "male": "male",
    "female": "female",
    "neutral": "neutral",
    "m": "male",
    "f": "female",
}
# what numpy and zipfile raise on files that are truncated, altered, pickled or not archives at all
_UNREADABLE = (
    ValueError, OSError, EOFError, KeyError, IndexError, TypeError, SyntaxError, RuntimeError, OverflowError,
    MemoryError, UnicodeError, NotImplementedError, zipfile.BadZipFile, zlib.error, tokenize.TokenError,
)  # fmt: skip


def read_amass(path: str | Path, rate: float | None = None) -> Motion:
    """The body motion of an AMASS file; joints the file does not hold (jaw, eyes) stay at zero.

    Object arrays are never unpickled; entries that are not needed are not read.

    Args:
        rate: Hz; None: the file's `mocap_framerate` or `mocap_frame_rate`.

    Raises:
        InputError: not a whole archive, or an entry is missing, of the wrong shape, or not finite.
    """
    path = Path(path)
    with existing_file(path, _KIND).open("rb") as file:
        entries = _Entries(path, file)
        poses, surface_model = _read_poses(entries)
        transl = entries.table("trans", 3)
        if len(transl) != len(poses):
            raise InputError(
                f"{path}, trans", f"{len(transl)} rows", f"{len(poses)}, one for each row of poses"
            )
        return Motion(
            poses=poses,
            transl=transl,
            rate=_read_rate(entries) if rate is None else _checked_rate(rate, path),
            source=Source(str(path), "amass"),
            gender=_read_gender(entries),
            betas=entries.numbers("betas").ravel() if "betas" in entries else None,
            surface_model=_read_surface_model(entries, surface_model),
        )


class _Entries:
    """The arrays of an archive, checked as they are read."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        try:
            archive = np.load(file, allow_pickle=False)
        except _UNREADABLE as error:
            raise InputError(path, f"no readable archive ({type(error).__name__})", _KIND) from error
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise InputError(path, "a single array", _KIND)
        self._archive = archive

    def __contains__(self, key: str) -> bool:
        return key in self._archive.files

    def array(self, key: str) -> np.ndarray:
        if key not in self:
            raise InputError(self.path, f"no entry {key!r}", _KIND)
        try:
            value = self._archive[key]
        except _UNREADABLE as error:
            found = f"an unreadable or pickled entry ({type(error).__name__})"
            raise InputError(f"{self.path}, {key}", found, "a plain array") from error
        if not isinstance(value, np.ndarray):
            raise InputError(f"{self.path}, {key}", "raw bytes", "a plain array")
        return value

    def numbers(self, key: str) -> np.ndarray:
        value = self.array(key)
        if value.dtype.kind not in "fiu":
            raise InputError(f"{self.path}, {key}", f"{value.dtype} values", "numbers")
        value = value.astype(np.float64)
        if not (np.abs(value) < 1e6).all():
            raise InputError(f"{self.path}, {key}", "values that are NaN, infinite or huge", "finite numbers")
        return value

    def table(self, key: str, *widths: int) -> np.ndarray:
        value = self.numbers(key)
        if value.ndim != 2 or value.shape[1] not in widths or len(value) == 0:
            expected = " or ".join(f"(frames, {width})" for width in widths)
            raise InputError(f"{self.path}, {key}", f"shape {value.shape}", expected)
        return value

    def word(self, key: str) -> str:
        """A `str`, bytes or one-element array of them, lower case."""
        value = self.array(key)
        if value.dtype.kind not in "US" or value.size != 1:
            raise InputError(f"{self.path}, {key}", f"{value.dtype} of shape {value.shape}", "one word")
        item = value.reshape(-1)[0]
        text = item.decode("latin-1") if isinstance(item, bytes) else str(item)
        return text.strip().lower()


def _read_poses(entries: _Entries) -> tuple[np.ndarray, str]:
    """Poses (T, 55, 3) in our joint order, and the surface model that so many columns mean."""
    if "poses" in entries:
        flat = entries.table("poses", 156, 165)
        joints = flat.reshape(len(flat), -1, 3)
        if flat.shape[1] == 3 * _NUM_JOINTS:
            return joints, "smplx"
        poses = np.zeros((len(flat), _NUM_JOINTS, 3))
        poses[:, _BODY], poses[:, _HANDS] = joints[:, :22], joints[:, 22:]
        return poses, "smplh"
    if "root_orient" not in entries:
        raise InputError(entries.path, "neither 'poses' nor 'root_orient' and 'pose_body'", _KIND)
    poses = np.zeros((len(entries.table("root_orient", 3)), _NUM_JOINTS, 3))
    for key, joints in _SPLIT_KEYS.items():
        if key in entries or key == "pose_body":
            part = entries.table(key, 3 * (joints.stop - joints.start))
            if len(part) != len(poses):
                raise InputError(
                    f"{entries.path}, {key}", f"{len(part)} rows", f"{len(poses)} as in root_orient"
                )
            poses[:, joints] = part.reshape(len(poses), -1, 3)
    return poses, "smplx" if "pose_jaw" in entries else "smplh"


def _read_rate(entries: _Entries) -> float:
    key = next((key for key in _RATE_KEYS if key in entries), None)
    if key is None:
        raise InputError(entries.path, "no frame rate", f"{' or '.join(_RATE_KEYS)} (or the option rate)")
    value = entries.numbers(key)
    if value.size != 1:
        raise InputError(f"{entries.path}, {key}", f"shape {value.shape}", "one number")
    return _checked_rate(float(value.reshape(-1)[0]), entries.path)


def _checked_rate(rate: float, path: Path) -> float:
    check_rate(rate, path)
    return float(rate)


def _read_gender(entries: _Entries) -> Gender:
    if "gender" not in entries:
        return "neutral"
    word = entries.word("gender")
    if word not in _GENDERS:
        raise InputError(f"{entries.path}, gender", repr(word[:40]), "male, female or neutral")
    return _GENDERS[word]


def _read_surface_model(entries: _Entries, default: str) -> str:
    return entries.word("surface_model_type") if "surface_model_type" in entries else default
