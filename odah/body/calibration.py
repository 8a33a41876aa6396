"""Virtual people for a registration, and the OpenSim model scaled, posed and calibrated to them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from odah.body.body_model import BodyModel
from odah.body.marker_layout import MarkerLayout
from odah.body.pose_sampling import sample_poses, upright_poses
from odah.body.registration import SEGMENTS
from odah.body.skeleton_fit import SkeletonFit, SkeletonFitter
from odah.names import SMPLX_INDEX
from odah.osim.fk import ForwardKinematics
from odah.osim.model import Marker, Model

_R_GROUND_BODY = Rotation.from_euler("y", np.pi / 2)
"""A body in T-pose faces +Z, the OpenSim model +X; both are Y-up."""

_EXTRA_MARKERS = {"MC2": ("hand", (0.0, -0.08, 0.03)), "MC5": ("hand", (0.0, -0.075, -0.035))}
"""Markers the layout adds to the model's: heads of metacarpals, on the right hand, m."""

_T_POSE_DEG = {"arm_add_r": -88, "arm_add_l": -88, "pro_sup_r": 70, "pro_sup_l": 70}

_SOFT_MARKERS = ("TH1", "TH2", "TH3", "TB1", "TB2", "TB3", "UA1", "UA2", "UA3", "ASH", "PSH")
_SOFT_WEIGHT = 0.3
"""Weight of markers on muscle in the skeleton fit, against 1 of bony landmarks."""


@dataclass(frozen=True)
class Samples:
    """People in poses, in OpenSim's ground: vertices (S, F, N, 3) float32 m, global joint rotations
    (S, F, 55, 3, 3), markers (S, F, M, 3), stature (S,) m. Frame 0 is the T-pose facing X."""

    vertices: np.ndarray
    rotmats: np.ndarray
    markers: np.ndarray
    stature: np.ndarray


def sample_people(
    body: BodyModel, layout: MarkerLayout, betas: np.ndarray, frames: int, seed: int
) -> Samples:
    """Each of `betas` (S, B) in the T-pose, standing, and in `frames` - 2 random poses."""
    rng = np.random.default_rng(seed)
    vertices, rotmats = [], []
    for shape in betas:
        poses = np.concatenate([upright_poses(), sample_poses(rng, frames - 2)])
        poses[:, -len(body.hand_mean) :] = body.hand_mean
        poses[:, 0] = (_R_GROUND_BODY * Rotation.from_rotvec(poses[:, 0])).as_rotvec()
        with torch.no_grad():
            posed = body(torch.as_tensor(shape, dtype=body.dtype), torch.as_tensor(poses, dtype=body.dtype))
        vertices.append(posed.vertices.numpy())
        rotmats.append(posed.joint_rotmats.double().numpy())
    stacked = np.stack(vertices)
    markers = stacked[:, :, layout.vertices].astype(np.float64)
    return Samples(
        stacked, np.stack(rotmats), markers, np.ptp(stacked[:, 0, :, 1], axis=1).astype(np.float64)
    )


def initial_markers(model: Model, layout: MarkerLayout) -> Model:
    """The model with the layout's markers, in the layout's order."""
    known = {marker.name: marker for marker in model.markers}
    markers = []
    for name, entry in layout.markers.items():
        if name in known:
            markers.append(known[name])
            continue
        body, offset = _EXTRA_MARKERS[name[1:]]
        mirror = np.array([1.0, 1.0, 1.0 if entry.side == "right" else -1.0])
        markers.append(Marker(name, f"{body}_{entry.side[0]}", np.array(offset) * mirror))
    return model.with_markers(tuple(markers))


def marker_weights(layout: MarkerLayout) -> np.ndarray:
    """(M,) weights of the markers in the skeleton fit."""
    return np.array([_SOFT_WEIGHT if name.endswith(_SOFT_MARKERS) else 1.0 for name in layout.names])


def fit_skeletons(
    model: Model, weights: np.ndarray, samples: Samples, alignments: np.ndarray | None
) -> list[SkeletonFit]:
    """Scale and pose the model to every person; alignments (S, 3, 3) give a good start."""
    joints = [SMPLX_INDEX[name] for name in SEGMENTS]
    fits = []
    for person, factor in enumerate(samples.stature / 1.70):
        fitter = SkeletonFitter(model, weights, tuple(SEGMENTS.values()))
        frames = slice(0, 1) if alignments is None else slice(None)
        markers, roots = samples.markers[person, frames], samples.rotmats[person, frames, 0]
        if alignments is None:
            fits.append(fitter.fit(markers, _start(model, markers, roots, {}), factor)[0])
            continue
        wanted = samples.rotmats[person][:, joints] @ np.swapaxes(alignments, -1, -2)
        start = _start(
            model, markers, roots, dict(zip(SEGMENTS.values(), wanted.swapaxes(0, 1), strict=True))
        )
        rough, scales = fitter.fit(markers, start, factor, rotations=wanted, iterations=30)
        fits.append(fitter.fit(markers, rough.coordinates, factor, initial_scales=scales)[0])
    return fits


_BALL_JOINTS = {
    "hip_{}": ("pelvis", "femur_{}", ("hip_flexion_{}", "hip_adduction_{}", "hip_rotation_{}")),
    "acromial_{}": ("torso", "humerus_{}", ("arm_flex_{}", "arm_add_{}", "arm_rot_{}")),
}
_HINGES = {"knee_angle_{}": ("femur_{}", "tibia_{}"), "elbow_flex_{}": ("humerus_{}", "radius_{}")}


def _start(
    model: Model, markers: np.ndarray, root_rotmats: np.ndarray, wanted: dict[str, np.ndarray]
) -> np.ndarray:
    """Coordinates (F, C) near the solution.

    wanted: (F, 3, 3) orientation of each body; without, the T-pose turned as the root is. Ball joints
    of the model turn about z, x, y in this order, x and y reversed on the left.
    """
    coordinates = np.tile(model.default_coordinates, (len(markers), 1))
    column = {name: k for k, name in enumerate(model.coordinate_names)}

    def put(names: tuple[str, ...], values: np.ndarray) -> None:
        coordinates[:, [column[name] for name in names]] = values

    for name, degrees in _T_POSE_DEG.items():
        coordinates[:, column[name]] = np.deg2rad(degrees)
    turn = Rotation.from_matrix(wanted["pelvis"] if wanted else root_rotmats) * (
        Rotation.identity() if wanted else _R_GROUND_BODY.inv()
    )
    put(("pelvis_tilt", "pelvis_list", "pelvis_rotation"), turn.as_euler("ZXY"))
    pelvis = [k for k, marker in enumerate(model.markers) if marker.body == "pelvis"]
    put(("pelvis_tx", "pelvis_ty", "pelvis_tz"), markers[:, pelvis].mean(1))
    if not wanted:
        return coordinates

    def relative(parent: str, child: str) -> Rotation:
        return Rotation.from_matrix(np.swapaxes(wanted[parent], -1, -2) @ wanted[child])

    put(
        ("lumbar_extension", "lumbar_bending", "lumbar_rotation"), relative("pelvis", "torso").as_euler("ZXY")
    )
    for side, signs in (("r", [1, 1, 1]), ("l", [1, -1, -1])):
        for parent, child, names in _BALL_JOINTS.values():
            angles = relative(parent.format(side), child.format(side)).as_euler("ZXY")
            put(tuple(name.format(side) for name in names), angles * signs)
        for name, (parent, child) in _HINGES.items():
            put((name.format(side),), relative(parent.format(side), child.format(side)).magnitude()[:, None])
    return coordinates


def segment_alignments(model: Model, fits: list[SkeletonFit], samples: Samples) -> np.ndarray:
    """(S, 3, 3) mean over people and poses of R_body^T R_smplx."""
    fk = ForwardKinematics(model)
    joints = [SMPLX_INDEX[name] for name in SEGMENTS]
    bodies = [model.body_names.index(name) for name in SEGMENTS.values()]
    relative = []
    for fit, rotmats in zip(fits, samples.rotmats, strict=True):
        pose = fk(torch.from_numpy(fit.coordinates), torch.from_numpy(fit.scale_factors))
        turned = rotmats[: len(fit.coordinates), joints]
        relative.append(np.swapaxes(pose.body_rotmats.numpy()[:, bodies], -1, -2) @ turned)
    stacked = np.concatenate(relative)
    return np.stack([Rotation.from_matrix(stacked[:, k]).mean().as_matrix() for k in range(len(joints))])


def calibrate_markers(model: Model, fits: list[SkeletonFit], samples: Samples) -> Model:
    """Move each marker to the mean place, in its unscaled body, where the mesh carries it; sides mirrored."""
    fk = ForwardKinematics(model)
    bodies = [model.body_names.index(marker.body) for marker in model.markers]
    seen = []
    for fit, markers in zip(fits, samples.markers, strict=True):
        factors = torch.from_numpy(fit.scale_factors)
        pose = fk(torch.from_numpy(fit.coordinates), factors)
        local = markers - pose.body_positions.numpy()[:, bodies]
        local = np.einsum("fmba,fmb->fma", pose.body_rotmats.numpy()[:, bodies], local)
        seen.append(local / fit.scale_factors[bodies])
    mean = dict(zip(model.marker_names, np.concatenate(seen).mean(0), strict=True))
    mirror = np.array([1.0, 1.0, -1.0])
    markers = []
    for marker in model.markers:
        swapped = {"R": "L", "L": "R"}.get(marker.name[0], "") + marker.name[1:]
        other = mean.get(swapped, mean[marker.name])
        markers.append(replace(marker, offset=0.5 * (mean[marker.name] + mirror * other)))
    return model.with_markers(tuple(markers))
