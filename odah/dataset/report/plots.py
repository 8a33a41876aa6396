"""Plots of a whole dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from odah.dataset.report.angles import AngleCounts, Panel, bin_edges
from odah.dataset.report.people import PersonFacts
from odah.dataset.report.residuals import Residual
from odah.dataset.report.svg import (
    ACCENT,
    BAD,
    BAND,
    INK,
    LINE,
    SIDE_COLORS,
    SIDE_RGB,
    VIEW_COLORS,
    Plot,
    density_image,
)
from odah.names import side_of

_WITH_LABELS = (0.54, 0.36, 0.08, 0.06)
"""Margins, inches, of plots with numbers and words on both axes."""
_LOW = 0.95
"""Height, inches, of plots of a few values."""
_FEW = 30
"""Fewer values are shown one by one, not as a histogram."""


def angle_histogram(panel: Panel, counts: AngleCounts, ranges: np.ndarray) -> str:
    """Share of frames by angle in degrees, the model's range shaded; right orange, left blue."""
    column = next(iter(panel.columns.values()))
    low, high = np.rad2deg(ranges[column])
    edges = bin_edges(low, high)
    label = f"Distribution of {panel.name} over {counts.num_frames} frames against its range"
    with Plot(f"angle {panel.name}", label, 2.6, 1.25) as (plot, axes):
        axes.axvspan(low, high, color=BAND, lw=0)
        for side, c in panel.columns.items():
            share = counts.bins[c] / max(counts.num_frames, 1)
            axes.stairs(share, edges, fill=True, color=SIDE_COLORS[side], alpha=0.25)
            axes.stairs(share, edges, color=SIDE_COLORS[side], lw=1.1)
        axes.set(xlim=(edges[0], edges[-1]), xlabel="degrees")
        axes.set_xticks(_round_ticks(low, high))
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
    return plot.svg


def _round_ticks(low: float, high: float) -> np.ndarray:
    step = next(s for s in (5, 10, 15, 30, 45, 60, 90) if (high - low) / s <= 5 or s == 90)
    return np.arange(np.ceil(low / step) * step, high + 1e-6, step)


def residual_histogram(residual: Residual, values: Sequence[float]) -> str:
    """Clips by residual; where a clip is flagged is a dashed line. A few clips are drawn one by one."""
    shown = residual.scale * np.asarray(values)
    margins = (0.1 if len(values) < _FEW else 0.42, 0.34, 0.1, 0.06)
    label = f"{residual.title}: {len(values)} clips"
    tall = _LOW if len(values) < _FEW else 1.3
    with Plot(f"residual {residual.key}", label, height=tall, margins=margins) as (plot, axes):
        low, high = _residual_limits(residual, shown)
        if len(shown) < _FEW:
            _dots(axes, shown, (high - low) / 40)
        else:
            axes.hist(np.clip(shown, low, high), bins=30, range=(low, high), color=ACCENT)
            axes.set_ylabel("clips")
        if residual.limit is not None and low <= residual.limit <= high:
            axes.axvline(residual.limit, color=BAD, lw=1.2, ls=(0, (4, 2)))
        axes.set(xlim=(low - 0.02 * (high - low), high + 0.02 * (high - low)), xlabel=residual.unit)
    return plot.svg


def _residual_limits(residual: Residual, shown: np.ndarray) -> tuple[float, float]:
    """The axis: all values, and the threshold if it is not far off."""
    if residual.lowest:
        return float(min(shown.min(initial=100.0), residual.limit or 100.0) - 0.2), 100.0
    top = float(shown.max(initial=0.0)) * 1.05
    if residual.limit and residual.limit < 4 * max(top, residual.limit / 5):
        top = max(top, 1.15 * residual.limit)
    return 0.0, max(top, 1.0 if residual.unit != "px" else 0.5)


def _dots(axes: Axes, values: np.ndarray, width: float) -> None:
    """Each value a dot, those that would hide one another on top of each other."""
    places: list[int] = np.round(values / width).astype(int).tolist()
    order = np.argsort(values)
    height = np.zeros(len(values))
    seen: dict[int, int] = {}
    for k in order:
        height[k] = seen[places[k]] = seen.get(places[k], -1) + 1
    axes.plot(values, height, "o", ms=5, color=ACCENT, mec="none", clip_on=False)
    axes.set(ylim=(-0.7, max(2.5, height.max(initial=0) + 0.7)), yticks=[])
    axes.spines["left"].set_visible(False)


def joint_residuals(names: Sequence[str], residuals_mm: np.ndarray) -> str:
    """Distance between the mesh's and the skeleton's joints: mean over clips a dot, to the worst a line.

    residuals_mm: (clips, J).
    """
    rows = list(dict.fromkeys(name[:-2] if side_of(name) != "middle" else name for name in names))
    size = (4.2, 0.2 * len(rows) + 0.5)
    label = "Distance between mesh and skeleton, by joint"
    with Plot("joints", label, *size, margins=(1.05, 0.34, 0.1, 0.06)) as (plot, axes):
        for j, name in enumerate(names):
            side = side_of(name)
            stem = name if side == "middle" else name[:-2]
            y = -rows.index(stem) + {"right": 0.15, "left": -0.15, "middle": 0.0}[side]
            mean, worst = residuals_mm[:, j].mean(), residuals_mm[:, j].max()
            axes.plot([mean, worst], [y, y], color=SIDE_COLORS[side], lw=1.2)
            axes.plot([mean], [y], "o", color=SIDE_COLORS[side], ms=4)
        axes.set_yticks(-np.arange(len(rows)), rows)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.grid(axis="y", color=LINE, lw=0.6)
        axes.set(xlabel="mm", xlim=(0, max(1.0, 1.05 * residuals_mm.max())), axisbelow=True)
    return plot.svg


def pose_map(points: np.ndarray, background: np.ndarray, name: str, small: bool = False) -> str:
    """Density of poses (P, 2) on the two main axes of all poses `background` (Q, 2), degrees, drawn grey."""
    low, high = np.rad2deg(background.min(axis=0)), np.rad2deg(background.max(axis=0))
    pad = 0.04 * (high - low) + 1e-3
    low, high = low - pad, high + pad
    bins = 36 if small else 56
    box = [[low[0], high[0]], [low[1], high[1]]]
    size, margins = ((1.3, 1.1), (0.0, 0.0, 0.0, 0.0)) if small else ((2.9, 2.3), _WITH_LABELS)
    with Plot(f"poses {name}", f"Poses: {name}, {len(points)} frames", *size, margins) as (plot, axes):
        extent = (low[0], high[0], low[1], high[1])
        if small:
            everything, *_ = np.histogram2d(*np.rad2deg(background).T, bins=bins, range=box)
            grey = density_image(np.minimum(everything.T, 1), (150, 150, 150))
            grey[..., 3] = grey[..., 3] // 4
            axes.imshow(grey, origin="lower", extent=extent, aspect="auto", interpolation="nearest")
        counts, *_ = np.histogram2d(*np.rad2deg(points).T, bins=bins, range=box)
        axes.imshow(
            density_image(counts.T), origin="lower", extent=extent, aspect="auto", interpolation="nearest"
        )
        if small:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        else:
            axes.set(xlabel="first axis (degrees)", ylabel="second axis (degrees)")
    return plot.svg


def phase_plot(pairs: Mapping[str, tuple[np.ndarray, np.ndarray]], x: str, y: str) -> str:
    """Two joint angles, rad, against each other: where frames are dense; right orange, left blue."""
    degrees = {side: tuple(map(np.rad2deg, pair)) for side, pair in pairs.items()}
    joined = np.concatenate([np.stack(pair) for pair in degrees.values()], axis=1)
    low, high = joined.min(axis=1) - 3, joined.max(axis=1) + 3
    with Plot(f"phase {x} {y}", f"{y} against {x}, both sides", 2.9, 2.3, _WITH_LABELS) as (plot, axes):
        for side, pair in degrees.items():
            counts, *_ = np.histogram2d(*pair, bins=56, range=[[low[0], high[0]], [low[1], high[1]]])
            image = density_image(counts.T, SIDE_RGB[side])
            image[..., 3] = (0.75 * image[..., 3]).astype(np.uint8)
            axes.imshow(
                image, origin="lower", extent=(low[0], high[0], low[1], high[1]), aspect="auto",
                interpolation="nearest",
            )  # fmt: skip
        axes.set(xlabel=f"{x} (degrees)", ylabel=f"{y} (degrees)")
    return plot.svg


_MOST_PLACES = 300
"""Of one view's cameras; more would only hide one another."""


def camera_map(views: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> str:
    """Cameras around the person, from above: (azimuth rad, distance m) by view; the person faces up."""
    label = "Cameras around the person, from above"
    with Plot("cameras", label, 2.9, 2.9, (0.4, 0.4, 0.4, 0.4), projection="polar") as (plot, axes):
        axes.set_theta_zero_location("N")  # type: ignore[attr-defined]
        markers = ("o", "s", "^", "D", "v", "P", "X", "*")
        for k, (view, (azimuth, distance)) in enumerate(views.items()):
            step = max(1, len(azimuth) // _MOST_PLACES)
            axes.plot(
                azimuth[::step], distance[::step], markers[k % len(markers)], ms=3.5, mec="none", alpha=0.55,
                label=view, color=VIEW_COLORS[k % len(VIEW_COLORS)],
            )  # fmt: skip
        axes.set_xticks(
            np.deg2rad([0, 45, 90, 135, 180, 225, 270, 315]),
            ["front", "", "left", "", "back", "", "right", ""],
        )
        axes.set_rmin(0)  # type: ignore[attr-defined]
        axes.set_rlabel_position(22)  # type: ignore[attr-defined]
        axes.grid(color=LINE, lw=0.6)
        axes.spines["polar"].set_color(LINE)
        axes.annotate("", (0, 0.6), (0, 0), arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.4})
        axes.legend(
            loc="upper left", bbox_to_anchor=(-0.2, 1.2), frameon=False, fontsize=7.5, handletextpad=0.1
        )
    return plot.svg


def histogram(key: str, label: str, values: Sequence[float], unit: str, span: float) -> str:
    """Values as a histogram at least `span` wide, in `unit`; a few are drawn one by one."""
    shown = np.asarray(values, dtype=float)
    middle = (shown.min() + shown.max()) / 2
    half = max(span, 1.1 * float(np.ptp(shown))) / 2
    with Plot(key, f"{label}: {len(shown)} values", height=_LOW if len(shown) < _FEW else 1.3) as (
        plot,
        axes,
    ):
        if len(shown) < _FEW:
            _dots(axes, shown, 2 * half / 40)
        else:
            axes.hist(shown, bins=24, range=(middle - half, middle + half), color=ACCENT)
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
        axes.set(xlim=(middle - half, middle + half), xlabel=unit)
    return plot.svg


def people_map(people: Sequence[PersonFacts]) -> str:
    """Height against body mass index, each person in the colour of their skin; shapes tell the sex."""
    shapes = {"female": "o", "male": "^", "neutral": "s"}
    label = f"Height and body mass index of {len(people)} people"
    with Plot("people", label, 2.9, 2.6, (0.5, 0.36, 0.08, 0.24)) as (plot, axes):
        for gender, shape in shapes.items():
            some = [p for p in people if p.gender == gender and p.height is not None and p.bmi is not None]
            if some:
                axes.scatter(
                    [p.height or 0 for p in some], [p.bmi or 0 for p in some], marker=shape, s=32, lw=0.6,
                    c=[np.array(p.skin or (128, 128, 128)) / 255 for p in some], edgecolors=INK,
                )  # fmt: skip
                axes.scatter(
                    [],
                    [],
                    marker=shape,
                    s=28,
                    facecolors="none",
                    edgecolors=INK,
                    label=f"{gender} ({len(some)})",
                )
        axes.margins(0.12)
        axes.set(xlabel="height (m)", ylabel="body mass index (kg/m²)")
        axes.grid(color=LINE, lw=0.6)
        axes.set_axisbelow(True)
        axes.legend(
            frameon=False, fontsize=7.5, loc="lower left", bbox_to_anchor=(0, 0.98), ncols=3, borderpad=0,
            handletextpad=0.2, columnspacing=1.2,
        )  # fmt: skip
    return plot.svg
