"""`odah generate`, `odah validate` and `odah report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from odah.cli.application import AsJson, Out, app, tell_result
from odah.errors import InputError
from odah.progress import track


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
    tell_result(
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
