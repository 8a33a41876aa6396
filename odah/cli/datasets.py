"""`odah validate` and `odah report`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from odah.cli.application import AsJson, app, tell_result
from odah.progress import console, steps


@app.command()
def validate(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder.")],
    clips: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="Only clips of such names, as in 'subject001_*'.")
    ] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Decode every picture of every clip.")] = False,
    sample: Annotated[
        int | None,
        typer.Option(metavar="N", help="Clips of which every picture is decoded; 5 %, but at least 20."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of that sample.")] = 0,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Processes; as many as cores.")] = None,
    as_json: AsJson = False,
) -> None:
    """Audit every clip: hashes, schema, kinematics against OpenSim, labels against cameras and pictures.

    Example: odah validate dataset
    """
    from odah.cli.audit_table import audit_lines
    from odah.dataset.audit import AuditOptions, audit_dataset
    from odah.dataset.reader import open_dataset

    options = AuditOptions(clips=clips, jobs=jobs, is_deep=deep, sample=sample, seed=seed)
    with steps("validating") as tell:
        audit = audit_dataset(open_dataset(dataset), options, tell)
    if as_json:
        typer.echo(json.dumps(audit.to_json()))
    else:
        for line in audit_lines(audit, console.is_terminal):
            console.print(line, markup=False, emoji=False, soft_wrap=isinstance(line, str))
    raise typer.Exit(0 if audit.is_valid else 1)


@app.command()
def report(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="HTML file to write; DATASET/report/index.html.")
    ] = None,
    sheet: Annotated[int, typer.Option(metavar="N", help="Clips on the contact sheet.")] = 40,
    seed: Annotated[int, typer.Option(help="Of the clips and frames that are shown.")] = 0,
    as_json: AsJson = False,
) -> None:
    """One HTML page of a dataset, to trust or distrust it: pictures, residuals, angles, cameras, people.

    Example: odah report dataset
    """
    from odah.dataset.reader import open_dataset
    from odah.dataset.report import write_report

    page = write_report(open_dataset(dataset), out=out, cards=sheet, seed=seed)
    tell_result(as_json, {"page": page}, [f"open {page}"])
