"""Sew a garment for one body: cut, ease, hang, smooth, and prepare its skinning."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from odah.body.mesh import vertex_normals
from odah.clothing.collar import along_rings, collar_on, kept_gaps
from odah.clothing.drape import HangAxis, Obstacle, hang, pushed_out
from odah.clothing.patterns import LowerPattern, Pattern, UpperPattern, along_limb, cloth_field
from odah.clothing.rest_body import RestBody
from odah.clothing.surface import (
    Surface,
    boundary_edges,
    clip,
    cut,
    largest_component,
    smoothing_matrix,
)
from odah.names import SIDES, SMPLX_INDEX

_SKIN_GAP = 0.004
_KNEE_RINGS = (-0.08, -0.045, -0.015, 0.015, 0.045, 0.08)
"""Heights about the knee, m, where legs get extra rings of vertices to bend at."""
_BREAK_RINGS = tuple(0.012 * k for k in range(1, 10))
"""Heights over the hem, m, of such rings where legs lie on the shoes in folds."""
_OVER_SHOE, _SHOE_TOP = 0.013, 0.03
"""Distance from the foot that goes over a shoe, up to this height over the ankle, m."""
_SLEEVE_FULLNESS = 1.5
"""Ease below the arm over the pattern's, because there is none above it."""
COLLAR_PANEL = 3


@dataclass(frozen=True)
class Garment:
    """Cloth in the T-pose, at the resolution it is posed in.

    surface: cloth surface with skinning weights. panels: (F,) which piece of cloth each face was cut from.
    on_skin: (N, 3) the skin point each vertex was cut from. gap: (N,) m kept from the skin when posed.
    smoothing: (N, N) neighbour mean. to_skin: (N, N_body) which body vertices each vertex follows.
    looseness: 0 tight to 1 wide. collar_from: number of the first vertex of the collar, after all others.
    """

    pattern: Pattern
    surface: Surface
    panels: np.ndarray
    on_skin: np.ndarray
    gap: np.ndarray
    smoothing: sp.csr_matrix
    to_skin: sp.csr_matrix
    looseness: float = 0.5
    collar_from: int | None = None


def _straighten_rims(surface: Surface, smoothing: sp.csr_matrix, rounds: int = 8) -> Surface:
    rim = np.unique(boundary_edges(surface.faces))
    vertices = surface.vertices.copy()
    for _ in range(rounds):
        vertices[rim] = 0.5 * vertices[rim] + 0.5 * (smoothing @ vertices)[rim]
    return replace(surface, vertices=vertices)


def _leg_end(rest: RestBody, pattern: LowerPattern) -> float:
    hip, knee, ankle = (rest.joint(f"left_{n}")[1] for n in ("hip", "knee", "ankle"))
    return along_limb(hip, knee, ankle, pattern.leg)


def _seamed(surface: Surface, rest: RestBody, pattern: Pattern) -> tuple[Surface, np.ndarray]:
    """Cut along the panels' seams. Upper: body 0, left sleeve 1, right sleeve 2; lower: left 0, right 1."""
    if isinstance(pattern, LowerPattern):
        knee, hem = rest.joint("left_knee")[1], _leg_end(rest, pattern)
        rings = [knee + offset for offset in _KNEE_RINGS if knee + offset > hem + 0.01]
        rings += [hem + offset for offset in _BREAK_RINGS if pattern.breaks_on_shoe]
        for height in rings:
            surface, _, _ = cut(surface, surface.vertices[:, 1] - height)
        surface, is_left, _ = cut(surface, surface.vertices[:, 0])
        return surface, np.where(is_left, 0, 1)
    shoulder, neck = rest.joint("left_shoulder"), rest.joint("neck")
    armhole = shoulder[0] - 0.08 * (shoulder[0] - neck[0])
    panels = np.zeros(len(surface.faces), int)
    for panel, sign in ((1, 1.0), (2, -1.0)):
        x, y, _ = surface.vertices.T
        field = np.minimum(sign * x - armhole, y - shoulder[1] + 0.16)
        surface, is_sleeve, parents = cut(surface, field)
        panels = np.where(is_sleeve, panel, panels[parents])
    return surface, panels


def _progress(value: np.ndarray, start: float, end: float) -> np.ndarray:
    return np.clip((value - start) / (end - start), 0, 1)


def _ease(surface: Surface, rest: RestBody, pattern: Pattern, looseness: float) -> np.ndarray:
    """(N,) distance from the skin that the cloth is cut for, m: growing towards the hems."""
    x, y, _ = surface.vertices.T
    rests, hem = pattern.ease[0], pattern.ease[0] + (pattern.ease[1] - pattern.ease[0]) * 2 * looseness
    hip = rest.joint("left_hip")[1]
    if isinstance(pattern, LowerPattern):
        hem = max(hem, _OVER_SHOE + 0.003) if pattern.breaks_on_shoe else hem
        return rests + (hem - rests) * _progress(-y, -hip, -_leg_end(rest, pattern))
    shoulder, elbow, wrist = (rest.joint(f"left_{n}")[0] for n in ("shoulder", "elbow", "wrist"))
    end = along_limb(shoulder, elbow, wrist, max(pattern.sleeve, 0.3))
    hangs = 0.5 - 0.5 * vertex_normals(surface.vertices, surface.faces)[:, 1]
    sleeve = _progress(np.abs(x), shoulder, end) * _SLEEVE_FULLNESS * hangs**1.5  # lies on top of the arm
    trunk = _progress(-y, -rest.joint("spine3")[1], -hip) * (np.abs(x) < 1.3 * shoulder)
    return rests + (hem - rests) * np.maximum(sleeve, trunk)


def _hung(
    points: np.ndarray, weights: np.ndarray, rest: RestBody, pattern: Pattern, looseness: float
) -> np.ndarray:
    y = {n: rest.joint(f"left_{n}")[1] for n in ("hip", "knee", "ankle", "shoulder")}
    if isinstance(pattern, UpperPattern):
        arms = RestBody(points, rest.faces, weights, rest.joints)
        amount = 1 - np.clip(2 * (arms.arm_weight("left") + arms.arm_weight("right")), 0, 1)
        spine = rest.joint("spine2")
        axis = HangAxis(np.array([0.0, 1.0]), np.array([[0.0, spine[2]], [0.0, spine[2]]]))
        arm = rest.joint("left_elbow")[0] - rest.joint("left_shoulder")[0]
        return hang(points, axis, amount, y["shoulder"] - 0.42 * arm, 0.30 - 0.24 * looseness)
    if pattern.ease[1] <= pattern.ease[0]:
        return points
    out = points.copy()
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        chain = np.array([rest.joint(f"{side}_{n}") for n in ("ankle", "knee", "hip")])
        axis = HangAxis(chain[:, 1], chain[:, [0, 2]])
        mine = sign * points[:, 0] > -1e-6
        moved = hang(points[mine], axis, np.full(mine.sum(), 0.9), y["hip"], 0.22 - 0.20 * looseness)
        was = sign * points[mine, 0]
        moved[:, 0] = sign * np.maximum(sign * moved[:, 0], np.minimum(was, 0.004))
        out[mine] = moved
    return out


def _relaxed(points: np.ndarray, smoothing: sp.csr_matrix, obstacle: Obstacle, gap: np.ndarray) -> np.ndarray:
    """Smoothed as far as the body underneath allows."""
    for step in range(24):
        points = 0.5 * points + 0.5 * (smoothing @ points)
        if step % 4 == 3:
            points = pushed_out(points, obstacle, gap)
    return points


def _folded_on_shoe(
    points: np.ndarray, faces: np.ndarray, rest: RestBody, pattern: LowerPattern, looseness: float
) -> np.ndarray:
    """Legs longer than the way to the shoe lie on it in two or three folds, deepest in front."""
    above = points[:, 1] - _leg_end(rest, pattern)
    height = _BREAK_RINGS[-1] * (0.7 + 0.5 * looseness)
    normals = vertex_normals(points, faces)
    wave = np.sin(2 * np.pi * above / 0.048 + 0.9 * np.sign(points[:, 0]) * normals[:, 0])
    depth = (
        (0.0025 + 0.0045 * looseness)
        * np.clip(1 - above / height, 0, 1) ** 0.7
        * np.clip(above / 0.012, 0, 1)
    )
    return points + (depth * (0.6 + 0.4 * normals[:, 2]) * (1 + wave))[:, None] * normals


def _with_shins(weights: np.ndarray, share: float = 0.6) -> np.ndarray:
    """Legs on shoes follow the shin more than the foot."""
    out = weights.copy()
    for side in SIDES:
        foot = [SMPLX_INDEX[f"{side}_{name}"] for name in ("ankle", "foot")]
        out[:, SMPLX_INDEX[f"{side}_knee"]] += share * out[:, foot].sum(1)
        out[:, foot] *= 1 - share
    return out


@dataclass(frozen=True)
class _Draped:
    """Cloth after draping: points (N, 3); keep (N,): least distance from the skin, m."""

    points: np.ndarray
    keep: np.ndarray


def _draped(
    surface: Surface, smoothing: sp.csr_matrix, rest: RestBody, pattern: Pattern, looseness: float,
    obstacle: Obstacle,
) -> _Draped:  # fmt: skip
    ease = _ease(surface, rest, pattern, looseness)
    normals = vertex_normals(surface.vertices, surface.faces)
    eased = surface.vertices + ease[:, None] * normals
    points = _hung(eased, surface.weights, rest, pattern, looseness)
    gap = np.minimum(_SKIN_GAP, pattern.ease[0]) + 0.3 * (ease - pattern.ease[0])
    keep = np.minimum(gap, _SKIN_GAP)
    if isinstance(pattern, LowerPattern) and pattern.breaks_on_shoe:
        is_low = points[:, 1] < rest.joint("left_ankle")[1] + _SHOE_TOP
        gap, keep = (np.where(is_low, np.maximum(g, _OVER_SHOE), g) for g in (gap, keep))
    points = _relaxed(points, smoothing, obstacle, gap)
    if isinstance(pattern, LowerPattern) and pattern.breaks_on_shoe:
        points = _folded_on_shoe(points, surface.faces, rest, pattern, looseness)
    return _Draped(points, keep)


def _with_collar(garment: Garment, rest: RestBody, obstacle: Obstacle) -> Garment:
    """The collar keeps its fold: it is smoothed along itself only, and moves with neckline and neck."""
    collar = collar_on(garment.surface, rest, obstacle)
    count = len(collar.vertices)
    rings = np.repeat(kept_gaps(), count // len(kept_gaps()))
    along, to_skin = along_rings(count), rest.nearest_skin(collar.vertices, rest.trunk_and_limbs)
    for _ in range(2):
        to_skin = 0.5 * to_skin + 0.5 * (along @ to_skin)
    return replace(
        garment,
        surface=collar.joined(garment.surface),
        panels=np.concatenate([garment.panels, np.full(len(collar.faces), COLLAR_PANEL)]),
        on_skin=np.concatenate([garment.on_skin, garment.on_skin[collar.rim]]),
        gap=np.concatenate([garment.gap, rings]),
        smoothing=sp.csr_matrix(sp.block_diag([garment.smoothing, along])),
        to_skin=sp.csr_matrix(sp.vstack([garment.to_skin, to_skin])),
        collar_from=garment.surface.num_vertices,
    )


def sew(rest: RestBody, pattern: Pattern, looseness: float = 0.5) -> Garment:
    """Cut `pattern` from the body's T-pose mesh and drape it.

    looseness: 0 tight to 1 wide. The cloth keeps the body's own triangles, so any SMPL-X-like mesh will do.
    """
    field = cloth_field(rest, pattern)
    surface, panels = _seamed(largest_component(clip(rest.as_surface(), field)), rest, pattern)
    smoothing = smoothing_matrix(surface.faces, surface.num_vertices)
    surface = _straighten_rims(surface, smoothing)
    obstacle = Obstacle.of(rest.vertices[rest.trunk_and_limbs], rest.normals[rest.trunk_and_limbs])
    draped = _draped(surface, smoothing, rest, pattern, looseness, obstacle)
    weights, to_skin = surface.weights, rest.nearest_skin(surface.vertices, rest.trunk_and_limbs)
    if isinstance(pattern, LowerPattern) and pattern.breaks_on_shoe:
        weights = _with_shins(weights)
    for _ in range(8):
        weights = 0.5 * weights + 0.5 * (smoothing @ weights)
    for _ in range(2):
        to_skin = 0.5 * to_skin + 0.5 * (smoothing @ to_skin)
    weights = weights / weights.sum(1, keepdims=True)
    garment = Garment(
        pattern,
        Surface(draped.points, surface.faces, weights),
        panels,
        surface.vertices,
        draped.keep,
        smoothing,
        sp.csr_matrix(to_skin),
        looseness,
    )
    if isinstance(pattern, UpperPattern) and pattern.has_collar:
        return _with_collar(garment, rest, obstacle)
    return garment
