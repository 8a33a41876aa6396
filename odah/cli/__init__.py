"""The commands. Each imports its stage when it runs, so that `--help` is instant and extras stay optional."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from odah.cli.application import app
from odah.errors import OdahError
from odah.failures import sentence

# isort: off
# Each registers its commands, in the order of `--help`.
from odah.cli import (  # noqa: F401
    start,
    kinematics,
    regressor,
    animate,
    generate,
    datasets,
    view,
    pack,
    train,
    evaluate,
    predict,
    benchmark,
)

# isort: on

__all__ = ["app", "main"]


def _leave(sentence: str, code: int) -> NoReturn:
    typer.echo(f"odah: {sentence}", err=True)
    sys.exit(code)


def main() -> NoReturn:
    """Entry point: 0 done, 1 the work failed, 2 wrong use; one sentence for each failure."""
    try:
        app()
    except Exception as error:
        told = sentence(error)
        if told is None:
            raise
        _leave(told, error.exit_code if isinstance(error, OdahError) else 1)
    sys.exit(0)
