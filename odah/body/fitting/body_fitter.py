"""Fit a body's shape and motion to a scaled OpenSim skeleton that moves (ODAH, section 3.4; cf. MoSh++).

`BodyFitter` holds what one body and its registration need; `fit_shape` runs once a subject,
`fit_pose` once a clip. The fitted body is `BodyFitter.body`: the given one with
bone lengths appended to its betas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from scipy.spatial.transform import Rotation
from torch import Tensor

from odah.body.body_model import BodyModel
from odah.body.fitting.pose_solver import PoseState, Terms, solve_pose, solve_shape_and_pose
from odah.body.fitting.skinned_points import NUM_SOLVED_JOINTS, SkinnedPoints
from odah.body.fitting.targets import (
    SkeletonTargets,
    initial_local_rotmats,
    loose_rotvecs,
    skeleton_targets,
    stature_of,
)
from odah.body.registration import Registration
from odah.body.registration.marker_layout import MarkerLayout, check_body
from odah.body.shape.bone_lengths import BONE_LENGTHS, with_bone_lengths
from odah.body.shape.statistics import ATTRIBUTE_RANGES
from odah.errors import InputError
from odah.motion.types import MarkerTrajectories, Source
from odah.names import SIDES, SMPLX_INDEX
from odah.osim.full_body import full_body_model
from odah.osim.kinematics import Kinematics

JOINT_SIGMA, MARKER_SIGMA, SOFT_MARKER_SIGMA = 0.005, 0.010, 0.020
"""m; what a joint centre, a bony landmark and a marker on muscle may be off."""

_SOFT_MARKERS = ("TH1", "TH2", "TH3", "TB1", "TB2", "TB3", "UA1", "UA2", "UA3", "ASH", "PSH", "FAsuperior")
_POSE_SIGMAS = {"spine1": 0.2, "spine2": 0.2, "spine3": 0.2, "neck": 0.05, "head": 0.05}
_SIDED_POSE_SIGMAS = {"collar": 0.12, "wrist": 0.3, "foot": 0.1, "ankle": 0.5}
_KNEE_OFF_AXIS_SIGMA = 0.08
_BETAS_SIGMA, _ATTRIBUTE_SIGMA, _LENGTH_SIGMA = 1.0, 0.5, 2.0
_SHAPE_FRAMES = 24
_USUAL_BMI = 24.0
_CHUNK = 256


@dataclass(frozen=True)
class BodyFit:
    """A body that follows a skeleton, in world.

    betas: (B,) of `BodyFitter.body`. poses: (T, 55, 3) rotation vectors, rad. transl: (T, 3) m.
    joint_errors_mm: (T, J) from the body's regressed joints to the skeleton's; marker_errors_mm: (T, M).
    """

    betas: np.ndarray
    poses: np.ndarray
    transl: np.ndarray
    joint_errors_mm: np.ndarray
    marker_errors_mm: np.ndarray

    def summary(self) -> dict[str, float]:
        """Mean and 95th percentile of joint and marker errors, mm."""
        parts = {"joints": self.joint_errors_mm, "markers": self.marker_errors_mm}
        return {
            f"{name}_{label}_mm": float(value)
            for name, errors in parts.items()
            for label, value in (("mean", errors.mean()), ("p95", np.percentile(errors, 95)))
        }


class BodyFitter:
    """Fits one body model to any number of subjects and clips.

    Raises:
        InputError: the registration was made for a body with other vertices.
    """

    def __init__(self, body: BodyModel, registration: Registration) -> None:
        registration.check(body)
        self.registration = registration
        self.unstretched = body
        self.body = with_bone_lengths(body)
        layout = registration.layout
        rows = np.arange(len(layout.markers))
        markers = sparse.csr_matrix(
            (np.ones(len(rows)), (rows, layout.vertices)), shape=(len(rows), body.num_vertices)
        )
        weights = sparse.vstack([registration.regressor.weights, markers])
        self._fine = SkinnedPoints(self.body, weights, torch.float64)
        self._fast = SkinnedPoints(self.body, weights, torch.float32)
        soft = [name.endswith(_SOFT_MARKERS) for name in layout.names]
        sigmas = np.where(soft, SOFT_MARKER_SIGMA, MARKER_SIGMA)
        self._sigmas = np.concatenate([np.full(self._num_joints, JOINT_SIGMA), sigmas])

    @property
    def _num_joints(self) -> int:
        return len(self.registration.regressor.joint_names)

    def fit_shape(
        self,
        kinematics: Kinematics,
        gender: str = "neutral",
        height: float | None = None,
        mass: float | None = None,
    ) -> np.ndarray:
        """Betas (B,) of `self.body` for a subject, from frames spread over a motion.

        gender, height (m) and mass (kg) say what the skeleton cannot; height is otherwise read off the
        skeleton, and mass off its model unless that is the generic one's.
        """
        targets = skeleton_targets(self.registration, kinematics)
        index = np.unique(np.linspace(0, len(targets) - 1, _SHAPE_FRAMES).round().astype(int))
        targets = targets.frames(index)
        is_weighed = abs(kinematics.model.mass - full_body_model().mass) > 0.5
        if mass is None and is_weighed:
            mass = kinematics.model.mass
        mean, sigma = self._shape_prior(gender, height or stature_of(kinematics.model), mass)
        loose = loose_rotvecs(targets.segments, self.body.hand_mean)
        terms = self._terms(targets, loose, mean, sigma, torch.float64)
        state = self._initial(self._fine, targets, loose, mean)
        state = solve_pose(self._fine, state, terms, max_iterations=4)
        return solve_shape_and_pose(self._fine, state, terms).betas.numpy()

    def fit_pose(self, kinematics: Kinematics, betas: np.ndarray, guide: np.ndarray | None = None) -> BodyFit:
        """Poses of every frame of a clip for a body of known shape.

        guide: (T, 55, 3) rotation vectors of the body motion that the skeleton was solved from, if it
        was: neck, head, face and fingers, of which the skeleton knows nothing, are taken from it.

        Raises:
            InputError: betas of another length than `self.body` has, or a guide of another length.
        """
        if betas.shape != (self.body.num_betas,):
            raise InputError("betas", f"shape {betas.shape}", f"({self.body.num_betas},)")
        if guide is not None and guide.shape != (kinematics.num_frames, len(SMPLX_INDEX), 3):
            raise InputError("guide", f"shape {guide.shape}", f"({kinematics.num_frames}, 55, 3)")
        targets = skeleton_targets(self.registration, kinematics)
        loose = loose_rotvecs(targets.segments, self.body.hand_mean, guide)
        shape = torch.as_tensor(betas, dtype=torch.float32)
        states = []
        for start in range(0, len(targets), _CHUNK):
            frames = np.arange(start, min(start + _CHUNK, len(targets)))
            part = targets.frames(frames)
            state = self._initial(self._fast, part, loose[frames], shape)
            terms = self._terms(part, loose[frames], shape, torch.ones_like(shape), torch.float32)
            states.append(solve_pose(self._fast, state, terms))
        local = torch.cat([state.local_rotmats for state in states]).double()
        transl = torch.cat([state.transl for state in states]).double()
        points = self._fine.pose(torch.as_tensor(betas, dtype=torch.float64), local, transl).points
        errors = 1e3 * (points - targets.points).norm(dim=-1).numpy()
        rotvecs = Rotation.from_matrix(local.reshape(-1, 3, 3).numpy()).as_rotvec().reshape(-1, 55, 3)
        return BodyFit(
            betas, rotvecs, transl.numpy(), errors[:, : self._num_joints], errors[:, self._num_joints :]
        )

    def _shape_prior(self, gender: str, height: float, mass: float | None) -> tuple[Tensor, Tensor]:
        lengths = len(BONE_LENGTHS)
        mean, sigma = np.zeros(self.body.num_betas), np.full(self.body.num_betas, _BETAS_SIGMA)
        if self.unstretched.is_open:
            bmi = _USUAL_BMI if mass is None else mass / height**2
            height, bmi = np.clip(height, *ATTRIBUTE_RANGES["height"]), np.clip(bmi, *ATTRIBUTE_RANGES["bmi"])
            mean[:-lengths] = self.unstretched.betas_from_attributes(float(height), float(bmi), gender)
            sigma[:] = _ATTRIBUTE_SIGMA
        sigma[-lengths:] = _LENGTH_SIGMA
        return torch.from_numpy(mean), torch.from_numpy(sigma)

    def _terms(
        self, targets: SkeletonTargets, loose: Tensor, mean: Tensor, sigma: Tensor, dtype: torch.dtype
    ) -> Terms:
        return Terms(
            targets.points.to(dtype),
            torch.as_tensor(self._sigmas, dtype=dtype),
            loose[:, :NUM_SOLVED_JOINTS].to(dtype),
            torch.as_tensor(pose_prior_sigmas(), dtype=dtype),
            mean.to(dtype),
            sigma.to(dtype),
        )

    def _initial(
        self, points: SkinnedPoints, targets: SkeletonTargets, loose: Tensor, betas: Tensor
    ) -> PoseState:
        local = initial_local_rotmats(targets.segments, loose).to(points.dtype)
        betas = betas.to(points.dtype)
        transl = torch.zeros(len(targets), 3, dtype=points.dtype)
        posed = points.pose(betas, local, transl).points
        joints = slice(0, self._num_joints)
        return PoseState(betas, local, (targets.points.to(points.dtype) - posed)[:, joints].mean(1))


def pose_prior_sigmas() -> np.ndarray:
    """(22, 3) spread of local rotation vectors, rad; infinite where only the skeleton decides."""
    sigmas = np.full((NUM_SOLVED_JOINTS, 3), np.inf)
    for name, sigma in _POSE_SIGMAS.items():
        sigmas[SMPLX_INDEX[name]] = sigma
    for side in SIDES:
        for name, sigma in _SIDED_POSE_SIGMAS.items():
            sigmas[SMPLX_INDEX[f"{side}_{name}"]] = sigma
        sigmas[SMPLX_INDEX[f"{side}_knee"], 1:] = _KNEE_OFF_AXIS_SIGMA
    return sigmas


def virtual_markers(
    body: BodyModel, layout: MarkerLayout, betas: np.ndarray, poses: np.ndarray, transl: np.ndarray,
    rate: float, source: Source,
) -> MarkerTrajectories:  # fmt: skip
    """Where the layout's markers go when the body moves: world, m; no noise.

    Args:
        betas: (B,); poses: (T, 55, 3) rad; transl: (T, 3) m; rate: frames a second.

    Raises:
        InputError: the layout names a vertex the body lacks, or an array has another shape.
    """
    check_body(layout, body.faces, body.num_vertices)
    part = body.restricted_to(layout.vertices)
    arrays = (torch.as_tensor(np.asarray(a), dtype=body.dtype) for a in (betas, poses, transl))
    with torch.no_grad():
        positions = part(*arrays).vertices.double().numpy()
    return MarkerTrajectories(layout.names, positions, rate, "world", source)
