"""`odah generate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from odah.cli.application import AsJson, Out, app, tell_result
from odah.errors import InputError


@app.command()
def generate(
    config: Annotated[Path, typer.Argument(help="YAML config; see configs/generate/.")],
    out: Out,
    shard: Annotated[
        str | None, typer.Option(help="I/N: only every Nth clip, starting with the Ith.")
    ] = None,
    executor: Annotated[
        str, typer.Option(help="Where clips are made: local (processes of this machine) or ray (many machines).")
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(help="Of the Ray cluster, HOST:PORT or auto; without, RAY_ADDRESS or one of this machine."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a dataset; finished clips are kept, so that the same command resumes.

    Example: odah generate configs/generate/demo.yaml --out dataset
    """
    if executor not in ("local", "ray"):
        raise InputError("--executor", repr(executor), "local or ray")
    if address is not None and executor != "ray":
        raise InputError("--address", f"{address!r} without --executor ray", "both or neither")
    from odah.config import load_config
    from odah.dataset.reader import open_dataset
    from odah.pipeline.generate import GenerateOptions, generate_dataset

    options = GenerateOptions(shard=shard, executor=executor, address=address)
    paths, failures = generate_dataset(load_config(config), config.resolve().parent, out, options)
    count = len(open_dataset(paths.root).clips) if paths.info.is_file() else 0
    told = f", {len(failures)} failed" if failures else ""
    tell_result(
        as_json, {"dataset": str(out), "clips": count, "failed": failures}, [f"{count} clips in {out}{told}"]
    )
    raise typer.Exit(1 if failures else 0)
