"""Learns the covariances of `pose_prior.yaml` from recorded motion.

    python -m odah.body.fitting.pose_prior_fit ../shared/data/cmu_mocap

Trunk, neck and head only: there the recordings' skeletons have all three axes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from odah.errors import InputError
from odah.files import atomic_path
from odah.motion.load import load_motion
from odah.motion.types import Motion
from odah.names import SMPLX_INDEX

LEARNED = ("spine1", "spine2", "spine3", "neck", "head")
SOURCE = "CMU Graphics Lab Motion Capture Database (mocap.cs.cmu.edu), free for all uses; NSF EIA-0196217"
_RATE, _MAX_FRAMES = 10.0, 150
"""So many frames a second of a recording, and at most so many of it, that no long one dominates."""
_FLOOR = 0.05
"""rad, the least spread: of what differs between a body and the skeleton recorded."""
_MIRROR = np.array([1.0, -1.0, -1.0])


def sampled_poses(folder: Path) -> tuple[np.ndarray, list[str]]:
    """(N, 55, 3) rotation vectors, rad, of the .amc and .bvh files below a folder, and the files' names.

    Raises:
        InputError: there is none that can be read.
    """
    poses, names = [], []
    for path in sorted([*folder.rglob("*.amc"), *folder.rglob("*.bvh")]):
        try:
            motion = load_motion(path)
        except InputError as error:
            print(f"left out: {error}")
            continue
        if isinstance(motion, Motion):
            poses.append(motion.poses[:: max(1, round(motion.rate / _RATE))][:_MAX_FRAMES])
            names.append(path.name)
    if not poses:
        raise InputError(str(folder), "no readable motion", "a folder with .amc or .bvh files")
    return np.concatenate(poses), names


def learned_covariances(poses: np.ndarray) -> dict[str, list[list[float]]]:
    """Second moments (3, 3) about the T-pose, rad^2, of (N, 55, 3) poses and their mirror images."""
    result = {}
    for name in LEARNED:
        rotvecs = poses[:, SMPLX_INDEX[name]]
        both = np.concatenate([rotvecs, rotvecs * _MIRROR])
        moment = both.T @ both / len(both) + _FLOOR**2 * np.eye(3)
        result[name] = moment.round(5).tolist()
    return result


def write_covariances(path: Path, poses: np.ndarray, names: Sequence[str]) -> None:
    """Replaces covariances and provenance in the file; what is hand-set there stays, with its comments."""
    provenance = {"source": SOURCE, "recordings": len(names), "frames": len(poses), "files": " ".join(names)}
    text = path.read_text()
    for key, value in (("covariances", learned_covariances(poses)), ("provenance", provenance)):
        block = yaml.safe_dump({key: value}, sort_keys=False, default_flow_style=None, width=110)
        text = re.sub(rf"^{key}:.*\n(?:[ ].*\n)*", lambda _, block=block: block, text, flags=re.MULTILINE)
    with atomic_path(path) as temporary:
        temporary.write_text(text)


if __name__ == "__main__":
    write_covariances(Path(__file__).with_name("pose_prior.yaml"), *sampled_poses(Path(sys.argv[1])))
