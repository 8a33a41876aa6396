"""The files of `odah animate`: the animation, and what is to be known of how well it follows."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from odah import __version__
from odah.body.animation import write_animation
from odah.body.fitting.picture import write_fit_picture
from odah.body.fitting.residuals import BodyFit
from odah.body.shape.measures import body_height, body_mass
from odah.errors import InputError
from odah.files import check_output_folder, staged_files
from odah.osim.plot import can_plot
from odah.pipeline.animation import Animated
from odah.pipeline.recording import NO_PLOT


@dataclass(frozen=True)
class AnimationSummary:
    """What the command tells. residuals: of `BodyFit.summary`, mm; height: m and mass: kg of the mesh."""

    frames: int
    rate: float
    residuals: Mapping[str, float]
    height: float
    mass: float
    flags: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def sentence(self) -> str:
        joints, markers = self.residuals["joints_mean_mm"], self.residuals["markers_mean_mm"]
        return f"{self.frames} frames, joints {joints:.1f} mm, markers {markers:.1f} mm off on average"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def animation_files(out: Path) -> tuple[Path, Path, Path, Path]:
    """The animation, its residuals by frame (.csv), all else about it (.json), and its picture (.png)."""
    residuals = f"{out.stem}_residuals"
    return out, out.with_name(f"{residuals}.csv"), out.with_name(f"{residuals}.json"), out.with_suffix(".png")


def check_out(out: Path, inputs: tuple[Path | None, ...]) -> None:
    """Refuse, before any work, where the files cannot be written or would replace an input.

    Raises:
        InputError: it is no .npz, a folder, in a folder that cannot be, or one of `inputs`.
    """
    if out.suffix.lower() != ".npz":
        raise InputError(f"--out {out}", f"file type {out.suffix or '(none)'!r}", ".npz")
    if out.is_dir():
        raise InputError(f"--out {out}", "a folder", "the .npz file to write")
    check_output_folder(out.absolute().parent)
    written = {path.resolve() for path in animation_files(out)}
    for path in inputs:
        if path is not None and path.resolve() in written:
            raise InputError(path, f"a file that --out {out} would write over", "another name")


def write_animated(animated: Animated, out: Path, recording: Path, plot: bool = True) -> AnimationSummary:
    """Write the animation, its residuals and, where matplotlib is installed, its picture: all or nothing."""
    fit, betas = animated.fit, animated.animation.betas
    plotted, no_plot = plot and can_plot(), (NO_PLOT,) if plot and not can_plot() else ()
    paths = animation_files(out)[: 4 if plotted else 3]
    summary = AnimationSummary(
        frames=fit.num_frames,
        rate=animated.animation.rate,
        residuals=fit.summary(),
        height=body_height(animated.body, betas),
        mass=body_mass(animated.body, betas),
        flags=(*animated.flags, *no_plot),
        files=tuple(str(path) for path in paths),
    )
    with staged_files(out.absolute().parent) as folder:
        animation, frames, record, picture = (folder / path.name for path in animation_files(out))
        write_animation(animation, animated.animation)
        _write_frames(frames, animated)
        told = _record(animated, summary, recording)
        record.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        if plotted:
            write_fit_picture(picture, recording.name, animated.body, fit, summary.rate)
    return summary


def _record(animated: Animated, summary: AnimationSummary, recording: Path) -> dict[str, Any]:
    animation, fit, checks = animated.animation, animated.fit, animated.checks
    source = animated.kinematics.source
    return {
        "frames": summary.frames,
        "rate": summary.rate,
        "residuals_mm": dict(summary.residuals),
        "joints_mm": fit.by_joint(),
        "markers_mm": fit.by_marker(),
        "flags": list(summary.flags),
        "checks": None if checks is None else {"floor": checks.floor, **checks.to_json()},
        "shape": {
            "gender": animation.gender,
            "height": summary.height,
            "mass": summary.mass,
            "betas": animation.betas[: -len(animation.bone_lengths)].tolist(),
            "bone_lengths": animation.bone_lengths,
        },
        "provenance": {
            "recording": recording.name,
            "format": source.format,
            "licence": source.licence,
            "body": animation.body_name,
            "topology": animation.topology,
            "odah": __version__,
        },
    }


def _write_frames(path: Path, animated: Animated) -> None:
    """One row a frame; empty fields where no marker was seen."""
    fit, kinematics = animated.fit, animated.kinematics
    solved = kinematics.frame_flags or ("",) * fit.num_frames
    header = [
        "time",
        "joints_mean_mm",
        "joints_max_mm",
        "markers_mean_mm",
        "markers_max_mm",
        "num_markers",
        "flag",
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        rows = zip(kinematics.time, _frame_errors(fit), solved, fit.frame_flags(), strict=True)
        for time, errors, of_skeleton, of_body in rows:
            writer.writerow([f"{time:.6f}", *errors, "; ".join(filter(None, (of_skeleton, of_body)))])


def _frame_errors(fit: BodyFit) -> list[list[object]]:
    table: list[list[object]] = []
    for joints, markers in zip(fit.joint_errors_mm, fit.marker_errors_mm, strict=True):
        seen = markers[np.isfinite(markers)]
        of_markers = [f"{seen.mean():.3f}", f"{seen.max():.3f}"] if len(seen) else ["", ""]
        table.append([f"{joints.mean():.3f}", f"{joints.max():.3f}", *of_markers, len(seen)])
    return table
