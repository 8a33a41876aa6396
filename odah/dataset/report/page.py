"""The page itself: what each section holds, put into the templates."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup, escape

from odah import __version__
from odah.dataset.audit import ClipAudit
from odah.dataset.reader import Dataset
from odah.dataset.report import sections
from odah.dataset.report.blocks import ClipPictures, Wanted, make_pictures
from odah.dataset.report.chapters import Chapter
from odah.dataset.report.choose import FlagKind, clips_shown_whole, kinds_of, spread_over
from odah.dataset.report.facts import ClipFacts, Unreadable, read_facts
from odah.dataset.report.gather import over_clips
from odah.dataset.report.people import PersonFacts, people_in
from odah.dataset.report.residuals import RESIDUALS
from odah.dataset.schema import seeded_rng
from odah.errors import InputError
from odah.files import atomic_path

CARDS = 40
"""Clips on the contact sheet."""
_MANY = 100
"""Blocks beyond which their pictures are smaller, so that a page of a thousand clips stays below 25 MB."""


@dataclass(frozen=True)
class Gathered:
    """All that is read for a page."""

    dataset: Dataset
    clips: list[ClipFacts]
    people: list[PersonFacts]
    sheet: list[ClipFacts]
    flags: list[FlagKind]
    pictures: dict[str, ClipPictures]
    unreadable: list[Unreadable]
    audits: dict[str, ClipAudit] = field(default_factory=dict)


def write_report(
    dataset: Dataset,
    audits: Sequence[ClipAudit] = (),
    note: str = "",
    out: Path | None = None,
    cards: int = CARDS,
    seed: int = 0,
    chapters: Sequence[Chapter] = (),
) -> str:
    """Write `report/index.html`, or `out`, and return its path; clips that cannot be read are named on it.

    audits: what validation said. cards: clips on the contact sheet. seed: of what is shown.
    chapters: of the caller's own, at the end.

    Raises:
        InputError: there is no clip, `cards` or `seed` is negative, or `out` is a folder.
    """
    path = dataset.paths.report if out is None else out
    for name, value in (("--sheet", cards), ("--seed", seed)):
        if value < 0:
            raise InputError(name, str(value), "0 or more")
    if path.is_dir():
        raise InputError(path, "a folder", "the name of an HTML file")
    if not len(dataset):
        raise InputError(dataset.paths.clips, "no finished clip", "at least one")
    gathered = gather(dataset, audits, cards, seed)
    text = render(gathered, note, _relative(dataset.paths.root, path.parent), chapters)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return str(path)


def gather(dataset: Dataset, audits: Sequence[ClipAudit], cards: int, seed: int) -> Gathered:
    """Read what the page shows: numbers of every clip, pictures of some."""
    clips, unreadable = over_clips(read_facts, list(dataset), dataset.clip_ids, "reading labels")
    sheet = spread_over(clips, cards, seeded_rng(seed, "report", "contact sheet"))
    flags = kinds_of([(clip.clip_id, clip.record["flags"]) for clip in clips])
    wanted = _wanted(dataset, clips_shown_whole(clips, sheet, flags), sheet)
    pictures, unseen = over_clips(
        partial(make_pictures, seed=seed), wanted, [each.clip.clip_id for each in wanted], "drawing clips"
    )
    return Gathered(
        dataset=dataset,
        clips=clips,
        people=people_in(clips),
        sheet=sheet,
        flags=flags,
        pictures={each.clip_id: each for each in pictures},
        unreadable=[*unreadable, *unseen],
        audits={audit.clip_id: audit for audit in audits},
    )


def _wanted(dataset: Dataset, whole: Sequence[ClipFacts], sheet: Sequence[ClipFacts]) -> list[Wanted]:
    blocks, cards = {clip.clip_id for clip in whole}, {clip.clip_id for clip in sheet}
    width = 300 if len(blocks) <= _MANY else 210
    return [
        Wanted(clip, clip.clip_id in cards, clip.clip_id in blocks, block_width=width)
        for clip in dataset
        if clip.clip_id in blocks | cards
    ]


def _relative(root: Path, page_folder: Path) -> str:
    """The dataset's folder as a link from the page; its full address where no relative path leads there."""
    try:
        return quote(Path(os.path.relpath(root, page_folder)).as_posix())
    except ValueError:  # on another drive
        return root.absolute().as_uri()


def render(gathered: Gathered, note: str, root: str, chapters: Sequence[Chapter] = ()) -> str:
    """The page's text. root: the dataset's folder as a link from the page."""
    dataset, clips = gathered.dataset, gathered.clips
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__ or "", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "capitalize_first": lambda text: text[:1].upper() + text[1:],
        "breakable": lambda text: escape(text).replace("_", Markup("_<wbr>")),
        "share": lambda share: f"{100 * share:.2g} %" if share >= 1e-4 else "less than 0.01 %",
    }
    environment.globals |= {
        "anchor": lambda clip_id: "clip-" + quote(clip_id, safe=""),
        "folder": lambda clip_id: f"{root}/clips/{quote(clip_id)}",
    }
    return environment.get_template("page.html.j2").render(
        info=dataset.info,
        note=note,
        version=__version__,
        headline=sections.headline(clips, dataset),
        audited=sections.audited(gathered.audits),
        audits=gathered.audits,
        unreadable=gathered.unreadable,
        clips=clips,
        sheet=[clip for clip in gathered.sheet if clip.clip_id in gathered.pictures],
        pictures=gathered.pictures,
        whole=[clip for clip in clips if _has_block(gathered, clip)],
        linked={clip.clip_id for clip in clips if _has_block(gathered, clip)},
        flags=gathered.flags,
        notes=kinds_of([(clip.clip_id, clip.record["notes"]) for clip in clips]),
        residuals=RESIDUALS,
        columns=[r for r in RESIDUALS if any(clip.residual(r.key) is not None for clip in clips)],
        **sections.figures(clips, gathered.people, dataset.info),
        environment=_environment(clips),
        chapters=chapters,
    )


def _has_block(gathered: Gathered, clip: ClipFacts) -> bool:
    found = gathered.pictures.get(clip.clip_id)
    return found is not None and bool(found.rows)


def _environment(clips: Sequence[ClipFacts]) -> dict[str, dict[str, int]]:
    """What made the clips, with how many of them."""

    def counted(values: Iterable[Any]) -> dict[str, int]:
        return dict(Counter(str(value) for value in values).most_common())

    renders = [clip.record["render"] for clip in clips]
    told = {
        "engine": counted(each.get("engine", "not told") for each in renders),
        "device": counted(each.get("device", "not told") for each in renders),
        "Blender": counted(each.get("blender_version", "not told") for each in renders),
        "motion": counted(
            f"{clip.record['source'].get('format')}: {clip.record['source'].get('licence')}" for clip in clips
        ),
        "body": counted(
            f"{clip.record['body'].get('kind')}: {clip.record['body'].get('licence')}"
            for clip in clips
            if "body" in clip.record
        ),
        "textures": counted(
            clip.record["textures"].get("licence") for clip in clips if "textures" in clip.record
        ),
    }
    return {name: values for name, values in told.items() if values}
