"""`F_v3d_Subject_N.mat`: a person's markers in MoVi's F round, and which frames show which motion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from odah.benchmark.datasets.mat_file import load_mat, struct_with
from odah.errors import InputError

KIND = "a F_v3d_Subject_N.mat of MoVi"
MARKER_RATE, VIDEO_RATE = 120.0, 30.0
FRAMES_PER_PICTURE = 4
_NAMES = ("markerName", "markerNames", "markerLabel", "markerLabels")
_VICON_NAMES = {
    "asis": "ASI", "psis": "PSI", "shom": "SHO", "upperarm": "UPA", "elbm": "ELB", "elbinner": "IEL",
    "forearm": "FRM", "writhumbside": "WRA", "wripinkieside": "WRB", "fin": "FIN", "frontthigh": "FTH",
    "thigh": "THI", "knem": "KNE", "innerknee": "KNI", "shin": "SHN", "ankm": "ANK", "hee": "HEE",
    "firstmetatarsal": "MT1", "fifthmetatarsal": "MT5", "toe": "TOE",
    "iel": "IEL", "ieb": "IEL", "elbi": "IEL", "kni": "KNI", "knei": "KNI", "fwt": "ASI", "bwt": "PSI",
}  # fmt: skip
"""What a marker's name has after its side, in lower case, and the marker's name in our set."""
_CENTRAL = {"backneck": "C7", "clavicle": "CLAV", "upperback": "T10", "sternum": "STRN"}
_ORDER = (
    "backneck", "upperback", "clavicle", "sternum", "umbilicus",
    *(side + name for side in "lr" for name in (
        "fronthead", "backhead", "back", "shom", "upperarm", "elbm", "forearm", "writhumbside",
        "wripinkieside", "fin", "asis", "psis", "frontthigh", "thigh", "knem", "ankm", "hee",
        "fifthmetatarsal", "toe", "cheek", "breast", "elbinner", "waist", "thumb", "frontinnerthigh",
        "innerknee", "shin", "firstmetatarsal", "fourthtoe", "scapula", "bum",
    )),
)  # fmt: skip
"""The 67 markers in the order of the files."""


@dataclass(frozen=True, eq=False)
class MoviRound:
    """markers: m in the laboratory's frame (z up), 120 Hz, NaN where unseen; of the F round.

    motions: MoVi's words for the motions. flags120, flags30: first and last frame of each, counted from 1,
    the last one included, of markers and videos. height: m, mass: kg, None if not told.
    """

    names: tuple[str, ...]
    markers: Float[np.ndarray, "T M 3"]
    motions: tuple[str, ...]
    flags120: Int[np.ndarray, "N 2"]
    flags30: Int[np.ndarray, "N 2"]
    height: float | None
    mass: float | None


def read_round(path: Path) -> MoviRound:
    """One person's F round. Only in a process of its own.

    Raises:
        InputError: without markers, motions or frames.
    """
    content = load_mat(path)
    move = struct_with(content, "markerLocation")
    if move is None:
        raise InputError(path, "no markerLocation", KIND)
    markers = _numbers(path, move, "markerLocation")
    if markers.ndim == 2 and markers.shape[1] % 3 == 0:
        markers = markers.reshape(len(markers), -1, 3)
    if markers.ndim != 3 or markers.shape[2] != 3 or len(markers) < 2:
        raise InputError(f"{path}: markerLocation", f"shape {markers.shape}", "frames x markers x 3")
    is_unseen = ~np.isfinite(markers).all(axis=-1) | (markers == 0).all(axis=-1)
    motions = tuple(str(motion).strip() for motion in np.atleast_1d(np.asarray(move.get("motions_list", ()))))
    flags120 = _flags(path, move, "flags120", len(motions))
    flags30 = _flags(path, move, "flags30", len(motions)) if "flags30" in move else _pictures_of(flags120)
    about = struct_with(content, "subject")
    told = about["subject"] if about is not None and isinstance(about["subject"], dict) else {}
    return MoviRound(
        names=_marker_names(path, move, markers.shape[1]),
        markers=np.where(is_unseen[..., None], np.nan, markers / 1000),
        motions=motions,
        flags120=flags120,
        flags30=flags30,
        height=_within(told.get("height"), 1.2, 2.3, 0.01),
        mass=_within(told.get("weight", told.get("mass")), 30.0, 250.0, 1.0),
    )


def our_names(names: tuple[str, ...]) -> dict[str, str]:
    """By marker of a file its name in `bmlmovi_markers.yaml`, of those that are there."""
    found: dict[str, str] = {}
    for name in names:
        lower = name.lower()
        ours = _CENTRAL.get(lower, name.upper() if lower in ("c7", "clav", "t10", "strn") else None)
        if ours is None and lower[:1] in ("l", "r"):
            rest = lower[1:]
            known = _VICON_NAMES.get(rest, rest.upper() if rest.upper() in _VICON_NAMES.values() else None)
            ours = None if known is None else lower[0].upper() + known
        if ours is not None and ours not in found.values():
            found[name] = ours
    return found


def _marker_names(path: Path, move: Any, count: int) -> tuple[str, ...]:
    given = next((move[key] for key in _NAMES if key in move), _ORDER)
    names = tuple(str(name).strip() for name in np.atleast_1d(np.asarray(given, dtype=object)))
    if len(names) != count or len(set(names)) < count:
        raise InputError(
            f"{path}: markers", f"{count} of them and {len(set(names))} names", "a name for each"
        )
    return names


def _numbers(path: Path, move: Any, field: str) -> np.ndarray:
    try:
        return np.asarray(move[field], dtype=float)
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{path}: {field}", "nothing or no numbers", "an array") from None


def _flags(path: Path, move: Any, field: str, count: int) -> np.ndarray:
    flags = np.atleast_2d(_numbers(path, move, field))
    whole = flags.shape == (count, 2) and count > 0 and np.isfinite(flags).all() and (abs(flags) < 1e9).all()
    if (
        not whole
        or (flags != np.rint(flags)).any()
        or (flags[:, 0] < 1).any()
        or (flags[:, 1] < flags[:, 0]).any()
    ):
        raise InputError(
            f"{path}: {field}", f"shape {flags.shape}", f"first and last frame of {count} motions"
        )
    return flags.astype(int)


def _pictures_of(flags120: np.ndarray) -> np.ndarray:
    """Pictures, counted from 1, whose time is within the frames."""
    first = -(-(flags120[:, 0] - 1) // FRAMES_PER_PICTURE)
    last = (flags120[:, 1] - 1) // FRAMES_PER_PICTURE
    return np.stack([first, np.maximum(last, first)], axis=1) + 1


def _within(value: Any, low: float, high: float, factor: float) -> float | None:
    """A number, by the factor if only so it is plausible."""
    if not isinstance(value, int | float | np.number):
        return None
    return next((float(each) for each in (value, value * factor) if low <= each <= high), None)
