"""Named regions of the body's surface, for those who colour, dress or measure it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odah.body.build.makehuman import MakeHuman
from odah.body.build.vertex_order import LANDMARK_IDS
from odah.body.mesh import vertex_normals
from odah.names import FINGERS, SIDES, SMPLX_INDEX

_PARTS = {
    "head": ("head", "jaw"),
    "neck": ("neck",),
    "torso": ("pelvis", "spine1", "spine2", "spine3", "left_collar", "right_collar"),
    "{side}_upper_arm": ("{side}_shoulder",),
    "{side}_forearm": ("{side}_elbow",),
    "{side}_hand": ("{side}_wrist", *(f"{{side}}_{f}{k}" for f in FINGERS for k in (1, 2, 3))),
    "{side}_thigh": ("{side}_hip",),
    "{side}_shank": ("{side}_knee",),
    "{side}_foot": ("{side}_ankle", "{side}_foot"),
}
"""Body parts: each vertex belongs to the one whose joints carry most of it; eyeballs to none."""

_LIP_RINGS = 7
"""Edge loops of MakeHuman's mouth from the texture seam inside it to the border of the lips."""

_HIGHEST_LIP = -0.45
"""Height (0 eyes, 1 crown)."""

_MOUTH_UV = ((0.76, 0.925), (0.0, 0.145))
"""Where the inside of the mouth lies in MakeHuman's texture."""

_HAIRLINE = ((-1.0, -0.45, -0.15, 0.0, 0.15, 0.45, 0.75), (-0.75, -0.7, -0.5, 0.0, 0.12, 0.4, 0.62))
"""Depth (0 ear, 1 nose tip) -> lowest height of hair (0 eyes, 1 crown)."""

_BEARD_LINE = ((0.1, 0.3, 0.7, 0.85), (-0.2, -0.5, -0.55, -0.47))
"""Depth -> highest height of beard."""

_BROW_ARCH = ((0.4, 0.9, 1.3, 1.75), (0.2, 0.215, 0.22, 0.16))
"""Distance from the midline (1 the eyes') -> height of the brow's middle."""

_BROW_HALF_WIDTH = 0.04

_THUMB_BACK = np.array([0.0, 0.8, 0.6])
"""Direction the thumb's nail faces with the palm down."""


def vertex_groups(source: MakeHuman, vertices: np.ndarray, joints: np.ndarray) -> dict[str, np.ndarray]:
    """Vertex numbers of each region of the T-pose mesh (N, 3): body parts, face, eyes, landmarks."""
    groups = _body_parts(source.joint_weights)
    groups |= _face_regions(source, vertices, groups["head"])
    for side in SIDES:
        groups[f"{side}_nails"] = _nails(source, vertices, joints, side)
    groups |= source.eye_parts
    return groups | {f"landmark_{name}": np.array([i]) for name, i in LANDMARK_IDS.items()}


def _body_parts(weights: np.ndarray) -> dict[str, np.ndarray]:
    members = {}
    for pattern, joints in _PARTS.items():
        for side in SIDES if "{side}" in pattern else ("",):
            columns = [SMPLX_INDEX[joint.format(side=side)] for joint in joints]
            members[pattern.format(side=side)] = weights[:, columns].sum(1)
    eyes = weights[:, [SMPLX_INDEX["left_eye"], SMPLX_INDEX["right_eye"]]].sum(1)
    winner = np.argmax(np.stack([*members.values(), eyes]), axis=0)
    return {name: np.flatnonzero(winner == k) for k, name in enumerate(members)}


def _face_regions(source: MakeHuman, vertices: np.ndarray, head: np.ndarray) -> dict[str, np.ndarray]:
    """Scalp, ears, brows, beard area, lips and the inside of the mouth, by rules on the average face."""
    face = _FaceFrame.of(vertices)
    inside = np.intersect1d(_in_mouth(source), head)  # finger tips share a corner of that square
    lips = np.setdiff1d(_grow(source.faces, inside, _LIP_RINGS), inside)
    # The throat's end of the mouth borders on skin too.
    lips = lips[face.height(vertices[lips]) < _HIGHEST_LIP]
    x, y, z = np.abs(vertices[:, 0]), face.height(vertices), face.depth(vertices)
    is_skin = np.isin(np.arange(len(vertices)), head)
    is_skin[np.concatenate([inside, *source.eye_parts.values()])] = False
    is_ear = is_skin & (x > 0.8 * face.half_width) & (np.hypot((y + 0.27) / 0.36, (z + 0.02) / 0.22) < 1)
    is_scalp = is_skin & ~is_ear & (y > np.interp(z, *_HAIRLINE)) & (z < 0.98)
    arch = np.interp(x / face.eye_distance, *_BROW_ARCH, left=np.inf, right=np.inf)
    is_brow = is_skin & (z > 0.5) & (np.abs(y - arch) < _BROW_HALF_WIDTH)
    is_beard = is_skin & ~is_ear & (z > 0.12) & (y < np.interp(z, *_BEARD_LINE))
    is_beard[lips] = False
    masks = {"ears": is_ear, "scalp": is_scalp, "eyebrows": is_brow, "beard": is_beard}
    return {"lips": lips, "mouth_inside": inside} | {name: np.flatnonzero(m) for name, m in masks.items()}


@dataclass(frozen=True)
class _FaceFrame:
    """Lengths of a face that its regions are placed by, m."""

    eye_height: float
    crown: float
    ear_depth: float
    nose_depth: float
    half_width: float
    eye_distance: float

    @classmethod
    def of(cls, vertices: np.ndarray) -> _FaceFrame:
        landmark = {name: vertices[i] for name, i in LANDMARK_IDS.items()}
        return cls(
            eye_height=landmark["left_eye"][1],
            crown=vertices[:, 1].max(),
            ear_depth=landmark["left_ear"][2],
            nose_depth=landmark["nose"][2],
            half_width=landmark["left_ear"][0],
            eye_distance=landmark["left_eye"][0],
        )

    def height(self, vertices: np.ndarray) -> np.ndarray:
        """0 at the eyes, 1 at the crown."""
        return (vertices[:, 1] - self.eye_height) / (self.crown - self.eye_height)

    def depth(self, vertices: np.ndarray) -> np.ndarray:
        """0 at the ears, 1 at the tip of the nose."""
        return (vertices[:, 2] - self.ear_depth) / (self.nose_depth - self.ear_depth)


def _in_mouth(source: MakeHuman) -> np.ndarray:
    """Vertices all of whose corners lie in the mouth's part of the texture."""
    (left, right), (bottom, top) = _MOUTH_UV
    u, v = source.uv[source.uv_faces].reshape(-1, 2).T
    corners = source.faces.ravel()
    is_mouth = (u > left) & (u < right) & (v > bottom) & (v < top)
    return np.setdiff1d(corners[is_mouth], corners[~is_mouth])


def _grow(faces: np.ndarray, members: np.ndarray, rings: int) -> np.ndarray:
    """`members` and every vertex within `rings` faces of them."""
    for _ in range(rings):
        members = np.unique(faces[np.isin(faces, members).any(1)])
    return members


def _nails(source: MakeHuman, vertices: np.ndarray, joints: np.ndarray, side: str) -> np.ndarray:
    """Back of the outer part of each finger's last segment."""
    normals = vertex_normals(vertices, source.faces)
    nails = []
    for finger in FINGERS:
        last = SMPLX_INDEX[f"{side}_{finger}3"]
        along = vertices[LANDMARK_IDS[f"{side}_{finger}"]] - joints[last]
        share = (vertices - joints[last]) @ along / (along @ along)
        back = _THUMB_BACK if finger == "thumb" else np.array([0.0, 1.0, 0.0])
        is_nail = (share > 0.5) & (normals @ back > 0.75) & (source.joint_weights[:, last] > 0.5)
        nails.append(np.flatnonzero(is_nail))
    return np.concatenate(nails)
