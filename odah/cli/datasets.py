"""`odah validate` and `odah report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from odah.cli.application import AsJson, app, tell_result
from odah.progress import track


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
    tell_result(as_json, {"clips": len(audits), "failed": failed}, [*lines, verdict])
    raise typer.Exit(1 if failed else 0)


@app.command()
def report(dataset: Annotated[Path, typer.Argument(help="Dataset folder.")], as_json: AsJson = False) -> None:
    """One HTML page of a dataset: frames with skeleton, joint angles, residuals.

    Example: odah report dataset
    """
    from odah.dataset.reader import open_dataset
    from odah.dataset.report import write_report

    page = write_report(open_dataset(dataset))
    tell_result(as_json, {"page": page}, [f"open {page}"])
