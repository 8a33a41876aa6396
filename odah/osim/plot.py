"""One picture of a trial: every joint angle in its range, flagged frames, marker error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from odah.files import atomic_path
from odah.osim.kinematics import Kinematics
from odah.osim.model import Coordinate
from odah.osim.ranges import is_outside

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import GridSpec

RIGHT, LEFT, MIDDLE = "#e07b00", "#1f7ae0", "#3d3d3d"
_AXIS_COLORS = ("#b5485d", "#4c8c4a", "#5b6bbf")  # x, y, z
_FLAGGED, _RANGE, _INK, _FAINT = "#d62728", "#e9eef2", "#2b2b2b", "#8a8a8a"
_COLUMNS = 4
_PANEL_INCHES = (3.6, 1.75)
_TOP_INCHES, _BOTTOM_INCHES, _LEFT_INCHES = 0.98, 0.55, 0.45
_MIN_SPAN = {"°": 30.0, "m": 0.2}
"""Degrees and m shown at least, so that a joint at rest looks at rest."""
_STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.edgecolor": "#c8c8c8",
    "axes.linewidth": 0.6,
    "axes.labelcolor": _FAINT,
    "xtick.color": _FAINT,
    "ytick.color": _FAINT,
    "text.color": _INK,
    "lines.solid_capstyle": "round",
    "agg.path.chunksize": 20000,
}


@dataclass(frozen=True)
class _Curve:
    index: int
    color: str
    label: str


@dataclass(frozen=True)
class _Panel:
    """Curves that share axes: left and right of a pair, the three shifts of a root, or a single one."""

    title: str
    unit: str
    curves: tuple[_Curve, ...]

    @property
    def is_position(self) -> bool:
        """Where the person is: the ranges of a root's shifts mean nothing."""
        return len(self.curves) == 3


def can_plot() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def write_plot(kinematics: Kinematics, path: str | Path) -> None:
    """Draw the trial into a PNG file.

    One panel a coordinate, or a pair of sides, in degrees (shifts in m): the model's range shaded, values
    beyond it under red, flagged frames as red marks on the time axis. Below, the distance between measured
    and model markers. Coordinates that only drive splines are left out, those that never change named.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with rc_context(_STYLE), atomic_path(path) as temporary:
        figure = kinematics_figure(kinematics)
        FigureCanvasAgg(figure).print_png(str(temporary), pil_kwargs={"compress_level": 4})


def kinematics_figure(kinematics: Kinematics) -> Figure:
    """The picture that `write_plot` writes."""
    panels, still = _moving(_panels(kinematics.model.coordinates), kinematics.coordinates)
    has_errors = kinematics.marker_errors is not None
    left_over = -len(panels) % _COLUMNS
    num_rows = -(-len(panels) // _COLUMNS) + (has_errors and left_over < 2)
    figure, grid = _grid(num_rows)
    flagged = _flagged(kinematics)
    for k, panel in enumerate(panels):
        axes = figure.add_subplot(grid[divmod(k, _COLUMNS)])
        _draw_panel(axes, panel, kinematics, flagged)
        axes.tick_params(labelbottom=k + _COLUMNS >= len(panels))
    if has_errors:
        beside = slice(_COLUMNS - left_over, None) if left_over >= 2 else slice(None)
        _draw_errors(figure.add_subplot(grid[num_rows - 1, beside]), kinematics, flagged)
    _draw_heading(figure, kinematics, flagged)
    _draw_legend(figure)
    if still:
        told = f"constant, so held by the model or told by no marker: {', '.join(still)}"
        figure.text(_LEFT_INCHES / figure.get_figwidth(), 0.1 / figure.get_figheight(), told, color=_FAINT)
    return figure


def _grid(num_rows: int) -> tuple[Figure, GridSpec]:
    """Margins in inches, whatever the number of rows: matplotlib's own layouts are slow on so many panels."""
    from matplotlib.figure import Figure

    width = _PANEL_INCHES[0] * _COLUMNS
    height = _PANEL_INCHES[1] * num_rows + _TOP_INCHES + _BOTTOM_INCHES
    figure = Figure(figsize=(width, height), dpi=110)
    grid = figure.add_gridspec(
        num_rows,
        _COLUMNS,
        left=_LEFT_INCHES / width,
        right=1 - 0.15 / width,
        top=1 - _TOP_INCHES / height,
        bottom=_BOTTOM_INCHES / height,
        hspace=0.3,
        wspace=0.16,
    )
    return figure, grid


def _panels(coordinates: Sequence[Coordinate]) -> list[_Panel]:
    """In the model's order; a pair stands where its first side does."""
    index = {c.name: k for k, c in enumerate(coordinates) if c.motion_type != "coupled"}
    shifts = [name for name in index if coordinates[index[name]].motion_type == "translational"]
    panels: list[_Panel] = []
    placed: set[str] = set()
    for name in (name for name in index if name not in placed):
        pair = (f"{name[:-2]}_l", f"{name[:-2]}_r")
        if name in shifts and len(shifts) == 3:
            title, group, colors, labels = "position", shifts, _AXIS_COLORS, shifts
        elif name in pair and index.keys() >= set(pair):
            title, group, colors, labels = name[:-2], pair, (LEFT, RIGHT), ("left", "right")
        else:
            title, group, colors, labels = name, [name], (MIDDLE,), [name]
        curves = [_Curve(index[n], *look) for n, *look in zip(group, colors, labels, strict=True)]
        panels.append(_Panel(title, "m" if name in shifts else "°", tuple(curves)))
        placed.update(group)
    return panels


def _moving(panels: Sequence[_Panel], values: np.ndarray) -> tuple[list[_Panel], list[str]]:
    """The panels in which something moves, and the titles of the others."""
    is_still = [np.ptp(values[:, [c.index for c in panel.curves]], axis=0).max() < 1e-9 for panel in panels]
    moving = [panel for panel, still in zip(panels, is_still, strict=True) if not still]
    if not moving:
        return list(panels), []
    return moving, [panel.title for panel, still in zip(panels, is_still, strict=True) if still]


def _flagged(kinematics: Kinematics) -> np.ndarray:
    """(T,) bool."""
    if kinematics.frame_flags is None:
        return np.zeros(kinematics.num_frames, dtype=bool)
    return np.array([flag != "" for flag in kinematics.frame_flags])


def _shown(kinematics: Kinematics, index: int) -> np.ndarray:
    values = kinematics.coordinates[:, index]
    is_angle = kinematics.model.coordinates[index].motion_type == "rotational"
    return np.rad2deg(values) if is_angle else values


def _draw_panel(axes: Axes, panel: _Panel, kinematics: Kinematics, flagged: np.ndarray) -> None:
    coordinates = kinematics.model.coordinates
    time = kinematics.time
    for curve in panel.curves:
        values = _shown(kinematics, curve.index)
        axes.plot(time, values, color=curve.color, lw=1.3, label=curve.label)
        outside = is_outside(coordinates[curve.index], kinematics.coordinates[:, curve.index])
        if outside.any() and not panel.is_position:
            axes.plot(time, np.where(outside, values, np.nan), color=_FLAGGED, lw=4, alpha=0.4, zorder=1.5)
    _set_limits(axes, _MIN_SPAN[panel.unit])
    if panel.is_position:
        axes.legend(loc="best", fontsize=7, frameon=False, handlelength=1.0, labelspacing=0.2)
        axes.set_facecolor(_RANGE)
    else:
        for band in sorted({coordinates[curve.index].range for curve in panel.curves}):
            low, high = band if panel.unit == "m" else np.rad2deg(band)
            axes.axhspan(low, high, color=_RANGE, lw=0, zorder=0)
    _finish(axes, f"{panel.title}  ({panel.unit})", time, flagged)


def _set_limits(axes: Axes, min_span: float) -> None:
    low, high = axes.get_ylim()
    spare = max(0.0, min_span - (high - low)) / 2
    axes.set_ylim(low - spare, high + spare)
    axes.autoscale(enable=False, axis="y")


def _finish(axes: Axes, title: str, time: np.ndarray, flagged: np.ndarray, num_ticks: int = 5) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_title(title, loc="left", fontsize=9, pad=4)
    axes.set_xlim(time[0], time[-1])
    axes.xaxis.set_major_locator(MaxNLocator(num_ticks, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 3, 5, 10]))
    axes.tick_params(labelsize=7, length=2, width=0.6, pad=2)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="white", lw=0.8)
    axes.set_axisbelow(True)
    for start, end in _runs(flagged, time):
        axes.axvspan(start, end, ymin=0, ymax=0.05, color=_FLAGGED, lw=0.5, zorder=3)


def _runs(flagged: np.ndarray, time: np.ndarray) -> list[tuple[float, float]]:
    """Start and end time of each stretch of flagged frames, half a frame to either side."""
    half = (time[1] - time[0]) / 2 if len(time) > 1 else 0.5
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flagged.astype(int), [0]])))
    return [(float(time[a] - half), float(time[b - 1] + half)) for a, b in edges.reshape(-1, 2)]


def _draw_errors(axes: Axes, kinematics: Kinematics, flagged: np.ndarray) -> None:
    time, rms = kinematics.time, np.asarray(kinematics.marker_errors) * 1e3
    axes.fill_between(time, rms, color="#6b7f93", alpha=0.25, lw=0)
    axes.plot(time, rms, color="#3f5468", lw=1.4, label="RMS of the frame")
    if kinematics.marker_distances is not None:
        largest = np.fmax.reduce(kinematics.marker_distances, axis=1) * 1e3
        axes.plot(time, largest, color="#a05a8c", lw=1.0, label="largest marker")
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])
    axes.legend(loc="upper right", fontsize=7.5, frameon=False, ncols=2, borderaxespad=0.1)
    for start, end in _runs(flagged, time):
        axes.axvspan(start, end, color=_FLAGGED, alpha=0.12, lw=0.5, zorder=0)
    _finish(axes, "measured to model markers  (mm)", time, flagged, num_ticks=12)
    axes.grid(color="#eeeeee", lw=0.6)


def _draw_heading(figure: Figure, kinematics: Kinematics, flagged: np.ndarray) -> None:
    width, height = figure.get_size_inches()
    facts = [f"{kinematics.num_frames} frames at {kinematics.rate:.6g} Hz, time in s"]
    if kinematics.marker_errors is not None:
        rms = 1e3 * np.sqrt(np.nanmean(kinematics.marker_errors**2))
        facts.append(f"marker RMS {rms:.1f} mm")
    if kinematics.frame_flags is not None:
        facts.append(f"{flagged.sum()} frames flagged" if flagged.any() else "no frame flagged")
    name = Path(kinematics.source.path).name
    left = _LEFT_INCHES / width
    figure.text(left, 1 - 0.35 / height, name, fontsize=14, fontweight="bold", parse_math=False)
    figure.text(left, 1 - 0.6 / height, "   ·   ".join(facts), fontsize=9, color=_FAINT)


def _draw_legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    keys = [
        Line2D([], [], color=RIGHT, lw=2, label="right"),
        Line2D([], [], color=LEFT, lw=2, label="left"),
        Line2D([], [], color=MIDDLE, lw=2, label="no side"),
        Patch(color=_RANGE, label="range of the model"),
        Line2D([], [], color=_FLAGGED, lw=4, alpha=0.4, label="beyond it"),
        Patch(color=_FLAGGED, label="flagged frame"),
    ]
    width, height = figure.get_size_inches()
    figure.legend(
        handles=keys,
        loc="upper right",
        bbox_to_anchor=(1 - 0.1 / width, 1 - 0.42 / height),
        ncols=len(keys),
        frameon=False,
        fontsize=9,
        handlelength=1.4,
        columnspacing=1.4,
        borderaxespad=0,
    )
