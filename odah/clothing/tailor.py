"""Sew a garment for one body: cut, ease, hang, smooth, and prepare its skinning."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from odah.body.mesh import vertex_normals
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
from odah.names import SIDES

_SKIN_GAP = 0.004
_KNEE_RINGS = (-0.08, -0.045, -0.015, 0.015, 0.045, 0.08)
"""Heights about the knee, m, where legs get extra rings of vertices to bend at."""


@dataclass(frozen=True)
class Garment:
    """Cloth in the T-pose, at the resolution it is posed in.

    surface: cloth surface with skinning weights. panels: (F,) which piece of cloth each face was cut from.
    on_skin: (N, 3) the skin point each vertex was cut from. gap: (N,) m kept from the skin when posed.
    smoothing: (N, N) neighbour mean. to_skin: (N, N_body) which body vertices each vertex follows.
    """

    pattern: Pattern
    surface: Surface
    panels: np.ndarray
    on_skin: np.ndarray
    gap: np.ndarray
    smoothing: sp.csr_matrix
    to_skin: sp.csr_matrix


def _straighten_rims(surface: Surface, smoothing: sp.csr_matrix, rounds: int = 8) -> Surface:
    rim = np.unique(boundary_edges(surface.faces))
    vertices = surface.vertices.copy()
    for _ in range(rounds):
        vertices[rim] = 0.5 * vertices[rim] + 0.5 * (smoothing @ vertices)[rim]
    return replace(surface, vertices=vertices)


def _seamed(surface: Surface, rest: RestBody, pattern: Pattern) -> tuple[Surface, np.ndarray]:
    """Cut along the panels' seams. Upper: body 0, left sleeve 1, right sleeve 2; lower: left 0, right 1."""
    if isinstance(pattern, LowerPattern):
        for offset in _KNEE_RINGS:
            surface, _, _ = cut(surface, surface.vertices[:, 1] - rest.joint("left_knee")[1] - offset)
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
    hip, knee, ankle = (rest.joint(f"left_{n}")[1] for n in ("hip", "knee", "ankle"))
    if isinstance(pattern, LowerPattern):
        return rests + (hem - rests) * _progress(-y, -hip, -along_limb(hip, knee, ankle, pattern.leg))
    shoulder, elbow, wrist = (rest.joint(f"left_{n}")[0] for n in ("shoulder", "elbow", "wrist"))
    end = along_limb(shoulder, elbow, wrist, max(pattern.sleeve, 0.3))
    sleeve = _progress(np.abs(x), shoulder, end)
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


def _nearest_skin(points: np.ndarray, rest: RestBody, k: int = 6) -> sp.csr_matrix:
    """(N, N_body) inverse-distance weights of the k nearest body vertices."""
    distance, index = rest.tree.query(points, k=k)
    weight = 1 / (distance + 1e-3) ** 2
    weight /= weight.sum(1, keepdims=True)
    rows = np.repeat(np.arange(len(points)), k)
    columns = rest.trunk_and_limbs[index.ravel()]
    return sp.csr_matrix((weight.ravel(), (rows, columns)), (len(points), len(rest.vertices)))


def _relaxed(points: np.ndarray, smoothing: sp.csr_matrix, obstacle: Obstacle, gap: np.ndarray) -> np.ndarray:
    """Smoothed as far as the body underneath allows."""
    for step in range(24):
        points = 0.5 * points + 0.5 * (smoothing @ points)
        if step % 4 == 3:
            points = pushed_out(points, obstacle, gap)
    return points


def sew(rest: RestBody, pattern: Pattern, looseness: float = 0.5) -> Garment:
    """Cut `pattern` from the body's T-pose mesh and drape it.

    looseness: 0 tight to 1 wide. The cloth keeps the body's own triangles, so any SMPL-X-like mesh will do.
    """
    field = cloth_field(rest, pattern)
    surface, panels = _seamed(largest_component(clip(rest.as_surface(), field)), rest, pattern)
    smoothing = smoothing_matrix(surface.faces, surface.num_vertices)
    surface = _straighten_rims(surface, smoothing)
    on_skin = surface.vertices
    ease = _ease(surface, rest, pattern, looseness)
    normals = vertex_normals(on_skin, surface.faces)
    obstacle = Obstacle.of(rest.vertices[rest.trunk_and_limbs], rest.normals[rest.trunk_and_limbs])
    points = _hung(on_skin + ease[:, None] * normals, surface.weights, rest, pattern, looseness)
    gap = np.minimum(_SKIN_GAP, pattern.ease[0]) + 0.3 * (ease - pattern.ease[0])
    points = _relaxed(points, smoothing, obstacle, gap)
    weights, to_skin = surface.weights, _nearest_skin(on_skin, rest)
    for _ in range(8):
        weights = 0.5 * weights + 0.5 * (smoothing @ weights)
    for _ in range(2):
        to_skin = 0.5 * to_skin + 0.5 * (smoothing @ to_skin)
    weights = weights / weights.sum(1, keepdims=True)
    keep = np.minimum(gap, _SKIN_GAP)
    return Garment(
        pattern,
        Surface(points, surface.faces, weights),
        panels,
        on_skin,
        keep,
        smoothing,
        sp.csr_matrix(to_skin),
    )
