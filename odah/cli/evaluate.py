"""`odah evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from odah.cli.application import AsJson, app, tell_result
from odah.errors import InputError
from odah.files import check_output_folder


@app.command()
def evaluate(
    checkpoint: Annotated[str, typer.Argument(help="A trained network, or compact, which comes with odah.")],
    data: Annotated[Path, typer.Option("--data", help="Dataset folder.")],
    split: Annotated[str, typer.Option(help="train, val or test.")] = "test",
    views: Annotated[
        str | None,
        typer.Option(help="Names of one or two cameras: A,B; the dataset's first two if not given."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="CSV file to write, with every angle's error.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or gpu.")] = "auto",
    seed: Annotated[int, typer.Option(help="Of the points that are drawn in the pictures.")] = 0,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Write the result into the network's file, for odah predict to tell."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Errors of a network on people it has not seen, beside its frame-only variant and the mean pose.

    Example: odah evaluate run/model.pt --data dataset
    """
    from odah.dataset.reader import open_dataset
    from odah.estimator.checkpoint import keep_fact, load_checkpoint, own_file
    from odah.estimator.devices import check_device_name
    from odah.estimator.evaluation.evaluate import evaluate as evaluate_network
    from odah.estimator.evaluation.scores import table_lines
    from odah.progress import steps

    if out is not None:
        if out.is_dir():
            raise InputError(out, "a folder", "a CSV file")
        check_output_folder(out.parent)
    if keep and split == "train":
        raise InputError(
            "--keep", "the split train", "test or val, whose people the network has not learned from"
        )
    file = own_file(checkpoint) if keep else None
    loaded, dataset = load_checkpoint(checkpoint), open_dataset(data)
    where = check_device_name(device)
    cameras = None if views is None else views.split(",")
    with steps("evaluating") as bar:
        table = evaluate_network(loaded, dataset, split, views=cameras, device=where, seed=seed, tell=bar)
    if out is not None:
        table.write_csv(out)
    if file is not None:
        keep_fact(file, loaded, "test", table.facts())
    what = (
        f"{table.num_clips} clips, {table.num_frames} frames of {split}, seen by {' and '.join(table.views)}"
    )
    written = [] if out is None else [f"every angle: {out}"]
    written += [] if file is None else [f"kept in {file}"]
    tell_result(as_json, table.to_json(), [*table_lines(table), *table.notes, what, *written])
