"""Writing kinematics as the files OpenSim users open: model, motion, model markers, error reports, a plot."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from odah.files import atomic_path, staged_files
from odah.motion.trc import write_trc
from odah.motion.types import MarkerTrajectories
from odah.osim.finite import check_finite
from odah.osim.kinematics import Kinematics
from odah.osim.kinematics import model_markers as marker_positions
from odah.osim.plot import can_plot, write_plot
from odah.osim.ranges import RangeUse, range_uses
from odah.osim.storage import Storage, write_mot, write_storage
from odah.osim.write import write_model

MODEL_FILE, MOTION_FILE, MARKER_FILE = "model.osim", "kinematics.mot", "markers.trc"
RANGE_FILE, PLOT_FILE = "ranges.csv", "kinematics.png"
ERROR_FILE, MARKER_ERROR_FILE = "errors.csv", "marker_errors.csv"
MARKER_ERRORS_BY_FRAME_FILE = "marker_errors_by_frame.sto"
FILES = (
    MODEL_FILE,
    MOTION_FILE,
    MARKER_FILE,
    RANGE_FILE,
    PLOT_FILE,
    ERROR_FILE,
    MARKER_ERROR_FILE,
    MARKER_ERRORS_BY_FRAME_FILE,
)


def write_kinematics(kinematics: Kinematics, out_dir: str | Path, *, plot: bool = True) -> dict[str, Path]:
    """Write model.osim, kinematics.mot (degrees), markers.trc (the model's markers) and ranges.csv (what each
    coordinate does with its range) into `out_dir`; kinematics.png if asked and matplotlib is there.

    If markers were followed also errors.csv (RMS, largest distance and worst marker of each frame, mm, and
    its flag); if each marker's distance is known, marker_errors.csv (RMS and largest distance of each, mm)
    and marker_errors_by_frame.sto (distances, m, NaN where unseen). Other files in the folder stay.

    Returns:
        Path by file name.

    Raises:
        OdahError: model, coordinates or markers hold a value that is not finite; nothing is written.
    """
    out_dir = Path(out_dir)
    markers = model_markers(kinematics)
    check_finite(kinematics, markers)
    with staged_files(out_dir) as folder:
        write_kinematics_model(kinematics, folder / MODEL_FILE)
        write_mot(folder / MOTION_FILE, kinematics.trajectory, kinematics.model)
        if markers.names:
            write_trc(folder / MARKER_FILE, markers)
        _write_ranges(folder / RANGE_FILE, kinematics)
        if kinematics.marker_errors is not None:
            _write_frame_errors(folder / ERROR_FILE, kinematics, kinematics.marker_errors)
        if kinematics.marker_distances is not None:
            _write_marker_errors(folder / MARKER_ERROR_FILE, kinematics, kinematics.marker_distances)
            _write_distances(folder / MARKER_ERRORS_BY_FRAME_FILE, kinematics, kinematics.marker_distances)
        if plot and can_plot():
            write_plot(kinematics, folder / PLOT_FILE)
        written = sorted(path.name for path in folder.iterdir())
    return {name: out_dir / name for name in written}


def write_kinematics_model(kinematics: Kinematics, path: str | Path) -> None:
    """The scaled .osim: the whole file it was solved with if there is one (muscles and all)."""
    if kinematics.model_xml is None:
        write_model(kinematics.model, path)
        return
    with atomic_path(path) as temporary:
        temporary.write_text(kinematics.model_xml, encoding="utf-8")


def model_markers(kinematics: Kinematics) -> MarkerTrajectories:
    """Where the model's markers are in each frame, in ground."""
    return MarkerTrajectories(
        names=kinematics.model.marker_names,
        positions=marker_positions(kinematics.model, kinematics.coordinates),
        rate=kinematics.rate,
        frame="ground",
        source=kinematics.source,
        start_time=kinematics.start_time,
    )


def marker_rms(kinematics: Kinematics) -> dict[str, float]:
    """RMS distance of each tracked marker over the frames that show it, m; worst first."""
    if kinematics.marker_distances is None:
        return {}
    is_seen = np.isfinite(kinematics.marker_distances)
    squares = np.where(is_seen, kinematics.marker_distances, 0.0) ** 2
    rms = np.sqrt(squares.sum(axis=0) / np.maximum(is_seen.sum(axis=0), 1))
    order = [index for index in np.argsort(-rms, kind="stable") if is_seen[:, index].any()]
    return {kinematics.tracked_markers[index]: float(rms[index]) for index in order}


def num_flagged(kinematics: Kinematics) -> int:
    """Frames in which something is not as it should be."""
    return sum(flag != "" for flag in kinematics.frame_flags or ())


def _write_frame_errors(path: Path, kinematics: Kinematics, errors: np.ndarray) -> None:
    """One row a frame; empty fields where nothing was measured."""
    num_frames = kinematics.num_frames
    flags = kinematics.frame_flags or [""] * num_frames
    largest: Sequence[Sequence[object]] = [["", "", ""]] * num_frames
    if kinematics.marker_distances is not None:
        largest = [_worst(frame, kinematics.tracked_markers) for frame in kinematics.marker_distances]
    rows = [
        [f"{time:.6f}", _mm(error), *worst, flag]
        for time, error, worst, flag in zip(kinematics.time, errors, largest, flags, strict=True)
    ]
    _write_csv(path, ["time", "rms_mm", "max_mm", "worst_marker", "num_markers", "flag"], rows)


def _worst(distances: np.ndarray, names: Sequence[str]) -> list[object]:
    """Largest distance, its marker, and how many markers the frame shows."""
    num_seen = int(np.isfinite(distances).sum())
    if not num_seen:
        return ["", "", 0]
    worst = int(np.nanargmax(distances))
    return [_mm(distances[worst]), names[worst], num_seen]


def _write_marker_errors(path: Path, kinematics: Kinematics, distances: np.ndarray) -> None:
    largest = dict(zip(kinematics.tracked_markers, np.fmax.reduce(distances, axis=0), strict=True))
    rows = [[name, _mm(rms), _mm(largest[name])] for name, rms in marker_rms(kinematics).items()]
    _write_csv(path, ["marker", "rms_mm", "max_mm"], rows)


def _write_distances(path: Path, kinematics: Kinematics, distances: np.ndarray) -> None:
    """OpenSim's plotter splits column names at white space, which markers of a TRC file may hold."""
    names = tuple("_".join(name.split()) for name in kinematics.tracked_markers)
    write_storage(path, Storage(names, distances, kinematics.time, in_degrees=False), title="Marker errors")


def _write_ranges(path: Path, kinematics: Kinematics) -> None:
    uses = range_uses(kinematics.model.coordinates, kinematics.coordinates)
    header = ["coordinate", "unit", "min", "max", "range_low", "range_high", "frames_outside", "at_bound"]
    _write_csv(path, header, [_range_row(use) for use in uses])


def _range_row(use: RangeUse) -> list[object]:
    """In the units of the .mot file: a coordinate that only drives splines stays in radians."""
    unit, factor = {
        "rotational": ("deg", 180.0 / np.pi),
        "translational": ("m", 1.0),
        "coupled": ("rad", 1.0),
    }[use.coordinate.motion_type]
    values = [f"{factor * value:.6g}" for value in (use.minimum, use.maximum, *use.coordinate.range)]
    at_bound = "" if use.at_bound is None else f"{use.at_bound:.4f}"
    return [use.coordinate.name, unit, *values, use.num_outside, at_bound]


def _mm(distance: float) -> str:
    return f"{distance * 1e3:.3f}" if np.isfinite(distance) else ""


def _write_csv(path: Path, header: list[str], rows: Iterable[Sequence[object]]) -> None:
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
