"""Biovision Hierarchy (`.bvh`) files of people.

Format: Meredith and Maddock 2001, "Motion Capture File Formats Explained". Rotations are degrees, applied in
the order of the channels about moving axes; a position channel replaces the joint's OFFSET along its axis.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from odah.errors import InputError
from odah.files import read_text
from odah.motion.skeleton import SkeletonMotion, skeleton_motion
from odah.motion.types import Source

_log = logging.getLogger(__name__)
_AXES = {"x": 0, "y": 1, "z": 2}
_MAX_JOINTS = 2000


@dataclass
class _Joint:
    name: str
    parent: int
    offset: np.ndarray = field(default_factory=lambda: np.zeros(3))
    channels: list[str] = field(default_factory=list)


class _Tokens:
    """The words of a file, and errors that say where in it."""

    def __init__(self, text: str, path: Path) -> None:
        self.words, self.path, self.next = text.split(), path, 0

    def take(self, what: str) -> str:
        if self.next >= len(self.words):
            raise InputError(self.path, f"the end of the file instead of {what}", "a complete .bvh file")
        self.next += 1
        return self.words[self.next - 1]

    def expect(self, *words: str) -> None:
        for word in words:
            found = self.take(word)
            if found.lower() != word.lower():
                raise InputError(f"{self.path}, word {self.next}", repr(found[:40]), repr(word))

    def name_and_brace(self) -> str:
        """A name, which may hold spaces (`Bip01 L Thigh`), and the brace that follows it."""
        words = [self.take("a name")]
        while (word := self.take("{")) != "{" and len(words) < 8:
            words.append(word)
        if word != "{":
            raise InputError(f"{self.path}, word {self.next}", repr(word[:40]), "'{'")
        return " ".join(words)

    def number(self, what: str) -> float:
        return _number(self.take(what), f"{self.path}, {what}")

    def count(self, what: str, maximum: int) -> int:
        word = self.take(what)
        if not (word.isascii() and word.isdigit() and len(word) < 10 and int(word) <= maximum):
            raise InputError(f"{self.path}, {what}", repr(word[:40]), f"a whole number up to {maximum}")
        return int(word)


def _number(word: str, where: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = np.nan
    if not abs(value) < 1e9:
        raise InputError(where, repr(word[:40]), "a finite number")
    return value


def read_bvh(
    path: str | Path, up: str | None = None, unit: str | float | None = None, rate: float | None = None
) -> SkeletonMotion:
    """A person's motion from a `.bvh` file, in the frames and units of `SkeletonMotion`.

    A T-pose that a converter put in front of the recording (nearly all angles of the first frame below 0.1
    degrees, unlike the second's) is left out.

    Args:
        up: vertical axis of the file (`x`, `y`, `z`); None: along which the rest pose stands.
        unit: `m`, `cm`, `mm`, `inch`, `cmu` or metres per unit; None: the one with legs of human length.
        rate: Hz, where the file's `Frame Time` is known to be wrong.

    Raises:
        InputError: not a whole and meaningful `.bvh` file of a person.
    """
    path = Path(path)
    tokens = _Tokens(read_text(path, "a .bvh file"), path)
    joints = _read_hierarchy(tokens)
    values, file_rate = _read_motion(tokens, sum(len(joint.channels) for joint in joints), rate)
    values = _without_calibration_pose(values, joints, path)
    offsets = np.array([joint.offset for joint in joints])
    return skeleton_motion(
        [joint.name for joint in joints],
        [joint.parent for joint in joints],
        offsets,
        *_local_poses(joints, offsets, values),
        rate=file_rate,
        source=Source(str(path), "bvh"),
        up=up,
        unit=unit,
    )


def _read_hierarchy(tokens: _Tokens) -> list[_Joint]:
    tokens.expect("HIERARCHY", "ROOT")
    joints = [_Joint(tokens.name_and_brace(), parent=-1)]
    open_joints = [0]
    while open_joints:
        word = tokens.take("OFFSET, CHANNELS, JOINT or }")
        joint = joints[open_joints[-1]]
        match word.upper():
            case "OFFSET":
                joint.offset = np.array([tokens.number(f"OFFSET of {joint.name}") for _ in range(3)])
            case "CHANNELS":
                joint.channels = _read_channels(tokens, joint.name)
            case "JOINT" | "END":
                open_joints.append(_open_joint(tokens, joints, open_joints[-1], is_end=word.upper() == "END"))
            case "}":
                open_joints.pop()
            case _:
                raise InputError(
                    f"{tokens.path}, {joint.name}", repr(word[:40]), "OFFSET, CHANNELS, JOINT or }"
                )
    return joints


def _open_joint(tokens: _Tokens, joints: list[_Joint], parent: int, *, is_end: bool) -> int:
    name = tokens.name_and_brace()
    name = f"{joints[parent].name}_end" if is_end else name
    if len(joints) >= _MAX_JOINTS:
        raise InputError(f"{tokens.path}, hierarchy", f"more than {_MAX_JOINTS} joints", "a person")
    joints.append(_Joint(name, parent))
    return len(joints) - 1


def _read_channels(tokens: _Tokens, name: str) -> list[str]:
    where = f"CHANNELS of {name}"
    channels = [tokens.take(where).lower() for _ in range(tokens.count(where, 6))]
    legal = {axis + kind for axis in _AXES for kind in ("position", "rotation")}
    if not set(channels) <= legal or len(set(channels)) < len(channels):
        raise InputError(
            f"{tokens.path}, {where}", " ".join(channels)[:80], "different ones like Xposition, Zrotation"
        )
    return channels


def _read_motion(tokens: _Tokens, num_channels: int, rate: float | None) -> tuple[np.ndarray, float]:
    """Channel values (T, channels) and the frame rate."""
    tokens.expect("MOTION", "Frames:")
    num_frames = tokens.count("Frames", 10**8)
    tokens.expect("Frame", "Time:")
    frame_time = tokens.number("Frame Time")
    if rate is None and not frame_time > 0:
        raise InputError(f"{tokens.path}, Frame Time", f"{frame_time:g} s", "more than 0 s")
    words = tokens.words[tokens.next :]
    if num_channels == 0 or num_frames == 0:
        raise InputError(
            f"{tokens.path}, MOTION", f"{num_frames} frames of {num_channels} channels", "some motion"
        )
    if len(words) != num_frames * num_channels:
        frames = f"{len(words) / num_channels:.8g} frames of {num_channels} values"
        raise InputError(f"{tokens.path}, Frames", frames, f"the {num_frames} that the header states")
    try:
        values = np.array(words, dtype=np.float64)
    except ValueError:
        values = np.array([_number(word, f"{tokens.path}, MOTION") for word in words])
    if not np.abs(values).max() < 1e9:
        raise InputError(f"{tokens.path}, MOTION", "a value that is huge or not finite", "finite numbers")
    return values.reshape(num_frames, num_channels), _nominal_rate(frame_time) if rate is None else rate


def _nominal_rate(frame_time: float) -> float:
    """Frame times are written with few digits: 0.0083333 s means 120 Hz."""
    rate = 1.0 / frame_time
    return float(round(rate)) if abs(rate - round(rate)) < 1e-4 * rate else rate


def _without_calibration_pose(values: np.ndarray, joints: list[_Joint], path: Path) -> np.ndarray:
    is_rotation = [channel.endswith("rotation") for joint in joints for channel in joint.channels]
    zeros = (np.abs(values[:2, is_rotation]) < 0.1).mean(axis=1) if any(is_rotation) else np.zeros(0)
    if len(zeros) == 2 and zeros[0] > 0.7 and zeros[0] - zeros[1] > 0.3:
        _log.info("%s: the first frame is a T-pose and was left out", path)
        return values[1:]
    return values


def _local_poses(
    joints: list[_Joint], offsets: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    num_frames = len(values)
    rotmats = np.broadcast_to(np.eye(3), (num_frames, len(joints), 3, 3)).copy()
    positions = np.broadcast_to(offsets, (num_frames, len(joints), 3)).copy()
    first = 0
    for index, joint in enumerate(joints):
        columns = values[:, first : first + len(joint.channels)]
        first += len(joint.channels)
        sequence = "".join(channel[0].upper() for channel in joint.channels if channel.endswith("rotation"))
        is_rotation = np.array([channel.endswith("rotation") for channel in joint.channels], dtype=bool)
        if sequence:
            angles = columns[:, is_rotation]
            rotmats[:, index] = Rotation.from_euler(sequence, angles, degrees=True).as_matrix()
        for column, channel in enumerate(joint.channels):
            if not is_rotation[column]:
                positions[:, index, _AXES[channel[0]]] = columns[:, column]
    return rotmats, positions
