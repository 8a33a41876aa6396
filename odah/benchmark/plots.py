"""The results as pictures: errors by joint angle, curves against the truth, Bland-Altman."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from odah.benchmark.grid import Cell
from odah.benchmark.results import Results, value
from odah.estimator.skeleton import FREE_ANGLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STYLE: Any = {"font.size": 8.0, "axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 120}
_CURVES = (
    "pelvis_tilt", "hip_flexion_r", "knee_angle_r", "ankle_angle_r", "arm_flex_r", "elbow_flex_r",
    "lumbar_extension", "hip_flexion_l", "knee_angle_l", "ankle_angle_l", "arm_flex_l", "elbow_flex_l",
)  # fmt: skip
_PER_METHOD = 4000
"""Frames that a Bland-Altman panel shows at most."""


def write_plots(results: Results, folder: Path) -> None:
    """errors_, curves_, bland_altman_<dataset>.png of each dataset; where methods differ in their keypoints'
    noise, noise_<dataset>.png, too."""
    from matplotlib import rc_context

    with rc_context(_STYLE):
        for dataset in results.datasets:
            name = dataset.replace(" ", "_")
            for kind, draw in _KINDS.items():
                figure = draw(results, dataset)
                if figure is not None:
                    _save(figure, folder / f"{kind}_{name}.png")


def _errors(results: Results, dataset: str) -> Figure | None:
    """Mean absolute error of every angle that all methods tell, a bar a method."""
    angles = results.common(dataset, "mae")
    if not angles:
        return None
    figure = _figure(max(6.0, 0.34 * len(angles)), 3.4)
    axes = figure.add_subplot()
    width = 0.8 / len(results.methods)
    for number, method in enumerate(results.methods):
        samples = results.samples(dataset, method, "mae")
        if samples is None:
            continue
        by_angle = samples.by("column")
        heights = [value(results.summary(by_angle[name]), "mae") for name in angles]
        axes.bar(np.arange(len(angles)) + number * width, heights, width, label=method)
    axes.set_xticks(np.arange(len(angles)) + 0.4 - width / 2, angles, rotation=60, ha="right")
    axes.set_ylabel("mean absolute error, deg")
    axes.legend(frameon=False)
    axes.set_title(f"{dataset}: errors by angle", loc="left")
    return figure


def _curves(results: Results, dataset: str) -> Figure | None:
    """Angles over time of the recording whose error is in the middle for the first method."""
    cells = _typical(results, dataset)
    if not cells:
        return None
    recording = cells[0].recording
    truth = recording.truth
    names = [name for name in _CURVES if name in truth.coordinate_names]
    times = np.arange(recording.num_frames) / recording.rate
    figure = _figure(10.0, 5.4)
    for place, name in enumerate(names):
        axes = figure.add_subplot(3, 4, place + 1)
        true = _degrees(truth.coordinates, truth.coordinate_names, name)
        axes.plot(times, true, color="black", label="truth")
        for cell in cells:
            if cell.motion is not None and name in cell.motion.coordinate_names:
                told = _degrees(cell.motion.coordinates, cell.motion.coordinate_names, name)
                told -= 360 * np.round(np.median(told - true) / 360)
                axes.plot(times, told, linewidth=1, label=cell.method)
        axes.set_title(name, loc="left")
    figure.axes[0].legend(frameon=False, fontsize=6)
    figure.suptitle(f"{dataset}, {recording.name}: angles, deg, over time, s", x=0.02, ha="left")
    return figure


def _bland_altman(results: Results, dataset: str) -> Figure | None:
    """Difference against mean of estimate and truth, all angles that all methods tell; limits of agreement
    are the mean and 1.96 standard deviations about it (Bland and Altman 1986)."""
    angles = results.common(dataset, "mae")
    methods = [m for m in results.methods if any(c.motion is not None for c in results.of(dataset, m))]
    if not angles or not methods:
        return None
    figure = _figure(3.2 * len(methods), 3.2)
    first: Axes | None = None
    for number, method in enumerate(methods):
        axes = figure.add_subplot(1, len(methods), number + 1, sharex=first, sharey=first)
        first = first or axes
        told, true = (
            np.concatenate(part) for part in zip(*_pairs(results.of(dataset, method), angles), strict=True)
        )
        apart = np.rad2deg(told - true)
        middle, spread = float(apart.mean()), 1.96 * float(apart.std())
        shown = np.random.default_rng(results.seed).permutation(len(apart))[:_PER_METHOD]
        axes.plot(np.rad2deg(told + true)[shown] / 2, apart[shown], ".", markersize=1.5, alpha=0.4)
        for line in (middle - spread, middle, middle + spread):
            axes.axhline(line, color="black", linewidth=0.8, linestyle="-" if line == middle else "--")
        axes.set_title(f"{method}: {middle:+.1f} +- {spread:.1f} deg", loc="left")
        axes.set_xlabel("mean of estimate and truth, deg")
    figure.axes[0].set_ylabel("estimate - truth, deg")
    return figure


def _pairs(
    cells: Sequence[Cell], angles: Sequence[str]
) -> Iterator[tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]]:
    """Told and true angles of all frames, rad; those without a range apart by at most half a turn."""
    for cell in cells:
        if cell.motion is None:
            continue
        truth = cell.recording.truth
        told, true = (
            each.coordinates[:, [each.coordinate_names.index(name) for name in angles]].ravel()
            for each in (cell.motion, truth)
        )
        free = np.tile([name in FREE_ANGLES for name in angles], len(truth.times))
        shorter = true + (told - true + np.pi) % (2 * np.pi) - np.pi
        yield np.where(free, shorter, told), true


def _noise(results: Results, dataset: str) -> Figure | None:
    """Angle error of the multi-step method over the noise of its keypoints; what has no such noise is a
    level."""
    by_noise, levels = dict[float, float](), dict[str, float]()
    for method in results.methods:
        summary = results.figure(dataset, method, "mae")
        cells = results.of(dataset, method)
        if summary is None or not cells:
            continue
        noise_mm = cells[0].record["method"].get("keypoints", {}).get("sigma_mm")
        if noise_mm is None:
            levels[method] = value(summary, "mae")
        else:
            by_noise[float(noise_mm)] = value(summary, "mae")
    if len(by_noise) < 2:
        return None
    figure = _figure(5.0, 3.4)
    axes = figure.add_subplot()
    axes.plot(sorted(by_noise), [by_noise[n] for n in sorted(by_noise)], "o-", label="multi-step")
    for number, (method, error) in enumerate(levels.items(), start=1):
        axes.axhline(error, color=f"C{number}", linestyle="--", label=method)
    axes.set_xlabel("noise of the keypoints, mm at the person's depth")
    axes.set_ylabel("mean absolute error of angles, deg")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    axes.set_title(f"{dataset}: angles from noisy keypoints", loc="left")
    return figure


def _typical(results: Results, dataset: str) -> list[Cell]:
    """All methods' cells of one recording and pair of views."""
    judged = {id(cell): found for cell, found in zip(results.cells, results.judged, strict=True)}
    answered = [
        cell
        for cell in results.of(dataset, results.methods[0])
        if cell.motion is not None and "mae" in judged[id(cell)]
    ]
    if not answered:
        return []
    errors = [float(np.nanmean(judged[id(cell)]["mae"][1].values)) for cell in answered]
    middle = answered[int(np.argsort(errors)[len(errors) // 2])]
    return [
        cell for cell in results.cells if cell.recording is middle.recording and cell.views == middle.views
    ]


def _degrees(coordinates: np.ndarray, names: Sequence[str], name: str) -> np.ndarray:
    return np.rad2deg(np.unwrap(coordinates[:, list(names).index(name)]))


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Figure, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure).print_png(str(path))


_KINDS = {"errors": _errors, "curves": _curves, "bland_altman": _bland_altman, "noise": _noise}
