"""Virtual people for a registration, and the OpenSim model scaled, posed and calibrated to them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from odah.body.body_model import BodyModel
from odah.body.fitting.targets import GENERIC_STATURE
from odah.body.registration.initial_coordinates import coordinates_of_orientations, t_pose_coordinates
from odah.body.registration.marker_layout import MarkerLayout
from odah.body.registration.pose_sampling import sample_poses, upright_poses
from odah.body.registration.skeleton_fit import SkeletonFit, SkeletonFitter
from odah.names import SEGMENTS, SMPLX_INDEX
from odah.osim.fk import ForwardKinematics
from odah.osim.model import Marker, Model

_R_GROUND_BODY = Rotation.from_euler("y", np.pi / 2)
"""A body in T-pose faces +Z, the OpenSim model +X; both are Y-up."""

_EXTRA_MARKERS = {"MC2": ("hand", (0.0, -0.08, 0.03)), "MC5": ("hand", (0.0, -0.075, -0.035))}
"""Markers the layout adds to the model's: heads of metacarpals, on the right hand, m."""

_SOFT_MARKERS = ("TH1", "TH2", "TH3", "TB1", "TB2", "TB3", "UA1", "UA2", "UA3", "ASH", "PSH")
_HELD_FORWARD = ("LMAL", "MMAL", "CAL", "LFC", "MFC")
"""Markers on bone that say where a joint is along the foot or the shank; see `calibrate_markers`."""

_BARE_HEEL = -0.016
"""m along the foot from the calcaneus frame, whose origin is on the back of the bone (Delp et al. 1990),
to the skin of the heel: a heel pad. The model's own marker stands off farther, with its ball and a shoe."""

_SOFT_WEIGHT = 0.3
"""Weight of markers on muscle in the skeleton fit, against 1 of bony landmarks."""

_HEEL_WEIGHT = 3.0
"""Weight of the one marker on the heel: alone against those in front, it places the subtalar joint."""


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
    markers = layout.points(stacked)
    return Samples(
        stacked, np.stack(rotmats), markers, np.ptp(stacked[:, 0, :, 1], axis=1).astype(np.float64)
    )


def initial_markers(model: Model, layout: MarkerLayout) -> Model:
    """The model with the layout's markers, in the layout's order.

    A marker that neither the model nor `_EXTRA_MARKERS` has on that bone starts at the bone's origin; see
    `is_placed`.
    """
    known = _known_offsets(model)
    return model.with_markers(
        tuple(
            Marker(name, entry.bone, known.get((name, entry.bone), np.zeros(3)))
            for name, entry in layout.markers.items()
        )
    )


def is_placed(model: Model, layout: MarkerLayout) -> np.ndarray:
    """(M,) whether the place of a marker on the model is known before any calibration."""
    known = _known_offsets(model)
    return np.array([(name, entry.bone) in known for name, entry in layout.markers.items()])


def _known_offsets(model: Model) -> dict[tuple[str, str], np.ndarray]:
    """Offsets by marker and body, of the model's markers and of `_EXTRA_MARKERS`."""
    known = {(marker.name, marker.body): marker.offset for marker in model.markers}
    for name, (body, offset) in _EXTRA_MARKERS.items():
        for letter, mirror in (("R", 1.0), ("L", -1.0)):
            known[f"{letter}{name}", f"{body}_{letter.lower()}"] = np.array(offset) * [1.0, 1.0, mirror]
    return known


def marker_weights(layout: MarkerLayout) -> np.ndarray:
    """(M,) weights of the markers in the skeleton fit."""
    weights = np.array([_SOFT_WEIGHT if name.endswith(_SOFT_MARKERS) else 1.0 for name in layout.names])
    weights[[name.endswith("CAL") for name in layout.names]] = _HEEL_WEIGHT
    return weights


def fit_skeletons(
    model: Model, weights: np.ndarray, samples: Samples, alignments: np.ndarray | None
) -> list[SkeletonFit]:
    """Scale and pose the model to every person.

    alignments (S, 3, 3) of `SEGMENTS` give a good start; without, only the T-pose (frame 0) is fitted.
    """
    joints = [SMPLX_INDEX[name] for name in SEGMENTS]
    fitter = SkeletonFitter(model, weights, tuple(SEGMENTS.values()))
    fits = []
    for markers, rotmats, factor in zip(
        samples.markers, samples.rotmats, samples.stature / GENERIC_STATURE, strict=True
    ):
        if alignments is None:
            turn = Rotation.from_matrix(rotmats[:1, 0]) * _R_GROUND_BODY.inv()
            fits.append(fitter.fit(markers[:1], t_pose_coordinates(model, markers[:1], turn), factor)[0])
            continue
        wanted = rotmats[:, joints] @ np.swapaxes(alignments, -1, -2)
        by_body = dict(zip(SEGMENTS.values(), wanted.swapaxes(0, 1), strict=True))
        start = coordinates_of_orientations(model, markers, by_body)
        rough, scales = fitter.fit(markers, start, factor, rotations=wanted, iterations=30)
        fits.append(fitter.fit(markers, rough.coordinates, factor, initial_scales=scales)[0])
    return fits


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
    """Move each marker to where, in its unscaled body, the mesh usually (median) carries it; sides mirrored.

    The median, because what most poses agree on counts, not the few with raised arms: on the mesh the
    acromion follows the arm, on the model it does not. Markers on the malleoli, the heel and the knee's
    epicondyles keep their distance forward of the joint, which is anatomy: were it free, too, nothing would
    tie ankle and subtalar joint to where the foot is.
    """
    fk = ForwardKinematics(model)
    bodies = [model.body_names.index(marker.body) for marker in model.markers]
    seen = []
    for fit, markers in zip(fits, samples.markers, strict=True):
        factors = torch.from_numpy(fit.scale_factors)
        pose = fk(torch.from_numpy(fit.coordinates), factors)
        local = markers - pose.body_positions.numpy()[:, bodies]
        local = np.einsum("fmba,fmb->fma", pose.body_rotmats.numpy()[:, bodies], local)
        seen.append(local / fit.scale_factors[bodies])
    usual = dict(zip(model.marker_names, np.median(np.concatenate(seen), axis=0), strict=True))
    mirror = np.array([1.0, 1.0, -1.0])
    markers = []
    for marker in model.markers:
        swapped = {"R": "L", "L": "R"}.get(marker.name[0], "") + marker.name[1:]
        other = usual.get(swapped, usual[marker.name])
        offset = 0.5 * (usual[marker.name] + mirror * other)
        if marker.name.endswith(_HELD_FORWARD):
            offset[0] = _BARE_HEEL if marker.name.endswith("CAL") else marker.offset[0]
        markers.append(replace(marker, offset=offset))
    return model.with_markers(tuple(markers))


def level_feet(model: Model, fits: list[SkeletonFit]) -> Model:
    """Turn the foot's markers about the ankle so that the model's foot is level where the body stands.

    What the markers leave open is the ankle's zero: the model's foot is flat on the floor at zero, and
    so is the body's in its first two poses (T-pose and standing). Roll is shared with the subtalar joint,
    whose oblique axis also turns the toes, so of it a few degrees remain.
    """
    fk = ForwardKinematics(model)
    ups = []
    for fit in fits:
        pose = fk(torch.from_numpy(fit.coordinates[:2]), torch.from_numpy(fit.scale_factors))
        for side, mirror in (("r", [1.0, 1.0, 1.0]), ("l", [1.0, 1.0, -1.0])):
            rotmats = pose.body_rotmats[:, model.body_names.index(f"calcn_{side}")].numpy()
            ups.append(rotmats[:, 1] * mirror)
    up = np.concatenate(ups).mean(0)
    turn = Rotation.align_vectors(np.array([[0.0, 1.0, 0.0]]), up[None] / np.linalg.norm(up))[0]
    return model.with_markers(tuple(_turned(marker, model, turn) for marker in model.markers))


def _turned(marker: Marker, model: Model, turn: Rotation) -> Marker:
    """A marker of the foot turned about the ankle; `turn` is the right foot's."""
    if not marker.body.startswith("calcn"):
        return marker
    side = marker.body[-2:]
    mirror = np.array([1.0, 1.0, 1.0 if side == "_r" else -1.0])
    ankle = -next(joint.T_parent[:3, 3] for joint in model.joints if joint.name == f"subtalar{side}")
    return replace(marker, offset=turn.apply((marker.offset - ankle) * mirror) * mirror + ankle)
