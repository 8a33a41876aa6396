"""`odah kinematics`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.text import Text

from odah.cli.application import AsJson, Out, app, tell_result
from odah.progress import say, steps

if TYPE_CHECKING:
    from odah.pipeline.recording import KinematicsOptions


@app.command()
def kinematics(
    recordings: Annotated[list[Path], typer.Argument(help="Motion or marker files.")],
    out: Out,
    model: Annotated[
        Path | None, typer.Option(help="Generic .osim; default: the built-in full body.")
    ] = None,
    scale_setup: Annotated[Path | None, typer.Option(help="OpenSim ScaleTool set-up XML.")] = None,
    ik_setup: Annotated[Path | None, typer.Option(help="OpenSim InverseKinematicsTool set-up XML.")] = None,
    osim: Annotated[Path | None, typer.Option(help="Scaled model a .mot/.sto belongs to.")] = None,
    solver: Annotated[str, typer.Option(help="torch, or opensim for its own tool; both converge.")] = "torch",
    plot: Annotated[bool, typer.Option(help="Draw kinematics.png.")] = True,
    mass: Annotated[float | None, typer.Option(help="The person's mass, kg; default: the model's.")] = None,
    cutoff: Annotated[
        float | None, typer.Option(help="Smooth the motion at this frequency, Hz; default: not at all.")
    ] = None,
    one_subject: Annotated[
        bool,
        typer.Option(
            "--one-subject",
            help="All are marker trials of one person: one model is fitted to all of them, in one process.",
        ),
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Recordings at a time; default: one for each core.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Any motion or marker files -> scaled .osim, .mot, .trc, error and range reports, a plot.

    One file goes into the folder itself, several go into a folder each, with a summary.csv over them.
    Each is a person of its own, unless --one-subject says otherwise.

    Example: odah kinematics walk.trc --out walk
    """
    from odah.files import check_output_folder
    from odah.pipeline.recording import KinematicsOptions, check_is_marker_file
    from odah.pipeline.recordings import check_options_apply, check_recordings, solve_single

    check_output_folder(out)
    check_recordings(recordings)
    options = KinematicsOptions(model, scale_setup, ik_setup, osim, solver, plot, mass, cutoff)
    options.check()
    for recording in recordings if one_subject else ():
        check_is_marker_file(recording)
    check_options_apply(recordings, out, options)
    if one_subject and len(recordings) > 1:
        _subject_kinematics(recordings, out, options, as_json)
        return
    if len(recordings) > 1:
        _many_kinematics(recordings, out, options, jobs, as_json)
        return
    solved = solve_single(recordings[0], out, options)
    tell_result(as_json, solved.to_json(), [*solved.flags, f"{solved.sentence} -> {out}"])


def _subject_kinematics(recordings: list[Path], out: Path, options: KinematicsOptions, as_json: bool) -> None:
    from odah.pipeline.recordings import SUMMARY_FILE, solve_one_subject

    outcomes = solve_one_subject(recordings, out, options)
    data = {"results": [outcome.to_json() for outcome in outcomes], "failed": 0}
    lines = [outcome.sentence for outcome in outcomes]
    tell_result(
        as_json, data, [*lines, f"one model for {len(outcomes)} recordings -> {out}, see {SUMMARY_FILE}"]
    )


def _many_kinematics(
    recordings: list[Path], out: Path, options: KinematicsOptions, jobs: int | None, as_json: bool
) -> NoReturn:
    from odah.pipeline.recordings import SUMMARY_FILE, Outcome, solve_recordings
    from odah.workers import num_cores

    done: list[Outcome] = []
    try:
        outcomes = solve_recordings(recordings, out, options, jobs or num_cores())
        with closing(outcomes), steps("recordings") as bar:
            bar(0, len(recordings))
            for outcome in outcomes:
                done.append(outcome)
                bar(len(done), len(recordings))
                if outcome.summary is None:
                    say(Text.assemble(("failed", "red"), f" {outcome.failure}"))
                elif not as_json:
                    say(outcome.sentence)
    except KeyboardInterrupt:
        say(f"interrupted after {len(done)} of {len(recordings)} recordings; the folders in {out} are whole")
        raise typer.Exit(130) from None
    failed = [outcome for outcome in done if outcome.summary is None]
    place = {recording: k for k, recording in enumerate(recordings)}
    done.sort(key=lambda outcome: place[outcome.recording])
    data = {"results": [outcome.to_json() for outcome in done], "failed": len(failed)}
    verdict = f"{len(done) - len(failed)} of {len(done)} recordings -> {out}"
    tell_result(as_json, data, [verdict if len(failed) == len(done) else f"{verdict}, see {SUMMARY_FILE}"])
    raise typer.Exit(1 if failed else 0)
