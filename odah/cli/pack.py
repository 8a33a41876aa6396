"""`odah pack`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from odah.cli.application import AsJson, app, tell_result
from odah.progress import steps


@app.command()
def pack(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of the cache; in the dataset if not given.")
    ] = None,
    size: Annotated[int, typer.Option(help="Side of the square pictures, px.")] = 256,
    scale: Annotated[float, typer.Option(help="The square's side over that of the person's box.")] = 1.1,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; one a core if not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Decode all clips once into small pictures of the person, for quick reading in training.

    What is packed already is left alone; a clip that changed is packed anew.

    Example: odah pack dataset
    """
    from odah.dataset.packed import pack as pack_dataset
    from odah.dataset.reader import open_dataset
    from odah.dataset.squares import CropSettings

    with steps("packing") as tell:
        done = pack_dataset(open_dataset(dataset), out, CropSettings(size, scale), jobs, tell)
    lines = [Text.assemble((clip, "red"), f" {why}") for clip, why in done.failures.items()]
    verdict = (
        f"{done.num_packed} clips packed, {done.num_there} were; {len(done.failures)} failed: {done.folder}"
    )
    told = {"folder": str(done.folder), "packed": done.num_packed, "there": done.num_there}
    tell_result(as_json, {**told, "failed": done.failures}, [*lines, verdict])
    raise typer.Exit(1 if done.failures else 0)
