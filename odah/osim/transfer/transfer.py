"""A motion solved on any person's model, on the full-body model instead.

The full-body model is scaled to the other's joint centres. Then every bone that both have gets four points
around its joint, fixed to it alike in both, and inverse kinematics follows those of the other model. So
coordinates mean what they mean on the full-body model, whatever the other calls them or counts positive.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from odah.motion.actions.poses import compose_pose
from odah.motion.types import MarkerTrajectories
from odah.names import OPENSIM_COORDINATES
from odah.osim.ik import InverseKinematics, inverse_kinematics
from odah.osim.kinematics import Kinematics, model_markers
from odah.osim.model import Coordinate, Joint, Marker, Model
from odah.osim.scale import scale_model
from odah.osim.transfer.counterparts import Counterparts
from odah.osim.transfer.rest import RestPair
from odah.osim.transfer.sizes import size_factors

_TETRAHEDRON = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
_REACH = 0.15
"""m from a bone's joint to its points: one degree of turn weighs as much as 2 mm of displacement."""
_LEEWAY = np.deg2rad(60.0)
"""How far angles may leave their ranges: other models bend further; whoever does is flagged."""
_ARMS_OFF: dict[str, float] = {"arm_add": -15.0}
"""Degrees; arms that nobody recorded hang beside thighs that move."""
_AT_ZERO = np.deg2rad(0.5)
_ENDS = ("radius_hand", "subtalar", "mtp")
"""Joints that stay at zero where the other model does not use them; others its bones tell all the same."""


def transfer_kinematics(solved: Kinematics, ours: Model) -> Kinematics:
    """The motion of `solved` on `ours`, the full-body model, scaled; without markers.

    marker_errors: distances of joint centres (RMS over those that both have), unless `solved` knows how far
    measured markers are. Coordinates that the other motion does not tell are held as in standing at ease.

    Raises:
        InputError: the model is no person's, or does not stand upright at zero. OdahError: no solution.
    """
    where = str(solved.source.path)
    parts = Counterparts.of(solved.model, ours, _moving(solved), where)
    pair = RestPair.of(solved.model, ours, parts, where)
    factors = size_factors(pair, where)
    mass = solved.model.mass if solved.model.mass > 0 else None
    model = scale_model(ours, factors, name=solved.model.name, mass=mass)
    pair = pair.with_ours(model)
    held = _held(model, parts)
    theirs, mine = _points(pair)
    goals = model_markers(solved.model.with_markers(theirs), solved.coordinates)
    names = tuple(point.name for point in theirs)
    markers = MarkerTrajectories(names, goals, solved.rate, "ground", solved.source, solved.start_time)
    solution = inverse_kinematics(
        _loosened(model, held).with_markers(mine), markers, dict.fromkeys(names, 1.0)
    )
    errors = _centre_distances(pair, model, solution, solved)
    own = solved.marker_errors
    return replace(
        solved,
        model=model,
        coordinates=solution.coordinates,
        scale_factors=factors,
        marker_errors=np.sqrt((errors**2).mean(axis=1)) if own is None else own,
        notes=(*solved.notes, *_notes(solved.model, errors, held, solution)),
        model_xml=None,
    )


def _notes(
    theirs: Model, errors: np.ndarray, held: tuple[str, ...], solution: InverseKinematics
) -> list[str]:
    told = 1e3 * float(np.sqrt((errors**2).mean()))
    notes = [
        f"solved on the model {theirs.name!r}, brought to the full-body model: "
        f"joint centres {told:.1f} mm RMS from its own"
    ]
    if held:
        notes.append(f"not told by that motion, so held still: {', '.join(held)}")
    if not solution.is_converged.all():
        notes.append(f"{(~solution.is_converged).sum()} frames did not converge")
    return [*notes, *(f"ignored: {constraint}" for constraint in theirs.loop_constraints)]


def _points(pair: RestPair) -> tuple[tuple[Marker, ...], tuple[Marker, ...]]:
    """Points fixed to the bones that both models have, alike named and placed: on theirs and on ours."""
    theirs, mine = [], []
    for body, turn in pair.matched_rotmats().items():
        anchors = pair.anchors(body)
        own_body = pair.parts.bodies[body]
        centre = pair.ours.on_body(body, pair.ours.centre(*anchors))
        their_centre = pair.theirs.on_body(own_body, pair.their_centre(*anchors))
        for k, direction in enumerate(_REACH * _TETRAHEDRON):
            mine.append(Marker(f"{body} {k}", body, centre + direction))
            theirs.append(Marker(f"{body} {k}", own_body, their_centre + turn @ direction))
    return tuple(theirs), tuple(mine)


def _moving(solved: Kinematics) -> frozenset[str]:
    """Coordinates that are not zero all the time."""
    farthest = np.abs(solved.coordinates).max(axis=0)
    return frozenset(
        name for name, far in zip(solved.model.coordinate_names, farthest, strict=True) if far > _AT_ZERO
    )


def _held(model: Model, parts: Counterparts) -> tuple[str, ...]:
    """Our coordinates that the other motion does not tell."""
    coupled = {coupler.dependent for coupler in model.couplers}
    names = [name for joint in model.joints if _is_untold(joint, parts) for name in joint.coordinate_names]
    return tuple(name for name in names if name not in coupled)


def _is_untold(joint: Joint, parts: Counterparts) -> bool:
    if joint.name in parts.still and joint.name[:-2] in _ENDS:
        return True
    return joint.child not in parts.bodies and joint.name not in parts.centres


def _loosened(model: Model, held: tuple[str, ...]) -> Model:
    """With room beyond the ranges; held coordinates locked as in standing at ease, arms off the thighs."""
    rest = dict(zip(OPENSIM_COORDINATES, compose_pose([_ARMS_OFF]).tolist(), strict=True))

    def loosened(coordinate: Coordinate) -> Coordinate:
        if coordinate.name in held:
            return replace(coordinate, default=rest[coordinate.name], locked=True)
        if coordinate.motion_type != "rotational":
            return coordinate
        low, high = coordinate.range
        return replace(coordinate, range=(low - _LEEWAY, high + _LEEWAY))

    return replace(model, coordinates=tuple(loosened(coordinate) for coordinate in model.coordinates))


def _centre_distances(
    pair: RestPair, model: Model, solution: InverseKinematics, solved: Kinematics
) -> np.ndarray:
    """(T, J) m, between the joint centres that both models have."""
    ours = _joint_paths(model, tuple(pair.parts.centres), solution.coordinates)
    theirs = _joint_paths(solved.model, tuple(pair.parts.centres.values()), solved.coordinates)
    return np.linalg.norm(ours - theirs, axis=-1)


def _joint_paths(model: Model, names: tuple[str, ...], coordinates: np.ndarray) -> np.ndarray:
    """(T, J, 3): the joints' centres in ground, m."""
    joints = {joint.name: joint for joint in model.joints}
    centres = [Marker(name, joints[name].child, joints[name].T_child[:3, 3]) for name in names]
    return model_markers(model.with_markers(tuple(centres)), coordinates)
