"""A body thinned to a few thousand points with normals, by part: enough to see where it touches itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from odah.body.body_model import BodyModel
from odah.body.mesh import thinned, vertex_normals
from odah.names import SMPLX_INDEX, SMPLX_JOINTS

_SPACING, _FINE_SPACING = 0.030, 0.018
"""m; edge of the cells of which each keeps one vertex; the fine ones for hands and feet."""
_CHUNK = 64
_PART_OF_JOINT = {
    "hip": "thigh", "knee": "shank", "ankle": "foot", "foot": "foot",
    "shoulder": "upper arm", "elbow": "forearm",
}  # fmt: skip
_TRUNK, _HEAD = (
    ("pelvis", "spine1", "spine2", "spine3", "left_collar", "right_collar"),
    ("neck", "head", "jaw"),
)


def part_of_joint(joint: str) -> str:
    """The part, e.g. "left hand", that an SMPL-X joint moves; "" for eyes."""
    if joint in _TRUNK:
        return "trunk"
    if joint in _HEAD:
        return "head"
    side, _, name = joint.partition("_")
    return "" if name == "eye" else f"{side} {_PART_OF_JOINT.get(name, 'hand')}"


@dataclass(frozen=True)
class BodySample:
    """body: restricted to the sample's vertices (P). parts: (P,) names.

    rest: (P, 3) m, and normals: (P, 3), in the T-pose of `betas`.
    """

    body: BodyModel
    betas: np.ndarray
    parts: np.ndarray
    rest: np.ndarray
    normals: np.ndarray

    def posed(
        self, poses: Float[np.ndarray, "T 55 3"], transl: Float[np.ndarray, "T 3"]
    ) -> tuple[Float[np.ndarray, "T P 3"], Float[np.ndarray, "T P 3"]]:
        """Points, world, m, and unit normals."""
        dtype, weights = self.body.dtype, self.body.lbs_weights
        betas, normals = (torch.as_tensor(a, dtype=dtype) for a in (self.betas, self.normals))
        points, turned = (np.empty((len(poses), *self.rest.shape), np.float32) for _ in range(2))
        for start in range(0, len(poses), _CHUNK):
            part = slice(start, start + _CHUNK)
            with torch.no_grad():
                pose = self.body(betas, *(torch.as_tensor(a[part], dtype=dtype) for a in (poses, transl)))
                blended = (weights @ pose.joint_rotmats.flatten(-2)).unflatten(-1, (3, 3))
            points[part] = pose.vertices.numpy()
            turned[part] = torch.nn.functional.normalize(
                (blended @ normals[..., None])[..., 0], dim=-1
            ).numpy()
        return points, turned


def sample_body(body: BodyModel, betas: Float[np.ndarray, " S"]) -> BodySample:
    """One vertex of each cell of a grid, by part; eyes, mouth and ear canals left out."""
    with torch.no_grad():
        vertices, joints = (a.double().numpy() for a in body.shaped(torch.as_tensor(betas, dtype=body.dtype)))
    normals = vertex_normals(vertices, body.faces)
    parts = np.array([part_of_joint(name) for name in SMPLX_JOINTS])[body.lbs_weights.argmax(dim=1).numpy()]
    outward = ((vertices - joints[SMPLX_INDEX["head"]]) * normals).sum(axis=1) > 0
    chosen = []
    for name in sorted(set(parts) - {""}):
        members = np.flatnonzero((parts == name) & (outward | (name != "head")))
        spacing = _FINE_SPACING if name.endswith(("hand", "foot")) else _SPACING
        chosen.append(thinned(vertices, members, spacing))
    index = np.sort(np.concatenate(chosen))
    return BodySample(body.restricted_to(index), betas, parts[index], vertices[index], normals[index])
