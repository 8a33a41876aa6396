"""From an action's name and a subject's seed to a performance: joint angles and contacts over time."""

from __future__ import annotations

import numpy as np

from odah.errors import InputError
from odah.motion.actions.action import CONTACT_PARTS, Action
from odah.motion.actions.gait import cyclic_motion, gait_programmes, precise_gaits
from odah.motion.actions.keyframes import (
    KeyframedAction,
    contact_weights,
    interpolate_keys,
    keyframed_actions,
    plan_timeline,
)
from odah.motion.actions.performer import Performer, action_generator, body_sway
from odah.motion.actions.poses import NOMINAL_PELVIS_HEIGHT
from odah.motion.actions.ranges import COLUMN, coordinate_limits, press_inside
from odah.motion.types import CoordinateTrajectory, Source
from odah.names import BMLMOVI_ACTIONS, OPENSIM_COORDINATES, ROOT_TRANSLATIONS

_LICENCE = "Apache-2.0"
_LEVEL_THIGH = np.radians(62)
"""Flexion of both hips and knees beyond which a person with a seat under them rests on it."""


def canonical_action_name(name: str) -> str:
    """The name as in BMLMOVI_ACTIONS; case, spaces, hyphens and underscores do not matter.

    Raises:
        InputError: no built-in action of that name.
    """
    canonical = "_".join(name.lower().replace("_", " ").replace("-", " ").split())
    if canonical not in BMLMOVI_ACTIONS:
        raise InputError("action", repr(name), "one of " + ", ".join(BMLMOVI_ACTIONS))
    return canonical


def _require_positive(field: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0):
        raise InputError(field, str(value), "a positive number")


def _performed_cycles(
    name: str, performer: Performer, time: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    values, contacts = cyclic_motion(gait_programmes()[name], time, performer.tempo, rng)
    return performer.perform(values, exactness=float(name in precise_gaits())), contacts


def _performed_keys(
    action: KeyframedAction, performer: Performer, time: np.ndarray, duration: float, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    # Planned at the table's tempo on a clock that runs faster for quick people.
    timeline = plan_timeline(action, duration * performer.tempo, rng)
    clock = time * performer.tempo
    values = interpolate_keys(timeline, clock)
    return performer.perform(values, exactness=float(action.is_precise)), contact_weights(timeline, clock)


def _swap_sides(contacts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    swap = {"r": "l", "l": "r"}
    return {part: contacts[part[:-1] + swap[part[-1]]] for part in CONTACT_PARTS}


def _is_seated(values: np.ndarray) -> np.ndarray:
    flexion = values[
        :, [COLUMN[f"{joint}_{side}"] for joint in ("hip_flexion", "knee_angle") for side in "rl"]
    ]
    return (flexion > _LEVEL_THIGH).all(axis=1) & (values[:, COLUMN["pelvis_tilt"]] > np.radians(-12))


def _within_ranges(values: np.ndarray) -> np.ndarray:
    """Angles inside the model's ranges, the pelvis at its nominal place, the patella with the knee."""
    low, high = coordinate_limits()
    values = press_inside(values, low, high)
    values[:, [COLUMN[name] for name in ROOT_TRANSLATIONS]] = (0.0, NOMINAL_PELVIS_HEIGHT, 0.0)
    for side in "rl":
        values[:, COLUMN[f"knee_angle_{side}_beta"]] = values[:, COLUMN[f"knee_angle_{side}"]]
    return values


def plan_action(name: str, seed: int, duration: float, rate: float) -> Action:
    """One of the 21 BMLmovi actions as subject `seed` does it: joint angles and contacts, not yet grounded.

    name: see `canonical_action_name`. duration: s. rate: frames/s. The result is a function of these alone;
    handedness, tempo, size of movements and posture depend on `seed` only.

    Raises:
        InputError: unknown action, negative seed, or a duration or rate that is not positive.
    """
    name = canonical_action_name(name)
    _require_positive("duration", duration)
    _require_positive("rate", rate)
    if seed < 0:
        raise InputError("seed", str(seed), "a number from 0 up")
    performer, rng = Performer.from_seed(seed), action_generator(name, seed)
    time = np.arange(max(round(duration * rate), 1)) / rate
    keyframed = keyframed_actions().get(name)
    if keyframed is None:
        values, contacts = _performed_cycles(name, performer, time, rng)
    else:
        values, contacts = _performed_keys(keyframed, performer, time, duration, rng)
    if performer.is_left_handed:
        contacts = _swap_sides(contacts)
    values = _within_ranges(values + body_sway(rng, time))
    has_seat = keyframed is not None and keyframed.has_seat
    is_seated = _is_seated(values) if has_seat else np.zeros(len(time), dtype=bool)
    source = Source(path=f"builtin:{name}:{seed}", format="builtin", licence=_LICENCE)
    trajectory = CoordinateTrajectory(OPENSIM_COORDINATES, values, rate, source)
    return Action(name, seed, trajectory, contacts, is_seated)


def builtin_action(name: str, seed: int, duration: float, rate: float) -> CoordinateTrajectory:
    """The joint angles of `plan_action`: 39 coordinates, rad and m, the pelvis at its nominal height.

    To stand on the floor and travel, pass `plan_action`'s result to `odah.osim.grounding.ground_action`.
    """
    return plan_action(name, seed, duration, rate).trajectory
