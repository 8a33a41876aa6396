"""`odah view`."""

from __future__ import annotations

from pathlib import Path
from shutil import which
from typing import Annotated

import typer

from odah.cli.application import AsJson, app, tell_result
from odah.errors import InputError
from odah.files import atomic_path


@app.command()
def view(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder.")],
    clip: Annotated[str | None, typer.Argument(help="Its name; without, the first one.")] = None,
    save: Annotated[
        Path | None,
        typer.Option(help="Write FILE.rrd instead of opening the viewer; `rerun FILE.rrd` shows it."),
    ] = None,
    body: Annotated[bool, typer.Option(help="Whether to draw the body, too.")] = True,
    jpeg: Annotated[
        bool | None,
        typer.Option(
            help="Pictures instead of videos; by default where a viewer is opened that has no ffmpeg."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """One clip: videos with the skeleton over them, 3D skeleton and body, angle curves, on one timeline.

    Example: odah view dataset subject001_walking
    """
    import rerun as rr

    from odah.dataset.reader import open_dataset
    from odah.dataset.view import record_clip

    opened = open_dataset(dataset)
    if not len(opened):
        raise InputError(opened.paths.clips, "no finished clip", "at least one")
    chosen = opened.clips[0] if clip is None else opened[clip]
    recording = rr.RecordingStream("odah", recording_id=chosen.clip_id)
    if save is None:
        recording.spawn()
        record_clip(opened, chosen, recording, body, which("ffmpeg") is None if jpeg is None else jpeg)
        return
    with atomic_path(save) as temporary:
        recording.save(temporary)
        record_clip(opened, chosen, recording, body, bool(jpeg))
        recording.disconnect()
    tell_result(as_json, {"clip": chosen.clip_id, "file": str(save)}, [f"rerun {save}"])
