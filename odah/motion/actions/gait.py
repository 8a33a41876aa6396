"""Cyclic actions: strides given as curves over percent of the cycle, and programmes that blend them.

All styles of one action share one phase, so that a foot that stands in one style stands in the next;
where the body goes is left to the planting of the feet.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from odah.motion.actions.action import CONTACT_PARTS
from odah.motion.actions.poses import compose_pose, mirrored, read_table, spread_sides
from odah.motion.actions.ranges import COLUMN

_RAMP = 0.03
"""Cycles over which a part of the body takes up, or gives off, its load."""
_BLEND_SECONDS = 0.9
"""How long one style takes to become the next."""

Window = tuple[float, float]


@dataclass(frozen=True)
class Style:
    """One way to go: `pose(phase)` (T,) cycles -> (T, C) rad; `contact(phase)` -> (T,) weights by part."""

    seconds: float
    pose: Callable[[np.ndarray], np.ndarray]
    contact: Callable[[np.ndarray], dict[str, np.ndarray]]


def periodic_curve(knots: dict[float, float]) -> Callable[[np.ndarray], np.ndarray]:
    """Smooth periodic curve through {percent: value}; a function of phase in cycles.

    Percents may lie outside 0..100; they wrap around.
    """
    points = sorted(((percent / 100) % 1.0, value) for percent, value in knots.items())
    phases, values = (list(column) for column in zip(*points, strict=True))
    phases.append(phases[0] + 1.0)
    values.append(values[0])
    spline = CubicSpline(phases, values, bc_type="periodic")
    return lambda phase: spline(np.mod(phase - phases[0], 1.0) + phases[0])


def window_weight(window: Window, phase: np.ndarray) -> np.ndarray:
    """1 inside the window (cycles), 0 outside, with smooth edges centred on its ends."""
    start, end = window
    half = (end - start) / 2
    inside = half - np.abs(np.mod(phase - (start + end) / 2 + 0.5, 1.0) - 0.5)
    ramp = np.clip(inside / _RAMP + 0.5, 0.0, 1.0)
    return ramp * ramp * (3 - 2 * ramp)


def _curves_by_coordinate(table: dict[str, Any]) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Curves (degrees) of a style's `leg`, `right`, `left` and `body` tables."""
    curves: dict[str, Callable[[np.ndarray], np.ndarray]] = {}
    for name, knots in table.get("leg", {}).items():
        later = {percent + 50: value for percent, value in knots.items()}
        curves[f"{name}_r"], curves[f"{name}_l"] = periodic_curve(knots), periodic_curve(later)
    for side in ("right", "left"):
        for name, knots in table.get(side, {}).items():
            curves[f"{name}_{side[0]}"] = periodic_curve(knots)
    for name, knots in table["body"].items():
        for coordinate in spread_sides(name):
            curves[coordinate] = periodic_curve(knots)
    return curves


def _windows_by_part(table: dict[str, Any]) -> dict[str, Window]:
    if "right" in table:
        sided = {f"{part}_{side[0]}": window for side in table for part, window in table[side].items()}
    else:
        sided = {f"{part}_r": window for part, window in table.items()}
        sided |= {f"{part}_l": (start + 50, end + 50) for part, (start, end) in table.items()}
    return {part: (start / 100, end / 100) for part, (start, end) in sided.items()}


def _tabled_style(table: dict[str, Any]) -> Style:
    base, curves = compose_pose(table["base"]), _curves_by_coordinate(table)
    windows = _windows_by_part(table["support"])

    def pose(phase: np.ndarray) -> np.ndarray:
        values = np.repeat(base[None], len(phase), axis=0)
        for coordinate, curve in curves.items():
            values[:, COLUMN[coordinate]] = np.radians(curve(phase))
        return values

    def contact(phase: np.ndarray) -> dict[str, np.ndarray]:
        return {part: window_weight(window, phase) for part, window in windows.items()}

    return Style(float(table["seconds"]), pose, contact)


def _rephased(style: Style, seconds: float, rephase: Callable[[np.ndarray], np.ndarray]) -> Style:
    return Style(
        seconds, lambda phase: style.pose(rephase(phase)), lambda phase: style.contact(rephase(phase))
    )


def _mirrored_style(style: Style) -> Style:
    swap = {"_r": "_l", "_l": "_r"}

    def contact(phase: np.ndarray) -> dict[str, np.ndarray]:
        return {part[:-2] + swap[part[-2:]]: weight for part, weight in style.contact(phase).items()}

    return Style(style.seconds, lambda phase: mirrored(style.pose(phase)), contact)


_MEAN_PHASES = np.linspace(0, 1, 50, endpoint=False)


def _resized(style: Style, amplitude: float) -> Style:
    """Movements about the cycle's mean pose, made larger or smaller."""
    mean = style.pose(_MEAN_PHASES).mean(axis=0)
    return Style(style.seconds, lambda phase: mean + amplitude * (style.pose(phase) - mean), style.contact)


def _read_style(table: dict[str, Any], read: dict[str, Style]) -> Style:
    """A style from its own curves, or derived from one read before."""
    seconds = float(table.get("seconds", 0.0))
    if "reverse_of" in table:
        original, pivot = read[table["reverse_of"]], table["pivot"] / 100
        style = _rephased(original, seconds, lambda phase: pivot - phase)
    elif "mirror_of" in table:
        original, shift = read[table["mirror_of"]], table["shift"] / 100
        style = _mirrored_style(_rephased(original, original.seconds, lambda phase: phase + shift))
    elif "like" in table:
        style = _rephased(read[table["like"]], seconds, lambda phase: phase)
    else:
        style = _tabled_style(table)
    return _resized(style, table["amplitude"]) if "amplitude" in table else style


@functools.cache
def gait_styles() -> dict[str, Style]:
    """Every style of `gaits.yaml`, by name."""
    read: dict[str, Style] = {}
    for name, table in read_table("gaits.yaml")["styles"].items():
        read[name] = _read_style(table, read)
    return read


@functools.cache
def gait_programmes() -> dict[str, list[tuple[str, float]]]:
    """(style, seconds) in turn, for every cyclic action."""
    actions = read_table("gaits.yaml")["actions"]
    return {name: [(style, float(seconds)) for style, seconds in turns] for name, turns in actions.items()}


@functools.cache
def precise_gaits() -> frozenset[str]:
    """Cyclic actions whose poses must not be enlarged."""
    return frozenset(read_table("gaits.yaml")["precise"])


def style_weights(
    programme: list[tuple[str, float]], time: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """How much of each style there is at `time` (s); the weights sum to 1."""
    weights = {style: np.zeros(len(time)) for style, _ in programme}
    begin, turn = 0.0, 0
    while begin <= time[-1]:
        style, seconds = programme[turn % len(programme)]
        end = begin + seconds * rng.uniform(0.92, 1.08)
        rise = np.clip((time - begin) / _BLEND_SECONDS + 0.5, 0, 1) if turn else np.ones(len(time))
        fall = np.clip((time - end) / _BLEND_SECONDS + 0.5, 0, 1)
        weights[style] += _smoothstep(rise) - _smoothstep(fall)
        begin, turn = end, turn + 1
    total = sum(weights.values())
    return {style: weight / total for style, weight in weights.items()}


def _smoothstep(x: np.ndarray) -> np.ndarray:
    return x * x * (3 - 2 * x)


def cyclic_motion(
    programme: list[tuple[str, float]], time: np.ndarray, tempo: float, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Poses (T, C), rad, and weights of CONTACT_PARTS (T,) of a cyclic action at evenly spaced `time` (s)."""
    styles = gait_styles()
    weights = style_weights(programme, time, rng)
    rate = tempo * sum(weight / styles[name].seconds for name, weight in weights.items())
    wobble = 1 + 0.015 * np.sin(2 * np.pi * (0.31 * time + rng.random()))
    step = time[1] - time[0] if len(time) > 1 else 0.0
    speed = rate * wobble * step
    # Either foot may come first; it stands, so that no clip begins in the air.
    phase = rng.integers(2) / 2 + rng.uniform(0.08, 0.28) + np.cumsum(speed) - speed[0]
    values = sum(weight[:, None] * styles[name].pose(phase) for name, weight in weights.items())
    contacts = {part: np.zeros(len(time)) for part in CONTACT_PARTS}
    for name, weight in weights.items():
        for part, carried in styles[name].contact(phase).items():
            contacts[part] += weight * carried
    return np.asarray(values), contacts
