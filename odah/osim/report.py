"""Writing kinematics as the files OpenSim users open: model, motion, model markers, error report."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from odah.files import atomic_path, staged_files
from odah.motion.trc import write_trc
from odah.motion.types import MarkerTrajectories
from odah.osim.fk import ForwardKinematics
from odah.osim.kinematics import Kinematics
from odah.osim.storage import write_mot
from odah.osim.write import write_model

MODEL_FILE, MOTION_FILE, MARKER_FILE = "model.osim", "kinematics.mot", "markers.trc"
ERROR_FILE, MARKER_ERROR_FILE = "errors.csv", "marker_errors.csv"


def write_kinematics(kinematics: Kinematics, out_dir: str | Path) -> dict[str, Path]:
    """Write model.osim, kinematics.mot (degrees) and markers.trc (the model's markers) into `out_dir`.

    If markers were tracked also errors.csv (RMS, largest distance and worst marker of each frame, mm) and
    marker_errors.csv (RMS and largest distance of each marker, mm). Other files in the folder stay.

    Returns:
        Path by file name.
    """
    out_dir = Path(out_dir)
    with staged_files(out_dir) as folder:
        write_kinematics_model(kinematics, folder / MODEL_FILE)
        write_mot(folder / MOTION_FILE, kinematics.trajectory, kinematics.model)
        if kinematics.model.markers:
            write_trc(folder / MARKER_FILE, model_markers(kinematics))
        if kinematics.marker_distances is not None:
            _write_frame_errors(folder / ERROR_FILE, kinematics, kinematics.marker_distances)
            _write_marker_errors(folder / MARKER_ERROR_FILE, kinematics, kinematics.marker_distances)
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
    with torch.no_grad():
        pose = ForwardKinematics(kinematics.model)(torch.from_numpy(kinematics.coordinates))
    return MarkerTrajectories(
        names=kinematics.model.marker_names,
        positions=pose.markers.numpy(),
        rate=kinematics.rate,
        frame="ground",
        source=kinematics.source,
        start_time=kinematics.start_time,
    )


def marker_rms(kinematics: Kinematics) -> dict[str, float]:
    """RMS distance of each tracked marker over the trial, m; worst first."""
    if kinematics.marker_distances is None:
        return {}
    rms = np.sqrt(np.nanmean(kinematics.marker_distances**2, axis=0))  # each was seen at least once
    order = np.argsort(-rms)
    return {kinematics.tracked_markers[index]: float(rms[index]) for index in order}


def _write_frame_errors(path: Path, kinematics: Kinematics, distances: np.ndarray) -> None:
    rows = []
    for time, frame in zip(kinematics.time, distances, strict=True):
        seen = np.isfinite(frame)
        if not seen.any():
            rows.append([f"{time:.6f}", "", "", "", 0])
            continue
        worst = int(np.nanargmax(frame))
        rms, largest = np.sqrt(np.mean(frame[seen] ** 2)) * 1e3, frame[worst] * 1e3
        rows.append(
            [f"{time:.6f}", f"{rms:.3f}", f"{largest:.3f}", kinematics.tracked_markers[worst], seen.sum()]
        )
    _write_csv(path, ["time", "rms_mm", "max_mm", "worst_marker", "num_markers"], rows)


def _write_marker_errors(path: Path, kinematics: Kinematics, distances: np.ndarray) -> None:
    largest = dict(zip(kinematics.tracked_markers, np.nanmax(distances, axis=0), strict=True))
    rows = [[n, f"{rms * 1e3:.3f}", f"{largest[n] * 1e3:.3f}"] for n, rms in marker_rms(kinematics).items()]
    _write_csv(path, ["marker", "rms_mm", "max_mm"], rows)


def _write_csv(path: Path, header: list[str], rows: Iterable[Sequence[object]]) -> None:
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
