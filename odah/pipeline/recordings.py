"""`odah kinematics` on many recordings: a folder each, whole or not at all, and one table over them."""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from odah.errors import InputError
from odah.failures import sentence
from odah.files import atomic_path
from odah.osim.report import FILES
from odah.pipeline.kinematics import OPENSIM_SUFFIXES
from odah.pipeline.recording import (
    MARKER_SUFFIXES,
    KinematicsOptions,
    RecordingSummary,
    solve_recording,
    subject_kinematics,
    write_solved,
)
from odah.workers import Failure, in_processes, uninterrupted

SUMMARY_FILE = "summary.csv"
_GLOB_SIGNS = "*?["


@dataclass(frozen=True)
class Outcome:
    """One recording: solved (`summary`), or why not (`failure`, one sentence that names it)."""

    recording: Path
    folder: Path
    summary: RecordingSummary | None = None
    failure: str = ""

    @property
    def sentence(self) -> str:
        if self.summary is None:
            return self.failure
        return f"{self.recording}: {self.summary.sentence} -> {self.folder}"

    def to_json(self) -> dict[str, Any]:
        told = {"failure": self.failure} if self.summary is None else self.summary.to_json()
        return {"recording": str(self.recording), "folder": str(self.folder), **told}


def check_recordings(paths: Sequence[Path]) -> None:
    """Refuse, before any work, what no recording can be.

    Raises:
        InputError: a folder, a pattern that the shell did not expand, or a file named twice.
    """
    for path in paths:
        if path.is_dir():
            raise InputError(path, "a folder", f"files, such as {path}/*.trc")
        if not path.exists() and any(sign in path.name for sign in _GLOB_SIGNS):
            raise InputError(path, "a pattern that the shell did not expand", "one that matches, unquoted")
    places = Counter(path.resolve() for path in paths)
    for path in paths:
        if places[path.resolve()] > 1:
            raise InputError(path, "the same recording twice", "each one once")


def check_options_apply(paths: Sequence[Path], out: Path, options: KinematicsOptions) -> None:
    """Refuse, before any work, options that no recording has a use for, and an `out` whose files are inputs.

    Raises:
        InputError: either is so, or two recordings would share a folder.
    """
    types = {path.suffix.lower() for path in paths}
    if options.osim is not None and not types & set(OPENSIM_SUFFIXES):
        raise InputError("--osim", f"{options.osim}, but no .mot or .sto", "the .mot or .sto of that model")
    if options.solver == "opensim" and not types & set(MARKER_SUFFIXES):
        raise InputError(
            "--solver", "opensim, but no marker file", "a .trc or .c3d, for it solves only those"
        )
    folders = [out] if len(paths) == 1 else [out / name for name in folder_names(paths)]
    written = {(folder / name).resolve() for folder in folders for name in FILES}
    given = (options.model, options.scale_setup, options.ik_setup, options.osim)
    for path in (*paths, *(path for path in given if path is not None)):
        if path.resolve() in written:
            raise InputError(path, f"a file that --out {out} would write over", "another folder")


def folder_names(paths: Sequence[Path]) -> list[str]:
    """A folder name for each recording: its stem; where stems collide, the name of the folder it is in before
    it, or its type after it, whichever tells them apart (`s1_walk` and `s2_walk`, `walk_trc` and `walk_c3d`).

    Raises:
        InputError: neither does.
    """
    names = [path.stem for path in paths]
    for stem in _repeated(names):
        group = [k for k, name in enumerate(names) if name.casefold() == stem]
        by_folder = [f"{paths[k].absolute().parent.name}_{paths[k].stem}" for k in group]
        by_type = [f"{paths[k].stem}_{paths[k].suffix[1:].lower()}" for k in group]
        for k, name in zip(group, by_type if _repeated(by_folder) else by_folder, strict=True):
            names[k] = name
    for name in _repeated([*names, SUMMARY_FILE]):
        clash = [str(path) for path, other in zip(paths, names, strict=True) if other.casefold() == name]
        raise InputError(" and ".join(clash), f"one folder {name!r} for both", "names that tell them apart")
    return names


def solve_recordings(
    paths: Sequence[Path], out: Path, options: KinematicsOptions, jobs: int
) -> Generator[Outcome, None, None]:
    """Solve each recording into its folder in `out`, `jobs` at a time, and yield what came of it.

    One that fails does not stop the others. Whoever stops iterating leaves whole folders only; at the end
    `out`, if any was solved, gets summary.csv. The files do not depend on `jobs`.

    Raises:
        InputError: two recordings would share a folder.
    """
    names = folder_names(paths)
    outcomes = [Outcome(path, out / name) for path, name in zip(paths, names, strict=True)]
    with _scratch_near(out) as scratch:
        work = partial(_solve, scratch=Path(scratch), options=options)
        for k, result in in_processes(work, list(zip(paths, names, strict=True)), jobs):
            outcomes[k] = _published(outcomes[k], result, Path(scratch) / names[k])
            yield outcomes[k]
    if any(outcome.summary for outcome in outcomes):
        _write_summary(out / SUMMARY_FILE, outcomes)


def solve_one_subject(paths: Sequence[Path], out: Path, options: KinematicsOptions) -> list[Outcome]:
    """Solve marker trials of one person on one model, in this process, each into its folder in `out`.

    All folders and summary.csv are written, or none.

    Raises:
        InputError: a file cannot be used, holds no markers, or two would share a folder. OdahError: no
            solution.
    """
    names = folder_names(paths)
    with _scratch_near(out) as scratch:
        staged = [Path(scratch) / name for name in names]
        solved = subject_kinematics(paths, options)
        told = [write_solved(each, folder, options) for each, folder in zip(solved, staged, strict=True)]
        with uninterrupted():
            outcomes = [
                Outcome(path, out / name, _publish(summary, folder, out / name))
                for path, name, summary, folder in zip(paths, names, told, staged, strict=True)
            ]
            _write_summary(out / SUMMARY_FILE, outcomes)
    return outcomes


def solve_single(path: Path, out: Path, options: KinematicsOptions) -> RecordingSummary:
    """Solve one recording, in this process, into `out` itself.

    Raises:
        InputError: the file cannot be used, or an option does not apply to its kind. OdahError: no solution.
    """
    with _scratch_near(out) as scratch:
        staged = Path(scratch) / "files"
        return _publish(solve_recording(path, staged, options), staged, out)


def _solve(task: tuple[Path, str], scratch: Path, options: KinematicsOptions) -> RecordingSummary:
    path, name = task
    return solve_recording(path, scratch / name, options)


def _scratch_near(out: Path) -> tempfile.TemporaryDirectory[str]:
    """A folder on the disk of `out`, so that what is made in it can be renamed into place."""
    nearest = next(place for place in (out.absolute(), *out.absolute().parents) if place.exists())
    return tempfile.TemporaryDirectory(prefix=".odah.", dir=nearest)


def _published(outcome: Outcome, result: RecordingSummary | Failure, staged: Path) -> Outcome:
    if isinstance(result, RecordingSummary):
        try:
            return replace(outcome, summary=_publish(result, staged, outcome.folder))
        except OSError as error:
            result = Failure(sentence(error) or str(error))
    told = result.why if str(outcome.recording) in result.why else f"{outcome.recording}: {result.why}"
    return replace(outcome, failure=told)


def _publish(summary: RecordingSummary, staged: Path, folder: Path) -> RecordingSummary:
    """Move a folder into place; where there is one, its files of an earlier run go, any others stay."""
    with uninterrupted():
        if folder.exists():
            for name in FILES:
                (folder / name).unlink(missing_ok=True)
            for path in staged.iterdir():
                path.replace(folder / path.name)
        else:
            folder.parent.mkdir(parents=True, exist_ok=True)
            staged.rename(folder)
    return replace(summary, files={name: str(folder / name) for name in summary.files})


def _write_summary(path: Path, outcomes: Sequence[Outcome]) -> None:
    header = [
        *("recording", "folder", "frames", "rate", "marker_rms_mm", "worst_marker"),
        *("frames_flagged", "out_of_range", "flags", "failure"),
    ]
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(_row(outcome) for outcome in outcomes)


def _row(outcome: Outcome) -> list[object]:
    solved = outcome.summary
    if solved is None:
        return [outcome.recording, *[""] * 8, outcome.failure]
    return [
        outcome.recording,
        outcome.folder.name,
        solved.frames,
        f"{solved.rate:.6g}",
        "" if solved.marker_rms_mm is None else f"{solved.marker_rms_mm:.3f}",
        solved.worst_marker or "",
        solved.frames_flagged,
        " ".join(solved.out_of_range),
        "; ".join(solved.flags),
        "",
    ]


def _repeated(names: Sequence[str]) -> list[str]:
    """Names that more than one bears; some disks do not tell capitals from small letters."""
    return [name for name, count in Counter(name.casefold() for name in names).items() if count > 1]
