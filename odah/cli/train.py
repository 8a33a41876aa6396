"""`odah train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from odah.cli.application import AsJson, Out, app, tell_result


@app.command()
def train(
    config: Annotated[Path, typer.Argument(help="YAML config; see configs/train/.")],
    data: Annotated[list[Path], typer.Option("--data", help="Dataset folder; may be given several times.")],
    out: Out,
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew in a run folder.")] = False,
    max_steps: Annotated[
        int | None, typer.Option(min=1, help="End each stage after so many steps of the optimizer.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or gpu.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="Of numerics on the CPU.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train the estimator on datasets, both stages; the same command goes on where it was stopped.

    Example: odah train configs/train/compact.yaml --data dataset --out run
    """
    from odah.estimator.config_file import load_train_config

    loaded = load_train_config(config)
    from odah.estimator.devices import check_device_name
    from odah.estimator.training.loop import Limits
    from odah.estimator.training.train import TrainOptions
    from odah.estimator.training.train import train as train_network

    options = TrainOptions(
        restart=restart, device=check_device_name(device), threads=threads, limits=Limits(max_steps)
    )
    model = train_network(loaded, data, out, options)
    tell_result(as_json, {"model": str(model)}, [f"{model}"])
