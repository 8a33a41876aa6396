"""The commands. Each imports its stage when it runs, so that `--help` is instant and extras stay optional."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.text import Text

from odah import __version__
from odah.errors import InputError, OdahError
from odah.failures import sentence
from odah.progress import say, steps, track

if TYPE_CHECKING:
    from odah.pipeline.recording import KinematicsOptions

app = typer.Typer(
    help="Videos of people whose OpenSim joint angles are known exactly.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print one machine-readable result on standard output.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")]


def _result(as_json: bool, data: dict[str, Any], lines: Sequence[str | Text]) -> None:
    if as_json:
        typer.echo(json.dumps(data))
    else:
        for line in lines:
            say(line)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say it.")
    ] = False,
) -> None:
    pass


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """What works on this machine, what is missing, and the one command that mends each.

    Example: odah doctor
    """
    from odah.doctor import examine

    findings = examine()
    lines = [
        Text.assemble(
            ("ok     ", "green") if f.is_ok else ("missing", "red"),
            f" {f.name:<12} {f.state}" + ("" if f.is_ok else f"\n        -> {f.remedy}"),
        )
        for f in findings
    ]
    _result(as_json, {"findings": [f.__dict__ for f in findings]}, lines)
    raise typer.Exit(0 if all(f.is_ok or not f.is_required for f in findings) else 1)


@app.command()
def demo(
    out: Out = Path("odah_demo"),
    full: Annotated[
        bool, typer.Option("--full", help="1080x720 at 60 fps, 10 s clips, instead of small ones.")
    ] = False,
    engine: Annotated[str, typer.Option(help="auto, eevee, cycles or workbench.")] = "auto",
    as_json: AsJson = False,
) -> None:
    """The whole chain on built-in parts: 2 people x 2 actions x 2 views, validated, on one HTML page.

    Example: odah demo --out odah_demo
    """
    from odah.demo import run_demo

    page, audits = run_demo(out, full=full, engine=engine)
    failed = {audit.clip_id: audit.failures for audit in audits if not audit.is_valid}
    _result(as_json, {"page": str(page), "clips": len(audits), "failed": failed}, [f"open {page}"])
    raise typer.Exit(1 if failed else 0)


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
    _result(as_json, solved.to_json(), [*solved.flags, f"{solved.sentence} -> {out}"])


def _subject_kinematics(recordings: list[Path], out: Path, options: KinematicsOptions, as_json: bool) -> None:
    from odah.pipeline.recordings import SUMMARY_FILE, solve_one_subject

    outcomes = solve_one_subject(recordings, out, options)
    data = {"results": [outcome.to_json() for outcome in outcomes], "failed": 0}
    lines = [outcome.sentence for outcome in outcomes]
    _result(as_json, data, [*lines, f"one model for {len(outcomes)} recordings -> {out}, see {SUMMARY_FILE}"])


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
    _result(as_json, data, [verdict if len(failed) == len(done) else f"{verdict}, see {SUMMARY_FILE}"])
    raise typer.Exit(1 if failed else 0)


@app.command()
def generate(
    config: Annotated[Path, typer.Argument(help="YAML config; see configs/generate/.")],
    out: Out,
    shard: Annotated[
        str | None, typer.Option(help="I/N: only every Nth clip, starting with the Ith.")
    ] = None,
    executor: Annotated[str, typer.Option(help="Where clips are made; this version knows local.")] = "local",
    as_json: AsJson = False,
) -> None:
    """Make a dataset; finished clips are kept, so that the same command resumes.

    Example: odah generate configs/generate/demo.yaml --out dataset
    """
    if executor != "local":
        raise InputError("--executor", repr(executor), "local")
    from odah.config import load_config
    from odah.dataset.reader import open_dataset
    from odah.pipeline.generate import generate_dataset

    paths, failures = generate_dataset(load_config(config), config.resolve().parent, out, shard)
    count = len(open_dataset(paths.root).clips) if paths.info.is_file() else 0
    told = f", {len(failures)} failed" if failures else ""
    _result(
        as_json, {"dataset": str(out), "clips": count, "failed": failures}, [f"{count} clips in {out}{told}"]
    )
    raise typer.Exit(1 if failures else 0)


@app.command()
def validate(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder.")], as_json: AsJson = False
) -> None:
    """Audit every clip: hashes, schema, kinematics against OpenSim, reprojection against masks.

    Example: odah validate dataset
    """
    from odah.dataset.reader import open_dataset
    from odah.dataset.validate import audit_dataset

    audits = audit_dataset(open_dataset(dataset), lambda clips: track(list(clips), "validating"))
    failed = {audit.clip_id: audit.failures for audit in audits if not audit.is_valid}
    lines = [
        Text.assemble((clip, "red"), f" {check}: {why}")
        for clip, found in failed.items()
        for check, why in found.items()
    ]
    verdict = f"{len(audits) - len(failed)} of {len(audits)} clips are valid"
    _result(as_json, {"clips": len(audits), "failed": failed}, [*lines, verdict])
    raise typer.Exit(1 if failed else 0)


@app.command()
def report(dataset: Annotated[Path, typer.Argument(help="Dataset folder.")], as_json: AsJson = False) -> None:
    """One HTML page of a dataset: frames with skeleton, joint angles, residuals.

    Example: odah report dataset
    """
    from odah.dataset.reader import open_dataset
    from odah.dataset.report import write_report

    page = write_report(open_dataset(dataset))
    _result(as_json, {"page": page}, [f"open {page}"])


def _leave(sentence: str, code: int) -> NoReturn:
    typer.echo(f"odah: {sentence}", err=True)
    sys.exit(code)


def main() -> NoReturn:
    """Entry point: 0 done, 1 the work failed, 2 wrong use; one sentence for each failure."""
    try:
        app()
    except Exception as error:
        told = sentence(error)
        if told is None:
            raise
        _leave(told, error.exit_code if isinstance(error, OdahError) else 1)
    sys.exit(0)
