"""One picture of a fit: the body in six poses with skeleton and markers over it, and the residuals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float

from odah.body.body_model import BodyModel
from odah.body.fitting.residuals import BodyFit
from odah.body.mesh import vertex_normals
from odah.files import atomic_path
from odah.names import SKELETON_BONES, side_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NUM_POSES = 6
_SIDE_COLORS = {"right": "#e07b00", "left": "#1f7ae0", "middle": "#3d3d3d"}
_SKIN = np.array([0.80, 0.76, 0.73])
_INK, _FAINT, _MARKER = "#2b2b2b", "#8a8a8a", "#c2185b"
_LIGHT = np.array([0.25, -0.45, 0.85])
"""Towards the light; x right, y away from the viewer, z up."""
_ON_FLOOR = 0.2
"""m; lowest point of people whose floor seems to be at height 0, so that it is drawn."""
_MARGIN = 0.08
"""m of white around the tallest pose."""


@dataclass(frozen=True)
class PosedFit:
    """One frame of a fit, world, m.

    vertices (N, 3). joints (J, 3) of the skeleton and mesh_joints (J, 3) regressed from the mesh. markers
    (M, 3) asked for, NaN where one was not seen, and mesh_markers (M, 3) on the body. view: (3, 3), its rows
    the viewer's right, away and up.
    """

    time: float
    vertices: Float[np.ndarray, "N 3"]
    joints: Float[np.ndarray, "J 3"]
    mesh_joints: Float[np.ndarray, "J 3"]
    markers: Float[np.ndarray, "M 3"]
    mesh_markers: Float[np.ndarray, "M 3"]
    view: Float[np.ndarray, "3 3"]


def view_of(facing: np.ndarray, turn_deg: float = 35.0) -> Float[np.ndarray, "3 3"]:
    """Rows right, away, up of someone who looks at a person facing `facing` (3,) (world) from `turn_deg` to
    the person's left."""
    heading = np.arctan2(facing[1], facing[0]) + np.deg2rad(turn_deg)
    away = -np.array([np.cos(heading), np.sin(heading), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    return np.stack([np.cross(away, up), away, up])


def write_fit_picture(path: str | Path, title: str, body: BodyModel, fit: BodyFit, rate: float) -> None:
    """Draw a fit of `body`, with bone lengths, at this frame rate (Hz), into a PNG file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 10), dpi=110, layout="constrained", facecolor="white")
    told = "dots and lines: skeleton; rings: joints of the mesh; crosses: markers; right orange, left blue"
    figure.suptitle(f"{title}\n{told}", fontsize=10, color=_INK)
    poses, plots = list(figure.subfigures(2, 1, height_ratios=(1.6, 1)))  # pyright: ignore[reportArgumentType]
    _draw_poses(poses, posed_fits(body, fit, rate), body.faces, fit.joint_names)
    joint_axes, marker_axes = plots.subplots(2, 1)
    _draw_residuals(joint_axes, fit.joint_names, fit.joint_errors_mm, side_of, "mesh to skeleton (mm)")
    _draw_residuals(
        marker_axes,
        fit.marker_names,
        fit.marker_errors_mm,
        _side_of_marker,
        "mesh to markers (mm)",
    )
    with atomic_path(path) as temporary:
        FigureCanvasAgg(figure).print_png(str(temporary))


def posed_fits(body: BodyModel, fit: BodyFit, rate: float) -> list[PosedFit]:
    """`NUM_POSES` frames spread over a clip, or all of a shorter one, seen from the front left."""
    frames = np.unique(np.linspace(0, fit.num_frames - 1, NUM_POSES).round().astype(int))
    poses, transl = (torch.from_numpy(array[frames]).to(body.dtype) for array in (fit.poses, fit.transl))
    with torch.no_grad():
        posed = body(torch.from_numpy(fit.betas).to(body.dtype), poses, transl)
    facing = posed.joint_rotmats[:, 0, :, 2].double().numpy()
    joints = len(fit.joint_names)
    return [
        PosedFit(
            time=float(frame / rate),
            vertices=posed.vertices[k].double().numpy(),
            joints=fit.goals[frame, :joints],
            mesh_joints=fit.points[frame, :joints],
            markers=fit.goals[frame, joints:],
            mesh_markers=fit.points[frame, joints:],
            view=view_of(facing[k]),
        )
        for k, frame in enumerate(frames)
    ]


def _draw_poses(
    figure: Figure, shown: Sequence[PosedFit], faces: np.ndarray, joint_names: Sequence[str]
) -> None:
    row = figure.subplots(1, len(shown), squeeze=False)[0]
    low = min(float(pose.vertices[:, 2].min()) for pose in shown)
    high = max(float(pose.vertices[:, 2].max()) for pose in shown)
    for axes, pose in zip(row, shown, strict=True):
        _draw_body(axes, pose, faces)
        _draw_skeleton(axes, pose, joint_names)
        across = pose.vertices @ pose.view[0]
        middle = 0.5 * float(across.min() + across.max())
        width = 0.5 * max(0.5 * (high - low), float(np.ptp(across)))
        axes.set(xlim=(middle - width - _MARGIN, middle + width + _MARGIN), aspect="equal")
        axes.set_ylim(low - _MARGIN, high + _MARGIN)
        if abs(low) < _ON_FLOOR:
            axes.axhline(0, color=_FAINT, lw=0.6, zorder=0)
        axes.set_title(f"{pose.time:.2f} s", fontsize=9, color=_FAINT)
        axes.axis("off")


def _draw_body(axes: Axes, pose: PosedFit, faces: np.ndarray) -> None:
    """The mesh, far triangles first, flat shaded; what is drawn over it later shows through."""
    from matplotlib.collections import PolyCollection

    seen = pose.vertices @ pose.view.T
    normals = vertex_normals(seen, faces)[faces].mean(axis=1)
    towards = np.flatnonzero(normals[:, 1] < 0)
    order = towards[np.argsort(-seen[faces[towards], 1].mean(axis=1))]
    light = _LIGHT / np.linalg.norm(_LIGHT)
    shade = 0.7 + 0.55 * np.clip(normals[order] @ light, 0, 1)
    colors = np.column_stack([np.clip(shade[:, None] * _SKIN, 0, 1), np.ones(len(order))])
    body = PolyCollection(
        list(seen[faces[order]][:, :, [0, 2]]), facecolors=colors, edgecolors=colors, lw=0.3
    )
    body.set_rasterized(True)
    axes.add_collection(body)


def _draw_skeleton(axes: Axes, pose: PosedFit, joint_names: Sequence[str]) -> None:
    """Bones and joints of the skeleton as lines and dots, joints of the mesh as rings, markers as crosses
    with a line to where they are on the mesh."""
    flat = pose.joints @ pose.view[[0, 2]].T
    place = dict(zip(joint_names, flat, strict=True))
    for start, end in SKELETON_BONES:
        if start in place and end in place:
            axes.plot(*np.stack([place[start], place[end]], 1), color=_SIDE_COLORS[side_of(end)], lw=1.6)
    colors = [_SIDE_COLORS[side_of(name)] for name in joint_names]
    axes.scatter(*flat.T, s=13, c=colors, zorder=3)
    mesh = pose.mesh_joints @ pose.view[[0, 2]].T
    axes.scatter(*mesh.T, s=34, facecolors="none", edgecolors=_INK, linewidths=0.7, zorder=4)
    ends = np.stack([pose.markers, pose.mesh_markers]) @ pose.view[[0, 2]].T
    axes.plot(*ends.transpose(2, 0, 1), color=_MARKER, lw=0.8, zorder=4)
    axes.scatter(*ends[0].T, s=9, marker="x", c=_MARKER, linewidths=0.8, zorder=5)


def _side_of_marker(name: str) -> str:
    """Markers begin with R or L; so do a few in the middle, such as those of the lumbar spine (L5)."""
    sides = {"R": "right", "L": "left"}
    return sides.get(name[0].upper(), "middle") if not name[1:2].isdigit() else "middle"


def _draw_residuals(
    axes: Axes, names: Sequence[str], residuals_mm: np.ndarray, side: Callable[[str], str], label: str
) -> None:
    """A bar for the mean of each point and a tick for its 95th percentile; means over all in the title."""
    seen = [column[np.isfinite(column)] for column in residuals_mm.T]
    means = [float(column.mean()) if len(column) else 0.0 for column in seen]
    highs = [float(np.percentile(column, 95)) if len(column) else 0.0 for column in seen]
    at = np.arange(len(names))
    axes.bar(at, means, color=[_SIDE_COLORS[side(name)] for name in names], alpha=0.75, width=0.7)
    axes.plot(at, highs, "_", color=_INK, ms=7)
    axes.set_xticks(at, names, rotation=60, ha="right", fontsize=7)
    axes.tick_params(axis="y", labelsize=7)
    axes.set_xlim(-0.7, len(names) - 0.3)
    axes.spines[["top", "right"]].set_visible(False)
    everything = np.concatenate(seen)
    if len(everything):
        told = f"{label}: mean {everything.mean():.1f}, 95th percentile {np.percentile(everything, 95):.1f}"
        axes.set_title(told, fontsize=9, color=_INK, loc="left")
