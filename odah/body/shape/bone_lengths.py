"""Bone lengths as further shape coefficients of a body.

A principal-component shape space ties a person's segments together, while an OpenSim model scales each
segment on its own. Nine symmetric stretches of body parts close that gap. Each is linear in its
coefficient, so a stretched body is a body with nine more `betas`; one unit is 10 % of the part's size.

`with_bone_lengths(load_body())` is the way to such a body, `BodyFitter.body` is one already;
`BodyModel.bone_lengths` and `beta_names` tell which betas they are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from odah.body.body_model import BodyModel
from odah.names import SMPLX_INDEX, SMPLX_PARENTS

UNIT = 0.1
"""Relative change of a part's size for a coefficient of one."""

_ALONG_BONE = {"thigh": ("hip", "knee"), "shank": ("knee", "ankle"), "upper_arm": ("shoulder", "elbow"),
               "forearm": ("elbow", "wrist")}  # fmt: skip
_ALONG_AXIS = {
    "torso_height": (1, ("pelvis", "spine1", "spine2", "spine3")),
    "hip_width": (0, ("pelvis",)),
    "shoulder_width": (0, ("spine3", "left_collar", "right_collar")),
    "foot_length": (2, ("left_ankle", "right_ankle", "left_foot", "right_foot")),
    "foot_height": (1, ("left_ankle", "right_ankle", "left_foot", "right_foot")),
}
BONE_LENGTHS: tuple[str, ...] = (*_ALONG_BONE, *_ALONG_AXIS)
"""Names of the added coefficients, in order."""

_SIGMA_AND_BOUND = {"thigh": (0.5, 1.5), "shank": (0.5, 1.5), "upper_arm": (0.5, 1.5), "forearm": (0.5, 1.5),
                    "torso_height": (0.5, 1.5), "hip_width": (0.5, 2.0), "shoulder_width": (0.4, 1.3),
                    "foot_length": (0.5, 1.5), "foot_height": (0.3, 1.0)}  # fmt: skip
BONE_LENGTH_SIGMAS: tuple[float, ...] = tuple(_SIGMA_AND_BOUND[name][0] for name in BONE_LENGTHS)
"""Spread of each coefficient. Adults' segment lengths and breadths vary by about 5 % of their mean (compare
Gordon et al. 2014, ANSUR II, NATICK/TR-15/007)."""
BONE_LENGTH_BOUNDS: tuple[float, ...] = tuple(_SIGMA_AND_BOUND[name][1] for name in BONE_LENGTHS)
"""Largest magnitude of each coefficient, at least three standard deviations. Hips may be wider apart, because
where a mesh's hip joints are is a convention; a foot less high, because a model scaled to few markers is
often far too high there and a body must not follow it."""


def _stretches(name: str, joints: np.ndarray) -> np.ndarray:
    """(55, 3, 3): the stretch each part undergoes for a unit of the named coefficient."""
    stretch = np.zeros((len(SMPLX_PARENTS), 3, 3))
    if name in _ALONG_BONE:
        near, far = _ALONG_BONE[name]
        for side in ("left", "right"):
            part = SMPLX_INDEX[f"{side}_{near}"]
            bone = joints[SMPLX_INDEX[f"{side}_{far}"]] - joints[part]
            bone /= np.linalg.norm(bone)
            stretch[part] = UNIT * np.outer(bone, bone)
        return stretch
    axis, parts = _ALONG_AXIS[name]
    for part in parts:
        stretch[SMPLX_INDEX[part], axis, axis] = UNIT
    return stretch


def bone_length_directions(
    joints: np.ndarray, vertices: np.ndarray, lbs_weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Shape directions (N, 3, 9) and joint directions (55, 3, 9) of the bone lengths, m per unit.

    A part stretched by S about its joint carries its children along, u_c = u_j + S_j (J_c - J_j);
    vertices blend their parts' displacements by skinning weight.
    """
    vertex_dirs, joint_dirs = [], []
    for name in BONE_LENGTHS:
        stretch = _stretches(name, joints)
        moved = np.zeros_like(joints)
        for joint, parent in enumerate(SMPLX_PARENTS):
            if parent >= 0:
                moved[joint] = moved[parent] + stretch[parent] @ (joints[joint] - joints[parent])
        offset = moved - np.einsum("jab,jb->ja", stretch, joints)
        vertex_dirs.append(
            np.einsum("nj,jab,nb->na", lbs_weights, stretch, vertices, optimize=True) + lbs_weights @ offset
        )
        joint_dirs.append(moved)
    return np.stack(vertex_dirs, -1), np.stack(joint_dirs, -1)


def with_bone_lengths(body: BodyModel) -> BodyModel:
    """The same body with `BONE_LENGTHS` appended to its betas; one that has them already as it is."""
    if body.bone_lengths:
        return body
    vertex_dirs, joint_dirs = bone_length_directions(
        *(t.double().numpy() for t in (body.joint_template, body.v_template, body.lbs_weights))
    )
    return replace(
        body,
        bone_lengths=BONE_LENGTHS,
        shapedirs=torch.cat([body.shapedirs, torch.from_numpy(vertex_dirs).to(body.dtype)], -1),
        joint_shapedirs=torch.cat([body.joint_shapedirs, torch.from_numpy(joint_dirs).to(body.dtype)], -1),
    )
