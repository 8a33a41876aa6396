"""Plots of the report, as SVG text."""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

matplotlib.rcParams["svg.fonttype"] = "none"
matplotlib.rcParams["svg.hashsalt"] = "odah"

CURVES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("hip flexion", ("hip_flexion_r", "hip_flexion_l")),
    ("knee angle", ("knee_angle_r", "knee_angle_l")),
    ("ankle angle", ("ankle_angle_r", "ankle_angle_l")),
    ("arm flexion", ("arm_flex_r", "arm_flex_l")),
    ("elbow flexion", ("elbow_flex_r", "elbow_flex_l")),
    ("lumbar", ("lumbar_extension", "lumbar_bending", "lumbar_rotation")),
)
_MIN_SPAN_DEG = 30.0
"""Shown at least, so that a joint that rests looks at rest."""
_RIGHT, _LEFT, _THIRD = "#e07b00", "#1f7ae0", "#555555"


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def angle_curves(time: np.ndarray, coordinates: np.ndarray, names: Sequence[str]) -> str:
    """Main joint angles in degrees over time; right orange, left blue."""
    figure = Figure(figsize=(14, 4.2), layout="constrained")
    axes = figure.subplots(2, 3, sharex=True)
    for axis, (title, curves) in zip(axes.flat, CURVES, strict=True):
        for name, color in zip(curves, (_RIGHT, _LEFT, _THIRD), strict=False):
            axis.plot(time, np.rad2deg(coordinates[:, names.index(name)]), color=color, lw=1.4, label=name)
        low, high = axis.get_ylim()
        spare = max(0.0, _MIN_SPAN_DEG - (high - low)) / 2
        axis.set_ylim(low - spare, high + spare)
        axis.set_title(f"{title} (deg)", fontsize=9)
        axis.tick_params(labelsize=7)
        axis.legend(fontsize=6, frameon=False, loc="best")
    for axis in axes[-1]:
        axis.set_xlabel("time (s)", fontsize=8)
    return _svg(figure)


def joint_residuals(names: Sequence[str], residuals_mm: np.ndarray) -> str:
    """Distance between the mesh's and the skeleton's joints, a bar a joint: (clips, J) mm."""
    figure = Figure(figsize=(14, 2.8), layout="constrained")
    axis = figure.subplots()
    axis.bar(range(len(names)), residuals_mm.mean(axis=0), color="#7a9cc6")
    axis.plot(range(len(names)), residuals_mm.max(axis=0), "k_", ms=8, label="worst clip")
    axis.set_xticks(range(len(names)), names, rotation=45, ha="right", fontsize=7)
    axis.set_ylabel("mesh to skeleton (mm)", fontsize=8)
    axis.tick_params(axis="y", labelsize=7)
    axis.legend(fontsize=7, frameon=False)
    return _svg(figure)
