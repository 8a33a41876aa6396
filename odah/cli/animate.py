"""`odah animate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from odah.cli.application import AsJson, app, tell_result
from odah.progress import steps


@app.command()
def animate(
    recording: Annotated[
        Path, typer.Argument(help="Folder of `odah kinematics`, or a motion or marker file.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Animation to write, .npz.")],
    osim: Annotated[Path | None, typer.Option(help="Scaled model a .mot/.sto belongs to.")] = None,
    gender: Annotated[
        str | None, typer.Option(help="male, female or neutral; default: the recording's, or neutral.")
    ] = None,
    height: Annotated[float | None, typer.Option(help="The person's height, m; default: fitted.")] = None,
    mass: Annotated[
        float | None, typer.Option(help="The person's mass, kg; default: a weighed model's.")
    ] = None,
    body: Annotated[
        Path | None, typer.Option(help="SMPL-X .npz file or folder; default: the open body.")
    ] = None,
    registration: Annotated[
        Path | None, typer.Option(help="What `odah regressor fit` wrote for that body.")
    ] = None,
    shape: Annotated[
        Path | None, typer.Option(help="Earlier animation of the same person, whose shape is kept.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Generic .osim for markers.")] = None,
    scale_setup: Annotated[
        Path | None, typer.Option(help="OpenSim ScaleTool set-up XML for markers.")
    ] = None,
    ik_setup: Annotated[
        Path | None, typer.Option(help="OpenSim InverseKinematicsTool set-up XML for markers.")
    ] = None,
    cutoff: Annotated[
        float | None, typer.Option(help="Smooth the motion at this frequency, Hz; default: not at all.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Frames a second of the result; default: the recording's.")
    ] = None,
    plot: Annotated[bool, typer.Option(help="Draw F.png.")] = True,
    as_json: AsJson = False,
) -> None:
    """Any recording, or kinematics solved from one -> a body in motion (AMASS-style .npz) and its residuals.

    Beside F.npz go F_residuals.csv, a row a frame, F_residuals.json, joint by joint and marker by marker, and
    F.png, six poses with skeleton and markers.
    Markers of a .trc or .c3d are followed themselves, beside the skeleton that they tell.

    Example: odah animate walk.c3d --gender female --height 1.68 --out walk.npz
    """
    from odah.pipeline.animation import AnimateOptions, animate_recording
    from odah.pipeline.animation_report import check_out, write_animated
    from odah.pipeline.recording import KinematicsOptions

    check_out(out, (recording, osim, body, registration, shape, model, scale_setup, ik_setup))
    solving = KinematicsOptions(model, scale_setup, ik_setup, osim, mass=mass, cutoff=cutoff)
    options = AnimateOptions(gender, height, body, registration, shape, rate, solving)
    with steps("fitting") as bar:
        animated = animate_recording(recording, options, bar)
    summary = write_animated(animated, out, recording, plot)
    tell_result(as_json, summary.to_json(), [*summary.flags, f"{summary.sentence} -> {out}"])
