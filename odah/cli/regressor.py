"""`odah regressor fit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from odah.cli.application import AsJson, app, tell_result
from odah.progress import steps

if TYPE_CHECKING:
    from odah.body.registration import Registration

regressor = typer.Typer(
    help="Register a body to the OpenSim full-body model: marker layout and joint regressor.",
    no_args_is_help=True,
)
app.add_typer(regressor, name="regressor")


@regressor.callback()
def _root() -> None:
    """Keeps `fit` a word of its own while it is the only one."""


@regressor.command()
def fit(
    body: Annotated[
        Path | None, typer.Option(help="SMPLX_<GENDER>.npz or its folder; default: the open body.")
    ] = None,
    gender: Annotated[str, typer.Option(help="Which of the files in a folder.")] = "neutral",
    layout: Annotated[
        Path | None, typer.Option(help="Marker layout of yours (YAML); default: by anatomical rules.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="File to write; the layout goes beside it.")
    ] = Path("registration.npz"),
    seed: Annotated[int, typer.Option(min=0, help="Of the random people and poses.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Register a body: marker layout, calibrated markers, joint regressor, and their held-out errors.

    Takes about two minutes. The file is what `registration:` of a dataset's configuration names.

    Example: odah regressor fit --body models/smplx/SMPLX_NEUTRAL.npz --out my_smplx.npz
    """
    import sklearn  # noqa: F401, missed now rather than after a minute's work

    from odah.body.model import load_body
    from odah.body.registration.fit_registration import fit_registration
    from odah.body.registration.layout_file import load_layout
    from odah.body.registration.record import check_registration_path, layout_path, save_registration

    check_registration_path(out)
    chosen = None if layout is None else load_layout(layout)
    with steps("registration") as bar:
        registration = fit_registration(load_body(body, gender), seed, chosen, done=bar)
    save_registration(registration, out)
    data = {"registration": str(out), "layout": str(layout_path(out)), **registration.report}
    tell_result(as_json, data, [*_table(registration), f"{out} and {layout_path(out).name}"])


def _table(registration: Registration) -> list[str]:
    """Held-out errors by joint and of all, mm."""
    kinds = ("held_out_people", "held_out_poses", "fresh_people")
    report = registration.report
    rows = [*report["joints"].items(), ("all joints", report)]
    width = max(len(name) for name, _ in rows)
    lines = ["mm, mean/p95".ljust(width) + "".join(f"  {kind.replace('_', ' '):>15}" for kind in kinds)]
    for name, errors in rows:
        cells = (f"{errors[kind]['mean_mm']:.1f}/{errors[kind]['p95_mm']:.1f}" for kind in kinds)
        lines.append(name.ljust(width) + "".join(f"  {cell:>15}" for cell in cells))
    markers = report["fresh_people_markers"]
    last = f"{markers['mean_mm']:.1f}/{markers['p95_mm']:.1f}"
    return [*lines, "all markers".ljust(width) + f"  {'':>15}  {'':>15}  {last:>15}"]
