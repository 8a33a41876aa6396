"""Fit a body's shape and motion to a scaled OpenSim skeleton that moves (ODAH, section 3.4; cf. MoSh++).

`BodyFitter` holds what one body and its registration need. `fit_subject` finds shape and marker places from
a few frames, once a subject; `fit_pose` the poses of a whole clip. The fitted body is `BodyFitter.body`:
the given one with bone lengths appended to its betas.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from odah.body.body_model import BodyModel
from odah.body.fitting.clip_solver import solve_clip
from odah.body.fitting.clip_terms import ClipTerms
from odah.body.fitting.fitted_points import FittedPoints, measured_points, registered_points
from odah.body.fitting.hand_clearance import HandClearance
from odah.body.fitting.head_markers import head_turns, rest_places
from odah.body.fitting.measured_markers import MarkerPlacement, MeasuredMarkers, place_markers
from odah.body.fitting.pose_prior import PosePrior, body_pose_prior
from odah.body.fitting.pose_state import PoseState
from odah.body.fitting.residuals import BodyFit
from odah.body.fitting.skinned_points import NUM_SOLVED_JOINTS
from odah.body.fitting.smoothness import Smoothness
from odah.body.fitting.subject_frames import choose_frames
from odah.body.fitting.subject_problem import SubjectState, SubjectTerms
from odah.body.fitting.subject_solver import solve_subject
from odah.body.fitting.targets import (
    SkeletonTargets,
    initial_local_rotmats,
    loose_but_sideways,
    loose_rotvecs,
    skeleton_targets,
    stature_of,
    with_head,
)
from odah.body.registration import Registration
from odah.body.registration.marker_layout import MarkerLayout, check_body
from odah.body.shape.bone_lengths import with_bone_lengths
from odah.body.shape.prior import ShapePrior, shape_prior
from odah.body.shape.statistics import ATTRIBUTE_RANGES
from odah.errors import InputError
from odah.motion.types import MarkerTrajectories, Source
from odah.names import SEGMENTS, SMPLX_INDEX
from odah.osim.full_body import full_body_model
from odah.osim.kinematics import Kinematics

__all__ = ["BodyFit", "BodyFitter", "FittedSubject", "virtual_markers"]

_SHAPE_FRAMES = 24
_NOT_WEIGHED = 0.5
"""kg; a model this near to the generic one's mass keeps it because nobody weighed the subject."""


@dataclass(frozen=True)
class FittedSubject:
    """A person's body.

    betas: (B,) of `BodyFitter.body`: shape coefficients, then bone lengths. gender: whose statistics the
    shape was judged by. offsets: (M, 3) from the nominal points of the registration's markers to where this
    body wears them, T-pose, m; None: nowhere else. placement: where measured markers sit, if there were any.
    """

    betas: np.ndarray
    gender: str = "neutral"
    offsets: np.ndarray | None = None
    placement: MarkerPlacement | None = None


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

    @cached_property
    def _registered(self) -> FittedPoints:
        return registered_points(self.body, self.registration)

    @cached_property
    def _clearance(self) -> HandClearance:
        return HandClearance(self.body)

    def fit_subject(
        self,
        kinematics: Kinematics,
        gender: str = "neutral",
        height: float | None = None,
        mass: float | None = None,
        markers: MeasuredMarkers | None = None,
        betas: np.ndarray | None = None,
    ) -> FittedSubject:
        """A subject's shape and where markers sit on it, from a few frames that differ most.

        gender, height (m) and mass (kg) say what a skeleton cannot; mass is otherwise that of its model
        unless that is the generic one's. markers: those that the skeleton was solved from (see
        `measured_markers`). betas: known from another clip of the person; then only markers are placed.

        Raises:
            InputError: no adult is of that height and mass, an unknown gender, or betas of another length.
        """
        targets = skeleton_targets(self.registration, kinematics)
        prior = shape_prior(self.body, gender, height, mass or self._model_mass(kinematics, height))
        if betas is not None:
            prior = _held(prior, self.checked_betas(betas))
        index = choose_frames(targets.points.numpy(), _SHAPE_FRAMES)
        targets = targets.frames(index)
        loose = loose_rotvecs(targets.segments, self.body.hand_mean)
        points = self._registered
        state = self._initial(points, targets, loose, prior.mean)
        state = self._solve_subject(points, state, targets.points, loose, body_pose_prior(), prior)
        offsets = state.offsets[len(points.joint_names) :].numpy()
        if markers is None:
            return FittedSubject(state.betas.numpy(), gender, offsets)
        few = markers.frames(index)
        placement = place_markers(
            self.body, few, state.betas.numpy(), _rotvecs(state.local_rotmats), state.transl.numpy()
        )
        points = measured_points(self.body, self.registration, placement, few)
        head = self._head_turns(targets, few, placement, state.betas.numpy())
        state = replace(state, offsets=points.offsets)
        if head is not None:
            state = replace(state, local_rotmats=with_head(state.local_rotmats, head))
            loose = loose_but_sideways(loose, head)
        goals = self._with_measured(targets, few, placement)
        state = self._solve_subject(points, state, goals, loose, body_pose_prior(head is not None), prior)
        placement = replace(placement, offsets=state.offsets[len(points.joint_names) :].numpy())
        return FittedSubject(state.betas.numpy(), gender, offsets, placement)

    def fit_pose(
        self,
        kinematics: Kinematics,
        subject: FittedSubject | np.ndarray,
        guide: np.ndarray | None = None,
        markers: MeasuredMarkers | None = None,
    ) -> BodyFit:
        """Poses of every frame of a clip for a body of known shape.

        subject: or its betas (B,) alone. guide: (T, 55, 3) rotation vectors of the body motion that the
        skeleton was solved from, if it was: neck, head, face and fingers, of which the skeleton knows
        nothing, are taken from it. markers: measured ones, placed on the subject by `fit_subject`; they
        then are followed beside the joints, and it is their distances that are told; those on the head, if
        there are three, say how it turns. Without, the registration's markers on the skeleton are followed,
        where the subject wears them.

        Raises:
            InputError: betas of another length than `self.body` has, a guide of another length, or a marker
                that was not placed on the subject.
        """
        if not isinstance(subject, FittedSubject):
            subject = FittedSubject(subject)
        betas = self.checked_betas(subject.betas)
        if guide is not None and guide.shape != (kinematics.num_frames, len(SMPLX_INDEX), 3):
            raise InputError("guide", f"shape {guide.shape}", f"({kinematics.num_frames}, 55, 3)")
        targets = skeleton_targets(self.registration, kinematics)
        points, goals, head = self._registered, targets.points, None
        worn = points.offsets
        if subject.offsets is not None:
            worn = torch.cat([worn[: len(points.joint_names)], torch.from_numpy(subject.offsets)])
        if markers is not None:
            if subject.placement is None:
                raise InputError("subject", "no marker placement", "one that `fit_subject` made of markers")
            points = measured_points(self.body, self.registration, subject.placement, markers)
            worn, goals = points.offsets, self._with_measured(targets, markers, subject.placement)
            head = self._head_turns(targets, markers, subject.placement, betas)
        loose = loose_rotvecs(targets.segments, self.body.hand_mean, guide, head)
        prior = body_pose_prior(head is not None)
        shape = torch.from_numpy(betas)
        local, transl = self._solve_clip(points, worn, targets, goals, loose, prior, shape, kinematics.rate)
        posed = points.fine.pose(shape, local, transl, worn)
        return BodyFit(
            betas, _rotvecs(local), transl.numpy(), goals.numpy(), posed.points.numpy(),
            points.joint_names, points.marker_names,
        )  # fmt: skip

    def checked_betas(self, betas: np.ndarray) -> np.ndarray:
        """Betas of `self.body` in double precision.

        Raises:
            InputError: another number of them, or not finite.
        """
        if betas.shape != (self.body.num_betas,):
            raise InputError("betas", f"shape {betas.shape}", f"({self.body.num_betas},)")
        if not np.isfinite(betas).all():
            raise InputError("betas", "numbers that are not finite", "finite numbers")
        return betas.astype(np.float64)

    def _model_mass(self, kinematics: Kinematics, height: float | None) -> float | None:
        """The mass (kg) of a model that was weighed, if an adult of that height can have it."""
        mass = kinematics.model.mass
        is_weighed = abs(mass - full_body_model().mass) > _NOT_WEIGHED
        low, high = ATTRIBUTE_RANGES["bmi"]
        stature = stature_of(kinematics.model) if height is None else height
        return mass if is_weighed and low < mass / stature**2 < high else None

    def _with_measured(
        self, targets: SkeletonTargets, markers: MeasuredMarkers, placement: MarkerPlacement
    ) -> Tensor:
        """(T, J + M, 3): the skeleton's joints and the measured markers that were placed."""
        joints = targets.points[:, : len(self.registration.regressor.joint_names)]
        return torch.cat([joints, torch.from_numpy(markers.chosen(placement.names).positions)], 1)

    def _head_turns(
        self,
        targets: SkeletonTargets,
        markers: MeasuredMarkers,
        placement: MarkerPlacement,
        betas: np.ndarray,
    ) -> Tensor | None:
        """(T, 3) rotation vectors of the head in the chest's frame, if there are markers on it."""
        placed = markers.chosen(placement.names)
        on_head = placed.is_on_head
        if not on_head.any():
            return None
        worn = rest_places(self.body, betas, placement.vertices[on_head], placement.offsets[on_head])
        chest = targets.segments[:, list(SEGMENTS).index("spine3")].numpy()
        turns = head_turns(worn, placed.positions[:, on_head], chest)
        return None if turns is None else torch.from_numpy(turns)

    def _initial(
        self, points: FittedPoints, targets: SkeletonTargets, loose: Tensor, betas: Tensor
    ) -> SubjectState:
        """Segments turned as the skeleton's, and the body moved to its joints."""
        local = initial_local_rotmats(targets.segments, loose)
        transl = torch.zeros(len(targets), 3, dtype=torch.float64)
        joints = slice(0, len(points.joint_names))
        posed = points.fine.pose(betas, local, transl).points[:, joints]
        return SubjectState(betas, local, (targets.points[:, joints] - posed).mean(1), points.offsets)

    def _solve_subject(
        self,
        points: FittedPoints,
        state: SubjectState,
        goals: Tensor,
        loose: Tensor,
        pose_prior: PosePrior,
        prior: ShapePrior,
    ) -> SubjectState:
        terms = SubjectTerms(
            goals,
            points.sigmas,
            points.robust_scales,
            loose[:, :NUM_SOLVED_JOINTS],
            pose_prior,
            points.offsets,
            points.offset_sigmas,
        )
        return solve_subject(points.fine, state, terms, prior, self._clearance)

    def _solve_clip(
        self,
        points: FittedPoints,
        worn: Tensor,
        targets: SkeletonTargets,
        goals: Tensor,
        loose: Tensor,
        prior: PosePrior,
        betas: Tensor,
        rate: float,
    ) -> tuple[Tensor, Tensor]:
        """Local rotations (T, 55, 3, 3) and translations (T, 3) of all frames."""
        initial = self._initial(points, targets, loose, betas)
        terms = ClipTerms(
            goals,
            points.sigmas,
            points.robust_scales * points.sigmas,
            loose[:, :NUM_SOLVED_JOINTS],
            prior,
            Smoothness.uniform(),
            rate,
            worn,
        )
        state = PoseState(betas, initial.local_rotmats, initial.transl)
        found = solve_clip(points.fast, state, terms)
        return found.local_rotmats.double(), found.transl.double()


def _held(prior: ShapePrior, betas: np.ndarray) -> ShapePrior:
    """The prior of someone whose betas are known."""
    known = torch.from_numpy(betas)
    return replace(prior, mean=known, lower=known, upper=known)


def _rotvecs(local_rotmats: Tensor) -> np.ndarray:
    """(T, 55, 3) rad."""
    flat = Rotation.from_matrix(local_rotmats.double().reshape(-1, 3, 3).numpy())
    return flat.as_rotvec().reshape(-1, len(SMPLX_INDEX), 3)


def virtual_markers(
    body: BodyModel, layout: MarkerLayout, betas: np.ndarray, poses: np.ndarray, transl: np.ndarray,
    rate: float, source: Source, offsets: np.ndarray | None = None,
) -> MarkerTrajectories:  # fmt: skip
    """Where the layout's markers go when the body moves: world, m; no noise.

    Args:
        betas: (B,); poses: (T, 55, 3) rad; transl: (T, 3) m; rate: frames a second.
        offsets: (M, 3) m, of a `FittedSubject` that wears them elsewhere than the layout says.

    Raises:
        InputError: the layout names a vertex the body lacks, or an array has another shape.
    """
    check_body(layout, body.faces, body.num_vertices)
    part = body.restricted_to(layout.corners.ravel())
    if offsets is not None:
        moved = torch.as_tensor(np.repeat(offsets, 3, axis=0), dtype=body.dtype)
        part = replace(part, v_template=part.v_template + moved)
    arrays = (torch.as_tensor(np.asarray(a), dtype=body.dtype) for a in (betas, poses, transl))
    with torch.no_grad():
        corners = part(*arrays).vertices.double().numpy().reshape(len(poses), -1, 3, 3)
    positions = (corners * layout.corner_weights[:, :, None]).sum(-2)
    return MarkerTrajectories(layout.names, positions, rate, "world", source)
