"""What `odah generate --dry-run` tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

if TYPE_CHECKING:
    from odah.pipeline.forecast import Forecast


def forecast_lines(forecast: Forecast) -> list[str | Text]:
    """For eyes, a fact a line."""
    splits = ", ".join(f"{name} {count}" for name, count in forecast.splits.items())
    told = f" ({splits})" if splits else ""
    lines: list[str | Text] = [f"clips    {forecast.clips:,} to make{told}, {forecast.finished:,} finished"]
    if forecast.views:
        videos = f"in each of {forecast.views} views"
        lines.append(f"people   {forecast.people:,}")
        lines.append(f"frames   at most {forecast.frames:,} {videos}")
    if forecast.seconds is not None and forecast.num_bytes is not None:
        slots = f"{forecast.slots} clips at a time" if forecast.slots > 1 else "one clip at a time"
        lines.append(f"time     about {duration(forecast.seconds)} on this machine, {slots}")
        free = "" if forecast.free_bytes is None else f", {size(forecast.free_bytes)} are free"
        lines.append(f"disk     about {size(forecast.num_bytes)}{free}")
    lines += [Text.assemble(("missing", "red"), f"  {sentence}") for sentence in forecast.missing]
    return lines


def forecast_json(forecast: Forecast) -> dict[str, Any]:
    cost = None if forecast.cost is None else forecast.cost.__dict__
    told = {"cost": cost, "seconds": forecast.seconds, "bytes": forecast.num_bytes}
    return {**forecast.__dict__, "missing": list(forecast.missing), **told}


def duration(seconds: float) -> str:
    """In the two largest units that matter."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes >= 10 else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def size(num_bytes: float) -> str:
    for unit, step in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if num_bytes >= step:
            return f"{num_bytes / step:.1f} {unit}"
    return f"{num_bytes / 1e3:.0f} kB"
