"""`odah doctor` and `odah demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from odah.cli.application import AsJson, Out, app, tell_result


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """What works on this machine, what is missing, and the one command that mends each.

    Example: odah doctor
    """
    from odah.doctor import examine

    findings = examine()
    lines = [
        Text.assemble(
            ("ok     ", "green") if f.is_ok else ("missing", "red"),
            f" {f.name:<12} {f.state}" + ("" if f.is_ok else f"\n        -> {f.remedy}"),
        )
        for f in findings
    ]
    tell_result(as_json, {"findings": [f.__dict__ for f in findings]}, lines)
    raise typer.Exit(0 if all(f.is_ok or not f.is_required for f in findings) else 1)


@app.command()
def demo(
    out: Out = Path("odah_demo"),
    full: Annotated[
        bool, typer.Option("--full", help="1080x720 at 60 fps, 10 s clips, instead of small ones.")
    ] = False,
    engine: Annotated[str, typer.Option(help="auto, eevee, cycles or workbench.")] = "auto",
    as_json: AsJson = False,
) -> None:
    """The whole chain on built-in parts: 2 people x 2 actions x 2 views, audited, learned from, on one page.

    Example: odah demo --out odah_demo
    """
    from odah.demo import run_demo

    page, audit = run_demo(out, full=full, engine=engine)
    tell_result(as_json, {"page": str(page), **audit.to_json()}, [f"open {page}"])
    raise typer.Exit(0 if audit.is_valid else 1)
