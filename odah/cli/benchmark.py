"""`odah benchmark`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from odah.cli.application import AsJson, Out, app, tell_result
from odah.errors import InputError


@app.command()
def benchmark(
    config: Annotated[Path, typer.Argument(help="YAML file: datasets and methods.")],
    out: Out,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data", metavar="NAME=FOLDER", help="Where a dataset of the config is; again for each."
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a dataset that lacks trials or cameras.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Methods x datasets -> tables as Markdown, LaTeX and CSV, and plots; what is done is not done again.

    Example: odah benchmark configs/benchmark/synthetic.yaml --data synthetic=dataset --out results
    """
    folders = dict(_named(text) for text in data or [])
    from odah.benchmark.config import BenchmarkConfig
    from odah.benchmark.run import benchmark as run_benchmark
    from odah.benchmark.tables import markdown
    from odah.progress import steps
    from odah.sections import load_sections

    loaded = load_sections(config, BenchmarkConfig)
    with steps("cells") as bar:
        done = run_benchmark(loaded, out, folders, strict=strict, tell=bar)
    cells = done.results.cells
    told = f"{len(cells)} cells, {done.num_new} of them new -> {out}"
    result = {"out": str(out), "cells": len(cells), "new": done.num_new, "notes": list(done.notes)}
    tell_result(as_json, result, [*done.notes, markdown(done.results), told])


def _named(text: str) -> tuple[str, Path]:
    name, sign, folder = text.partition("=")
    if not sign or not name or not folder:
        raise InputError("--data", repr(text), "NAME=FOLDER")
    return name, Path(folder)
