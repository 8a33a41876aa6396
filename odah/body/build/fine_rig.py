"""How the skin should move: MakeHuman's 163 bones with shared twist, then delta mush.

The fine rig is driven by the same 55 joint rotations as the body that is built, so that its vertices
are targets for that body's pose correctives. Delta mush: Mancewicz et al. 2014.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
import torch
from scipy.spatial.transform import Rotation

from odah.body.build.makehuman import MakeHuman
from odah.body.build.rerest import t_pose_rotmats
from odah.body.lbs import compose_rotations, place_joints, skin
from odah.body.mesh import vertex_normals
from odah.names import SIDES, SMPLX_INDEX, SMPLX_PARENTS


class _Twist(NamedTuple):
    """A bone turns about the limb's axis by `share` of the twist of `joint` (negative: lags behind)."""

    bone: str
    joint: str
    axis: tuple[str, str]
    share: float


_TWISTS = (
    _Twist("upperarm01", "shoulder", ("shoulder", "elbow"), -0.6),
    _Twist("upperarm02", "shoulder", ("shoulder", "elbow"), -0.15),
    _Twist("lowerarm01", "elbow", ("elbow", "wrist"), -0.5),
    _Twist("lowerarm02", "elbow", ("elbow", "wrist"), -0.15),
    _Twist("lowerarm01", "wrist", ("elbow", "wrist"), 0.2),
    _Twist("lowerarm02", "wrist", ("elbow", "wrist"), 0.6),
    _Twist("upperleg01", "hip", ("hip", "knee"), -0.5),
    _Twist("lowerleg02", "ankle", ("knee", "ankle"), 0.5),
)


@dataclass(frozen=True)
class FineRig:
    """One shape in its A-pose on the fine rig.

    vertices: (N, 3). joints: (55, 3). to_t_pose: (55, 3, 3) global rotations A-pose -> T-pose.
    t_joints: (55, 3) joints in the T-pose. mush: the smoothing that follows the skinning.
    """

    source: MakeHuman
    vertices: np.ndarray
    joints: np.ndarray
    to_t_pose: np.ndarray
    t_joints: np.ndarray
    mush: DeltaMush

    @classmethod
    def of(cls, source: MakeHuman, vertices: np.ndarray, joints: np.ndarray) -> FineRig:
        """The rig of one A-pose shape: vertices (N, 3) and joints (55, 3), m."""
        rotmats = t_pose_rotmats(joints[None])[0]
        t_joints = place_joints(torch.as_tensor(joints), torch.as_tensor(rotmats), SMPLX_PARENTS)
        vertices = vertices.astype(np.float64)
        mush = DeltaMush(vertices, source.faces, mush_mask(source.joint_weights))
        return cls(source, vertices, joints, rotmats, t_joints.numpy(), mush)

    def t_vertices(self) -> np.ndarray:
        """The T-pose (N, 3) that the body's own template has: plain skinning of 55 joints."""
        return self._skin(self.source.joint_weights, self.to_t_pose[None], self.t_joints[None])[0]

    def pose(self, poses: np.ndarray) -> np.ndarray:
        """Vertices (P, N, 3) of poses (P, 55, 3), local rotation vectors relative to the T-pose."""
        local = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(-1, 55, 3, 3)
        turned = compose_rotations(torch.as_tensor(local), SMPLX_PARENTS)
        placed = place_joints(torch.as_tensor(self.t_joints), turned, SMPLX_PARENTS).numpy()
        bone_joint = self.source.bone_joint
        bones = turned.numpy()[:, bone_joint]
        for twist in _TWISTS:
            self._apply_twist(bones, local, twist)
        bones = bones @ self.to_t_pose[bone_joint]
        posed = self._skin(self.source.bone_weights, bones, placed[:, bone_joint], self.joints[bone_joint])
        return np.stack([self.mush(v) for v in posed])

    def _apply_twist(self, bones: np.ndarray, local: np.ndarray, twist: _Twist) -> None:
        for side, suffix in zip(SIDES, "LR", strict=True):
            start, end = (self.t_joints[SMPLX_INDEX[f"{side}_{name}"]] for name in twist.axis)
            axis = (end - start) / np.linalg.norm(end - start)
            angles = twist_angles(local[:, SMPLX_INDEX[f"{side}_{twist.joint}"]], axis)
            bone = self.source.bone_names.index(f"{twist.bone}.{suffix}")
            bones[:, bone] = (
                bones[:, bone] @ Rotation.from_rotvec(twist.share * angles[:, None] * axis).as_matrix()
            )

    def _skin(
        self, weights: np.ndarray, rotmats: np.ndarray, posed: np.ndarray, joints: np.ndarray | None = None
    ) -> np.ndarray:
        rest = self.joints if joints is None else joints
        arrays = (self.vertices, weights, rest, rotmats, posed)
        return skin(*(torch.as_tensor(a) for a in arrays)).numpy()


def twist_angles(rotmats: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Angle of each rotation's twist about unit `axis` (swing-twist decomposition), rad in -pi..pi."""
    quat = Rotation.from_matrix(rotmats).as_quat()
    angles = 2 * np.arctan2(quat[:, :3] @ axis, quat[:, 3])
    return (angles + np.pi) % (2 * np.pi) - np.pi


def mush_mask(joint_weights: np.ndarray) -> np.ndarray:
    """How much smoothing each vertex gets, (N,): none on head, hands and toes, whose detail it blurs."""
    kept = ("head", "jaw", "eye", "index", "middle", "pinky", "ring", "thumb", "foot")
    detailed = [i for name, i in SMPLX_INDEX.items() if any(word in name for word in kept)]
    return np.clip(1.5 * (1 - joint_weights[:, detailed].sum(1)) - 0.25, 0, 1)


class DeltaMush:
    """Smooth a posed mesh, then add back the detail that smoothing takes from the rest mesh."""

    def __init__(
        self,
        vertices: np.ndarray,
        faces: np.ndarray,
        mask: np.ndarray,
        iterations: int = 12,
        step: float = 0.5,
    ) -> None:
        edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        size = len(vertices)
        touching = sp.coo_matrix((np.ones(len(edges)), edges.T), (size, size)).tocsr()
        touching = ((touching + touching.T) > 0).astype(np.float64)
        mean = sp.diags(1 / np.maximum(touching.sum(1).A1, 1)) @ touching
        self._smoothing = (sp.identity(size) * (1 - step) + mean * step).tocsr()
        self._iterations = iterations
        self._faces = faces
        self._mask = mask[:, None]
        self._neighbour = touching.tocsr().indices[touching.indptr[:-1]]
        smooth = self._smooth(vertices)
        self._detail = np.einsum("nji,nj->ni", self._frames(smooth), vertices - smooth)

    def __call__(self, vertices: np.ndarray) -> np.ndarray:
        smooth = self._smooth(vertices)
        restored = smooth + np.einsum("nij,nj->ni", self._frames(smooth), self._detail)
        return vertices + self._mask * (restored - vertices)

    def _smooth(self, vertices: np.ndarray) -> np.ndarray:
        for _ in range(self._iterations):
            vertices = self._smoothing @ vertices
        return vertices

    def _frames(self, vertices: np.ndarray) -> np.ndarray:
        """Surface frames (N, 3, 3): normal, direction to one neighbour, and their cross product."""
        normal = vertex_normals(vertices, self._faces)
        along = vertices[self._neighbour] - vertices
        along = _unit(along - (along * normal).sum(1, keepdims=True) * normal)
        return np.stack([normal, along, np.cross(normal, along)], -1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
