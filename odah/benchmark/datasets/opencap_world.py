"""Where OpenCap's cameras stand in the ground frame of its motion capture.

The cameras' world is that of a checkerboard (x right and y down on it, z into it), which lay on the floor or
hung on a wall. `mocapToVideoTransform.yaml` tells how the laboratory's ground, that of `.trc` and `.mot`
files (OpenSim's axes), lies in it:

    p_board = R_fromMocap_toVideo (p_ground - position_fromMocapOrigin_toVideoOrigin)

with the position in the ground's axes, m.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from odah.benchmark.datasets.findings import Findings
from odah.errors import InputError
from odah.files import read_text
from odah.motion.types import R_WORLD_GROUND
from odah.osim.model import rigid
from odah.scene.camera import Camera

TRANSFORM = "mocapToVideoTransform.yaml"
_ROTATION, _POSITION = "R_fromMocap_toVideo", "position_fromMocapOrigin_toVideoOrigin"
_TURNS_DEG = {
    "on the floor": (90.0, 90.0, 0.0),
    "on a wall": (0.0, 90.0, 180.0),
    "upside down on a wall": (0.0, -90.0, 0.0),
}
"""Turns about the fixed axes x, y, z, one after the other, from a board's to OpenSim's (opencap-core)."""
_FAR = 20.0
"""m; positions beyond are mm."""
_UPRIGHT = 0.7
"""Cosine of the angle by which the ground's up may deviate from the pictures'."""


@dataclass(frozen=True, eq=False)
class OpenCapWorld:
    """cameras: in a world whose z is up. T_world_ground: ground of the motion capture to it, m."""

    cameras: Mapping[str, Camera]
    T_world_ground: Float[np.ndarray, "4 4"]


def upright_world(cameras: Sequence[Camera], transform: Path | None, findings: Findings) -> OpenCapWorld:
    """Cameras of the board's world and the session's file to a world with z up.

    Where the board was is told by the cameras, which were held upright. A rotation in the file that is none,
    or that turns people over, is replaced by the one of axes parallel to the board's, which is what intact
    files hold; a position that is missing by none. Either is noted: joints may then lie elsewhere in the
    pictures.
    """
    up = np.mean([-camera.T_world_cam[:3, 1] for camera in cameras], axis=0)
    boards = {place: _ground_of_board(turns) for place, turns in _TURNS_DEG.items()}
    place = max(boards, key=lambda name: float(boards[name][1] @ up))
    R_ground_board = boards[place]
    R_board_ground, position = _read_transform(transform, R_ground_board, place, findings)
    T_world_board = rigid(np.zeros(3), R_WORLD_GROUND @ R_ground_board)
    turned = [replace(camera, T_world_cam=T_world_board @ camera.T_world_cam) for camera in cameras]
    return OpenCapWorld(
        cameras={camera.name: camera for camera in turned},
        T_world_ground=T_world_board @ rigid(-R_board_ground @ position, R_board_ground),
    )


def _ground_of_board(turns_deg: tuple[float, float, float]) -> np.ndarray:
    """(3, 3) from the board's axes to OpenSim's: x to the people's front, y up."""
    return np.rint(Rotation.from_euler("xyz", turns_deg, degrees=True).as_matrix())


def _read_transform(
    path: Path | None, R_ground_board: np.ndarray, place: str, findings: Findings
) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (3, 3) from ground to board, and the board's origin (3,) in ground, m."""
    if path is None:
        findings.doubt(
            TRANSFORM, "no such file", "one in the session's folder", _instead(place, "no position")
        )
        return R_ground_board.T, np.zeros(3)
    content = _mapping(path)
    rotation, position = _numbers(content.get(_ROTATION), 9), _numbers(content.get(_POSITION), 3)
    R = R_ground_board.T if rotation is None else rotation.reshape(3, 3)
    why = _why_none(R, R_ground_board) if rotation is not None else "nothing"
    if why:
        expected = "a rotation that keeps people upright"
        findings.doubt(f"{path}: {_ROTATION}", why, expected, _instead(place, "the position kept"))
        R = R_ground_board.T
    if position is None:
        findings.doubt(f"{path}: {_POSITION}", "nothing", "three numbers", "the origins are taken as one")
        position = np.zeros(3)
    elif np.abs(position).max() > _FAR:
        findings.doubt(f"{path}: {_POSITION}", f"{position.tolist()}", "m", "taken as mm")
        position = position / 1000
    u, _, vt = np.linalg.svd(R)
    return u @ vt, position


def _instead(place: str, position: str) -> str:
    return f"the board is taken to be {place} with the laboratory's axes, {position}"


def _why_none(R: np.ndarray, R_ground_board: np.ndarray) -> str:
    """Why a matrix is not the rotation from ground to the board's world; empty if it is."""
    if not np.allclose(R @ R.T, np.eye(3), atol=1e-2) or np.linalg.det(R) < 0:
        return f"{R.tolist()}, which is no rotation"
    if R[:, 1] @ R_ground_board[1] < _UPRIGHT:
        return f"{R.tolist()}, whose up is not that of the pictures"
    return ""


def _mapping(path: Path) -> Mapping[Any, Any]:
    kind = "OpenCap's YAML"
    try:
        content = yaml.safe_load(read_text(path, kind))
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        raise InputError(path, f"{' '.join(str(error).split())[:200]}", kind) from None
    if not isinstance(content, Mapping):
        raise InputError(path, f"a {type(content).__name__}", kind)
    return content


def read_yaml_numbers(path: Path, *keys: str) -> tuple[float | None, ...]:
    """One number under each key of a YAML file; None where there is none.

    Raises:
        InputError: no such file, or none of keys and values.
    """
    content = _mapping(path)
    found = [_numbers(content.get(key), 1) for key in keys]
    return tuple(None if value is None else float(value[0]) for value in found)


def _numbers(value: Any, count: int) -> np.ndarray | None:
    """So many finite numbers in lists, which some files nest deeper than others."""
    flat: list[float] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting.extend(reversed(item))
        elif isinstance(item, int | float) and not isinstance(item, bool) and abs(item) < 1e9:
            flat.append(float(item))
        else:
            return None
        if len(flat) + len(waiting) > 100:
            return None
    return np.array(flat) if len(flat) == count else None
