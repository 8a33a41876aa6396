"""What the commands share: the application, options that mean the same everywhere, how a result is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from odah import __version__
from odah.progress import say

app = typer.Typer(
    help="Videos of people whose OpenSim joint angles are known exactly.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print one machine-readable result on standard output.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")]


def tell_result(as_json: bool, data: dict[str, Any], lines: Sequence[str | Text]) -> None:
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
