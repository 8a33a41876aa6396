"""A body written in SMPL-X's file format, so that tools made for SMPL-X can load it.

The `smplx` package reads it unchanged when the file is called `SMPLX_<GENDER>.npz`. Two things are
not there to be exported: facial expressions (those components are zero), and the 68 face landmarks of
dlib, all of which are put at the nose.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from odah.body.body_model import BodyModel
from odah.body.files import NUM_JOINTS, NUM_POSE_FEATURES, write_arrays
from odah.body.smplx_file import NUM_EXPRESSION_COMPONENTS, NUM_SHAPE_COMPONENTS
from odah.errors import InputError
from odah.names import SMPLX_PARENTS

_NUM_STATIC_LANDMARKS, _NUM_CONTOUR_LANDMARKS, _NUM_CONTOUR_YAWS = 51, 17, 79
_HAND_FEATURES = 45
_NEAREST_VERTICES = 800


def write_smplx_npz(body: BodyModel, path: str | Path) -> None:
    """Write `body` as an SMPL-X `.npz`, whole or not at all; hands are flat at zero pose.

    The joint regressor is exact for every betas, which needs large weights of both signs: do not use
    it on posed or scanned meshes.

    Raises:
        InputError: the body has no faces or no texture coordinates (`restricted_to` drops them).
    """
    if len(body.faces) == 0 or body.uv is None or body.uv_faces is None:
        raise InputError(body.name, "a body without faces", "a whole body")
    num_vertices = body.num_vertices
    shapedirs = np.zeros((num_vertices, 3, NUM_SHAPE_COMPONENTS + NUM_EXPRESSION_COMPONENTS), np.float32)
    shapedirs[..., : body.num_betas] = body.shapedirs.numpy()
    posedirs = np.zeros((num_vertices, 3, NUM_POSE_FEATURES), np.float32)
    if body.posedirs is not None:
        posedirs[:] = body.posedirs.numpy()
    parents = np.array(SMPLX_PARENTS, np.int64)
    parents[0] = np.iinfo(np.uint32).max
    arrays = {
        "v_template": body.v_template.numpy().astype(np.float32),
        "f": body.faces.astype(np.uint32),
        "shapedirs": shapedirs,
        "posedirs": posedirs,
        "J_regressor": exact_joint_regressor(body),
        "weights": body.lbs_weights.numpy().astype(np.float32),
        "kintree_table": np.stack([parents, np.arange(NUM_JOINTS)]),
        "vt": body.uv.astype(np.float32),
        "ft": body.uv_faces.astype(np.uint32),
    }
    write_arrays(path, arrays | _hand_arrays(body) | _landmark_arrays(body))


def exact_joint_regressor(body: BodyModel) -> np.ndarray:
    """(55, N) weights, rows sum to 1, that give the rest joints of every betas from the rest vertices.

    A bell-shaped mean of the vertices nearest to a joint, plus the smallest correction that makes
    template and all shape directions exact.
    """
    vertices = np.concatenate(
        [body.v_template.numpy()[..., None], body.shapedirs.numpy()], -1, dtype=np.float64
    )
    joints = np.concatenate(
        [body.joint_template.numpy()[..., None], body.joint_shapedirs.numpy()], -1, dtype=np.float64
    )
    regressor = np.zeros((NUM_JOINTS, len(vertices)))
    for joint, wanted in enumerate(joints):
        distances = np.linalg.norm(vertices[..., 0] - wanted[:, 0], axis=1)
        nearest = np.argsort(distances)[:_NEAREST_VERTICES]
        system = np.vstack([vertices[nearest].reshape(len(nearest), -1).T, np.ones(len(nearest))])
        target = np.append(wanted.ravel(), 1.0)
        bell = np.exp(-((distances[nearest] / np.median(distances[nearest])) ** 2))
        bell /= bell.sum()
        regressor[joint, nearest] = bell + np.linalg.pinv(system, rcond=1e-12) @ (target - system @ bell)
    return regressor


def _hand_arrays(body: BodyModel) -> dict[str, np.ndarray]:
    """The relaxed hands as mean pose, and principal components that are the joint angles themselves."""
    arrays = {}
    for side, mean in zip("lr", body.hand_mean.reshape(2, _HAND_FEATURES), strict=True):
        arrays[f"hands_mean{side}"] = mean
        arrays[f"hands_components{side}"] = np.eye(_HAND_FEATURES)
        arrays[f"hands_coeffs{side}"] = np.zeros((1, _HAND_FEATURES))
    return arrays


def _landmark_arrays(body: BodyModel) -> dict[str, np.ndarray]:
    nose = body.groups.get("landmark_nose", np.array([0]))[0]
    face = int(np.flatnonzero((body.faces == nose).any(1))[0])
    contour = (_NUM_CONTOUR_YAWS, _NUM_CONTOUR_LANDMARKS)
    return {
        "lmk_faces_idx": np.full(_NUM_STATIC_LANDMARKS, face),
        "lmk_bary_coords": np.full((_NUM_STATIC_LANDMARKS, 3), 1 / 3),
        "dynamic_lmk_faces_idx": np.full(contour, face),
        "dynamic_lmk_bary_coords": np.full((*contour, 3), 1 / 3),
    }
