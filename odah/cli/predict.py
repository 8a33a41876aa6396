"""`odah predict`."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from odah.cli.application import AsJson, Out, app, tell_result
from odah.errors import InputError

if TYPE_CHECKING:
    from odah.estimator.predict.run import Predicted
    from odah.scene.camera_config import UpAxis


@app.command()
def predict(
    checkpoint: Annotated[str, typer.Argument(help="A trained network, or compact, which comes with odah.")],
    front: Annotated[list[Path], typer.Option(metavar="PATH", help="Video of the first camera.")],
    cameras: Annotated[
        list[Path], typer.Option(help="Calibration file; again for each where every camera has its own.")
    ],
    out: Out,
    side: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="Video of the second camera.")
    ] = None,
    views: Annotated[
        str | None,
        typer.Option(help="Names of the videos' cameras in the calibration: FRONT,SIDE."),
    ] = None,
    up: Annotated[
        str, typer.Option(help="Axis of the calibration that points upwards: z, -z, y, -y, x, -x.")
    ] = "z",
    offset: Annotated[
        str,
        typer.Option(
            help="Where in the side video is what the front's first frame shows: frames (12) or seconds "
            "(0.4s); negative if the side video began later."
        ),
    ] = "0",
    masks: Annotated[
        list[Path] | None,
        typer.Option(help="Video, or folder of pictures, of the person's masks; once for each video."),
    ] = None,
    yolo: Annotated[
        Path | None, typer.Option(help="Weights of a YOLO segmenter that finds the person.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Frames/s of the results; default: the front video's.")
    ] = None,
    mass: Annotated[float | None, typer.Option(help="The person's mass, kg; default: a typical one.")] = None,
    draws: Annotated[
        int, typer.Option(min=1, help="Times that points are drawn; the answers are averaged.")
    ] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu or gpu, for the network.")] = "auto",
    video: Annotated[bool, typer.Option(help="Draw overlay.mp4.")] = True,
    as_json: AsJson = False,
) -> None:
    """Two calibrated videos, or one -> scaled .osim, .mot, .trc, angles with expected errors, overlay video.

    Example: odah predict compact --front cam01.mp4 --side cam02.mp4 --cameras Calib.toml --out walk
    """
    from odah.estimator.devices import check_device_name
    from odah.estimator.predict.options import PredictOptions
    from odah.estimator.predict.run import predict as predict_videos
    from odah.progress import steps

    options = PredictOptions(
        views=None if views is None else tuple(name.strip() for name in views.split(",")),
        up=cast("UpAxis", up),
        offset=offset,
        masks=tuple(masks) if masks else None,
        yolo=yolo,
        rate=rate,
        mass=mass,
        draws=draws,
        device=check_device_name(device),
        has_overlay=video,
    )
    videos = [*_at_most_one("--front", front), *_at_most_one("--side", side or [])]
    with steps("frames") as bar:
        predicted = predict_videos(checkpoint, videos, cameras, out, options, bar)
    tell_result(as_json, predicted.record, _told(predicted))


def _at_most_one(option: str, paths: list[Path]) -> list[Path]:
    """What would else be overwritten silently by the last one."""
    if len(paths) > 1:
        raise InputError(option, f"{len(paths)} videos", "one")
    return paths


def _told(predicted: Predicted) -> list[str]:
    record = predicted.record
    by_view = ", ".join(f"{name} {_percent(share)}" for name, share in predicted.inside.items())
    return [
        *predicted.notes,
        f"projected joints inside the person: {_percent(predicted.mean_inside)} ({by_view})",
        f"{record['num_frames']} frames at {record['rate']:g} frames/s -> {predicted.out}",
    ]


def _percent(share: float) -> str:
    return "unknown" if isnan(share) else f"{share:.0%}"
