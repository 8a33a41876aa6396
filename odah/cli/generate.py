"""`odah generate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from odah.cli.application import AsJson, app, tell_result
from odah.errors import InputError

if TYPE_CHECKING:
    from odah.config import GenerateConfig
    from odah.pipeline.generate import GenerateOptions


@app.command()
def generate(
    config: Annotated[Path, typer.Argument(help="YAML config; see configs/generate/.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write; only --dry-run can do without.")
    ] = None,
    shard: Annotated[
        str | None, typer.Option(help="I/N: only every Nth clip, starting with the Ith.")
    ] = None,
    executor: Annotated[
        str,
        typer.Option(help="Where clips are made: local (processes of this machine) or ray (many machines)."),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(
            help="Of the Ray cluster, HOST:PORT or auto; without, RAY_ADDRESS or one of this machine."
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take a config that was changed since the dataset was begun.")
    ] = False,
    subset: Annotated[
        str | None, typer.Option(help="Only the clips of this subset of the config, such as small.")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Tell clips, frames, time, disk and what is missing; make nothing."),
    ] = False,
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

    loaded, folder = load_config(config), config.resolve().parent
    from odah.pipeline.generate import GenerateOptions

    options = GenerateOptions(shard=shard, executor=executor, address=address, force=force, subset=subset)
    if dry_run:
        _tell_forecast(loaded, folder, out, options, as_json)
    if out is None:
        raise InputError("--out", "nothing", "the folder to write")
    _make(loaded, folder, out, options, as_json)


def _tell_forecast(
    config: GenerateConfig, folder: Path, out: Path | None, options: GenerateOptions, as_json: bool
) -> NoReturn:
    from odah.cli.dry_run import forecast_json, forecast_lines
    from odah.pipeline.forecast import forecast

    found = forecast(config, folder, out, options)
    tell_result(as_json, forecast_json(found), forecast_lines(found))
    raise typer.Exit(1 if found.missing else 0)


def _make(
    config: GenerateConfig, folder: Path, out: Path, options: GenerateOptions, as_json: bool
) -> NoReturn:
    from odah.dataset.reader import open_dataset
    from odah.pipeline.generate import generate_dataset

    paths, failures = generate_dataset(config, folder, out, options)
    count = len(open_dataset(paths.root).clips) if paths.info.is_file() else 0
    told = f", {len(failures)} failed" if failures else ""
    tell_result(
        as_json, {"dataset": str(out), "clips": count, "failed": failures}, [f"{count} clips in {out}{told}"]
    )
    raise typer.Exit(1 if failures else 0)
