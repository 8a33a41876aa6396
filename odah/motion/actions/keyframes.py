"""Actions made of key poses: laying sections end to end, and moving smoothly from key to key."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from odah.motion.actions.action import CONTACT_PARTS, FOOT_PARTS
from odah.motion.actions.poses import compose_pose, read_table, standing_pose

_CONTACT_SMOOTHING = 0.02
"""s; standard deviation of the hand-over of weight between parts of the body."""
_MAX_HURRY = 0.85
"""Sections are played at least at this share of their length; shorter clips are cut instead."""
_KEY_JITTER = 0.05
"""Standard deviation of a key pose, as a share of its distance from standing."""

_ON_PARTS: dict[str, tuple[str, ...]] = {
    **{f"{side}_foot": tuple(f"{part}_{side[0]}" for part in FOOT_PARTS) for side in ("left", "right")},
    **{f"{side}_ball": tuple(f"{part}_{side[0]}" for part in ("ball", "toe")) for side in ("left", "right")},
    "air": (),
}
_BOTH_FEET = ("left_foot", "right_foot")


@dataclass(frozen=True)
class Key:
    """A pose (C,) at a time (s), and what carries the body from then on (None: as before)."""

    time: float
    pose: np.ndarray
    on: tuple[str, ...] | None


@dataclass(frozen=True)
class Section:
    """A piece of an action, `lasts` seconds long."""

    lasts: float
    keys: tuple[Key, ...]


@dataclass(frozen=True)
class KeyframedAction:
    """start, then phrases until the clip is full, then finish."""

    start: Section
    phrases: tuple[Section, ...]
    finish: Section
    is_shuffled: bool = False
    is_precise: bool = False
    has_seat: bool = False


@dataclass(frozen=True)
class Timeline:
    """Keys in order of time; `duration` s."""

    keys: list[Key] = field(default_factory=list)
    duration: float = 0.0


def _read_section(table: dict[str, Any]) -> Section:
    keys = tuple(
        Key(float(at), compose_pose(pose), tuple(rest[0]["support"]) if rest else None)
        for at, pose, *rest in table["keys"]
    )
    return Section(float(table["lasts"]), keys)


@functools.cache
def keyframed_actions() -> dict[str, KeyframedAction]:
    """Every action of `keyframed.yaml`, by name."""
    return {
        name: KeyframedAction(
            start=_read_section(table["start"]),
            phrases=tuple(_read_section(phrase) for phrase in table["phrases"]),
            finish=_read_section(table["finish"]),
            is_shuffled=table.get("order") == "shuffle",
            is_precise=table.get("precise", False),
            has_seat=table.get("seat", False),
        )
        for name, table in read_table("keyframed.yaml").items()
    }


def _phrase_order(action: KeyframedAction, rng: np.random.Generator) -> list[int]:
    """One round of all phrases; shuffled where the order is free."""
    count = len(action.phrases)
    return list(rng.permutation(count)) if action.is_shuffled else list(range(count))


def _choose_sections(
    action: KeyframedAction, duration: float, rng: np.random.Generator
) -> tuple[list[Section], float]:
    """Sections that fill `duration` (s at ordinary tempo), and the factor to stretch them by."""
    sections, length = [action.start], action.start.lasts
    queue: list[int] = []
    while True:
        queue = queue or _phrase_order(action, rng)
        phrase = action.phrases[queue.pop(0)]
        # Half a phrase too long or too short is what stretching can hide.
        if len(sections) > 1 and length + 0.5 * phrase.lasts + action.finish.lasts > duration:
            break
        sections.append(phrase)
        length += phrase.lasts
    stretch = duration / (length + action.finish.lasts)
    if stretch >= _MAX_HURRY:
        return [*sections, action.finish], stretch
    return sections, max(duration / length, _MAX_HURRY)


def plan_timeline(action: KeyframedAction, duration: float, rng: np.random.Generator) -> Timeline:
    """Keys that fill `duration` seconds, each a little different from the table's.

    Clips too short for start, one phrase and finish are cut off, not hurried.
    """
    sections, stretch = _choose_sections(action, duration, rng)
    jitter = 0.2 * _KEY_JITTER if action.is_precise else _KEY_JITTER
    keys: list[Key] = []
    begin = 0.0
    for section in sections:
        for key in section.keys:
            change = key.pose - standing_pose()
            pose = key.pose + jitter * change * np.clip(rng.normal(size=len(change)), -2, 2)
            time = begin + stretch * key.time * (1 if key.time == 0 else rng.uniform(0.99, 1.01))
            if keys and time - keys[-1].time < 1e-3:
                # A section starts where the one before ended on its last key.
                keys.pop()
            keys.append(Key(time, pose, key.on))
        begin += stretch * section.lasts
    return Timeline(keys, duration)


def interpolate_keys(timeline: Timeline, time: np.ndarray, smoothing: float = 0.03) -> np.ndarray:
    """Poses (T, C) at evenly spaced `time` (s): monotone cubics (Fritsch & Carlson 1980) between keys.

    smoothing: s, standard deviation of a Gaussian that rounds the jumps in acceleration at the keys.
    """
    moments = np.array([key.time for key in timeline.keys])
    poses = np.stack([key.pose for key in timeline.keys])
    if len(moments) == 1:
        return np.repeat(poses, len(time), axis=0)
    curve = PchipInterpolator(moments, poses, axis=0)
    values = curve(np.clip(time, moments[0], moments[-1]))
    step = time[1] - time[0] if len(time) > 1 else 1.0
    return gaussian_filter1d(values, smoothing / step, axis=0, mode="nearest")


def contact_weights(timeline: Timeline, time: np.ndarray) -> dict[str, np.ndarray]:
    """How firmly each of CONTACT_PARTS rests on the floor at `time`, (T,) each, 0..1."""
    weights = {part: np.zeros(len(time)) for part in CONTACT_PARTS}
    on: tuple[str, ...] = _BOTH_FEET
    bounds = [key.time for key in timeline.keys[1:]] + [np.inf]
    for k, (key, until) in enumerate(zip(timeline.keys, bounds, strict=True)):
        on = on if key.on is None else key.on
        span = (time >= (-np.inf if k == 0 else key.time)) & (time < until)
        for part in {part for group in on for part in _ON_PARTS[group]}:
            weights[part][span] = 1.0
    step = time[1] - time[0] if len(time) > 1 else 1.0
    sigma = _CONTACT_SMOOTHING / step
    return {part: gaussian_filter1d(weight, sigma, mode="nearest") for part, weight in weights.items()}
