"""What a caller adds to the page: a section of a few words, a table and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from odah.dataset.report.pictures import Picture


@dataclass(frozen=True)
class Chapter:
    """anchor: name in links. text: a paragraph. table: rows of cells, the first one the head."""

    anchor: str
    title: str
    text: str
    table: Sequence[Sequence[str]] = ()
    pictures: Sequence[Picture] = ()
