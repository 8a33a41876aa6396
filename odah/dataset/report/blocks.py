"""What the page shows of a single clip: its pictures, its angles over time, its links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from odah.dataset.clip import Clip
from odah.dataset.report.curves import angle_curves
from odah.dataset.report.facts import Unreadable, spread
from odah.dataset.report.pictures import Picture, around, frames_near, picture
from odah.dataset.schema import clip_files, seeded_rng
from odah.errors import OdahError

_FRAMES = 4
_CARD_VIEWS = 2


@dataclass(frozen=True)
class Wanted:
    """What to make of a clip: a card of the contact sheet, a block of its own, or both; widths in px."""

    clip: Clip
    card: bool
    block: bool
    card_width: int = 230
    block_width: int = 300


@dataclass(frozen=True)
class ClipPictures:
    """card: one picture a view at one time; rows: one row a view; curves: (title, SVG). files: names."""

    clip_id: str
    card: list[Picture]
    rows: list[list[Picture]]
    curves: list[tuple[str, str]]
    files: list[str]


def make_pictures(wanted: Wanted, seed: int) -> ClipPictures | Unreadable:
    """The pictures of a clip, or what is wrong with it."""
    try:
        return _make(wanted.clip, wanted, seed)
    except OdahError as error:
        return Unreadable(wanted.clip.clip_id, str(error))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        return Unreadable(wanted.clip.clip_id, f"its pictures are not those of its labels ({error})")


def _make(clip: Clip, wanted: Wanted, seed: int) -> ClipPictures:
    labels, length = clip.labels, len(clip.labels["time"])
    instant = [int(seeded_rng(seed, "report", clip.clip_id).integers(length))]
    views = list(enumerate(clip.views))
    card = [
        _pictures(clip, v, instant, wanted.card_width, is_close=True)[0]
        for v, _ in views[:_CARD_VIEWS]
        if wanted.card
    ]
    if not wanted.block:
        return ClipPictures(clip.clip_id, card, [], [], [])
    frames = spread(length, _FRAMES).tolist()
    return ClipPictures(
        clip_id=clip.clip_id,
        card=card,
        rows=[_pictures(clip, v, frames, wanted.block_width) for v, _ in views],
        curves=angle_curves(
            clip.clip_id, labels["time"], labels["coordinates"], clip.info["coordinate_names"]
        ),
        files=[name for name in ("clip.json", *clip_files(clip.info)) if (clip.folder / name).is_file()],
    )


def _pictures(clip: Clip, v: int, frames: Sequence[int], width: int, is_close: bool = False) -> list[Picture]:
    """Pictures of the v-th view near `frames`, of the person alone if `is_close`."""
    view, labels, info = clip.views[v], clip.labels, clip.info
    keypoints = clip.video_keypoints(v, info["crop_size"])
    near = frames_near(clip.video(view), frames, tolerance=len(labels["time"]) // (2 * _FRAMES))
    made = []
    for t, image in near:
        size = image.shape[1], image.shape[0]
        left, top, right, bottom = around(keypoints[t], *size) if is_close else (0, 0, *size)
        part, points = image[top:bottom, left:right], keypoints[t] - (left, top)
        told = f"{clip.clip_id}, {view} view at {labels['time'][t]:.2f} s"
        made.append(picture(part, points, info["joint_names"], width, told))
    return made
