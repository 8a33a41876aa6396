"""Surface markers that were measured, and where on a subject's body they sit (cf. MoSh, Loper et al. 2014).

The solved skeleton says where each marker is worn; that place, carried over to the skin, is where the
search for the marker's true place on the body starts. On the head, of which it knows nothing, anatomy does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from odah.body.body_model import BodyModel
from odah.body.fitting.head_markers import HEAD, head_markers, place_on_head
from odah.body.fitting.marker_checks import during
from odah.errors import InputError
from odah.motion.types import R_WORLD_GROUND, MarkerTrajectories
from odah.names import SMPLX_INDEX, SMPLX_JOINTS
from odah.osim.full_body import full_body_model
from odah.osim.kinematics import Kinematics, model_markers
from odah.osim.markersets import choose_marker_set

_PARTS = {
    "pelvis": ("pelvis", "spine1", "hip"),
    "torso": ("spine1", "spine2", "spine3", "neck", "collar", "shoulder"),
    "femur": ("hip", "knee"),
    "patella": ("hip", "knee"),
    "tibia": ("knee", "ankle"),
    "talus": ("ankle",),
    "calcn": ("ankle", "foot"),
    "toes": ("ankle", "foot"),
    "humerus": ("collar", "shoulder", "elbow"),
    "ulna": ("elbow", "wrist"),
    "radius": ("elbow", "wrist"),
    "hand": ("wrist", "index1", "middle1", "pinky1", "ring1", "thumb1", "thumb2"),
    HEAD: ("head",),
}
"""SMPL-X joints whose skin may carry a marker of an OpenSim body, or of the head; of a body's own side."""

_OWNED = 0.5
"""Share of a vertex's skinning weights that those joints must have."""
_FAR_FROM_SKIN = 0.08
"""m; a virtual marker, such as a joint centre, is farther inside than any real one stands off."""
_FRAMES = 16


@dataclass(frozen=True)
class MeasuredMarkers:
    """Markers of a clip, in the frames of the skeleton that was solved from them.

    bodies: the OpenSim body of each, or the head. positions: (T, M, 3) world, m, NaN where unseen. places:
    (T, M, 3) where the solved skeleton carries them, NaN on the head. is_soft: (M,) worn on soft tissue,
    anywhere along it. notes: sentences about markers that are not followed.
    """

    names: tuple[str, ...]
    bodies: tuple[str, ...]
    positions: np.ndarray
    places: np.ndarray
    is_soft: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def is_on_head(self) -> np.ndarray:
        """(M,) bool."""
        return np.array([bone == HEAD for bone in self.bodies])

    def frames(self, index: np.ndarray) -> MeasuredMarkers:
        return replace(self, positions=self.positions[index], places=self.places[index])

    def chosen(self, names: tuple[str, ...]) -> MeasuredMarkers:
        """These markers, in this order."""
        columns = [self.names.index(name) for name in names]
        bodies = tuple(self.bodies[k] for k in columns)
        return MeasuredMarkers(
            names,
            bodies,
            self.positions[:, columns],
            self.places[:, columns],
            self.is_soft[columns],
            self.notes,
        )


@dataclass(frozen=True)
class MarkerPlacement:
    """Where markers sit on one body: at a vertex each (M,), and offsets (M, 3) from it in the T-pose, m."""

    names: tuple[str, ...]
    vertices: np.ndarray
    offsets: np.ndarray


def measured_markers(markers: MarkerTrajectories, solved: Kinematics) -> MeasuredMarkers:
    """The markers that `solved` was solved from, beside it, and those on the head that can be followed.

    Raises:
        InputError: the recording lacks one of them, or the frames, or has names on the head exchanged.
    """
    names = solved.tracked_markers
    if missing := [name for name in names if name not in markers.names]:
        raise InputError(f"{markers.source.path}, markers", f"no {missing[0]!r}", "those of the kinematics")
    positions = during(markers.in_ground(), solved, names)
    if len(positions) != solved.num_frames:
        raise InputError(
            f"{markers.source.path}, frames", f"{len(positions)} in the time of the kinematics",
            f"{solved.num_frames}",
        )  # fmt: skip
    by_name = {marker.name: marker for marker in solved.model.markers}
    followed = tuple(by_name[name] for name in names)
    places = model_markers(solved.model.with_markers(followed), solved.coordinates)
    head = head_markers(markers, solved)
    count = len(head.names)
    return MeasuredMarkers(
        (*names, *head.names),
        (*(marker.body for marker in followed), *(HEAD,) * count),
        np.concatenate([positions, head.positions], 1) @ R_WORLD_GROUND.T,
        np.pad(places @ R_WORLD_GROUND.T, ((0, 0), (0, count), (0, 0)), constant_values=np.nan),
        np.pad(_is_soft(names), (0, count)),
        head.notes,
    )


def _is_soft(names: tuple[str, ...]) -> np.ndarray:
    try:
        rules = choose_marker_set(names, full_body_model()).rules
    except InputError:  # the user's own marker set, of which nothing is known
        rules = {}
    return np.array([name in rules and bool(rules[name].movable.any()) for name in names])


def place_markers(
    body: BodyModel, measured: MeasuredMarkers, betas: np.ndarray, poses: np.ndarray, transl: np.ndarray
) -> MarkerPlacement:
    """Each marker on the skin of its bone's part, and off it by what brings it to the skeleton's place.

    The body, (B,), (T, 55, 3) rad and (T, 3) m, follows the skeleton already. Markers that the skeleton has
    deep inside the body are left out. Those on the head are placed by anatomy.

    Raises:
        InputError: all of them are.
    """
    frames = np.unique(np.linspace(0, len(poses) - 1, min(_FRAMES, len(poses))).round().astype(int))
    shape, turns, shift = (
        torch.as_tensor(a, dtype=body.dtype) for a in (betas, poses[frames], transl[frames])
    )
    with torch.no_grad():
        posed = body(shape, turns, shift)
    skin, places = posed.vertices.double().numpy(), measured.places[frames]
    vertices, distances = np.zeros(len(measured.names), np.int64), np.zeros(len(measured.names))
    on_head = np.flatnonzero(measured.is_on_head)
    for k in np.flatnonzero(~measured.is_on_head):
        pool = vertices_of_bone(body, measured.bodies[k])
        gaps = np.linalg.norm(skin[:, pool] - places[:, None, k], axis=-1).mean(0)
        vertices[k], distances[k] = pool[np.argmin(gaps)], gaps.min()
    offsets = _offsets(body, vertices, posed.joint_rotmats, places - skin[:, vertices])
    if len(on_head):
        names = [measured.names[k] for k in on_head]
        vertices[on_head], offsets[on_head] = place_on_head(body, betas, names, vertices_of_bone(body, HEAD))
    near = distances < _FAR_FROM_SKIN
    if not near.any():
        expected = f"markers on it, unlike {', '.join(measured.names[:5])}"
        raise InputError("markers", f"none within {1e3 * _FAR_FROM_SKIN:g} mm of the skin", expected)
    names = tuple(name for name, is_near in zip(measured.names, near, strict=True) if is_near)
    return MarkerPlacement(names, vertices[near], offsets[near])


def vertices_of_bone(body: BodyModel, bone: str) -> np.ndarray:
    """Vertices that move with an OpenSim body."""
    part, _, side = bone.partition("_")
    sides = {"": ("left", "right"), "l": ("left",), "r": ("right",)}[side]
    joints = [
        SMPLX_INDEX[name]
        for joint in _PARTS[part]
        for name in (joint, *(f"{each}_{joint}" for each in sides))
        if name in SMPLX_JOINTS
    ]
    return np.flatnonzero(body.lbs_weights[:, joints].sum(1).numpy() > _OWNED)


def marker_rows(placement: MarkerPlacement, num_vertices: int) -> sparse.csr_matrix:
    """(M, N): which vertex carries which marker."""
    count = len(placement.vertices)
    return sparse.csr_matrix(
        (np.ones(count), (np.arange(count), placement.vertices)), shape=(count, num_vertices)
    )


def _offsets(body: BodyModel, vertices: np.ndarray, rotmats: Tensor, gaps: np.ndarray) -> np.ndarray:
    """(M, 3) T-pose offsets that bring the vertices nearest to `gaps` (F, M, 3) away over the frames."""
    weights = body.lbs_weights[vertices].double()
    blended = torch.einsum("mj,fjab->fmab", weights, rotmats.double()).numpy()
    normal = np.einsum("fmba,fmbc->mac", blended, blended)
    return np.linalg.solve(normal, np.einsum("fmba,fmb->ma", blended, gaps)[..., None])[..., 0]
