"""What an audit found, for eyes."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from odah.dataset.audit import DatasetAudit

MAX_ROWS = 30
"""Of failures, and of notes; the rest is counted."""


def audit_lines(audit: DatasetAudit, is_terminal: bool) -> Iterator[RenderableType]:
    """What failed, as a table or, where no eye is on it, a line each; notes, what was looked at, verdict."""
    rows = [(place, "dataset", why) for place, why in audit.failures.items()]
    rows += [(clip.clip_id, check, why) for clip in audit.clips for check, why in clip.failures.items()]
    if is_terminal and rows:
        yield _table(rows[:MAX_ROWS])
    else:
        yield from (f"{place} {check}: {why}" for place, check, why in rows[:MAX_ROWS])
    if len(rows) > MAX_ROWS:
        yield f"and {len(rows) - MAX_ROWS:,} more failures; --json lists all"
    yield from (f"note: {note}" for note in audit.notes[:MAX_ROWS])
    if len(audit.notes) > MAX_ROWS:
        yield f"and {len(audit.notes) - MAX_ROWS:,} more notes; --json lists all"
    count = len(audit.clips)
    if audit.num_whole < count:
        yield (
            f"every picture decoded in {audit.num_whole:,} of {count:,} clips, a few in the others; "
            "--deep decodes all"
        )
    beside = "" if count == audit.num_clips else f" ({audit.num_clips:,} in the dataset)"
    verdict = f"{audit.num_valid:,} of {count:,} clips are valid{beside}"
    yield verdict + ("; the dataset as a whole is not" if audit.failures else "")


def _table(rows: list[tuple[str, str, str]]) -> Table:
    table = Table("clip or place", "check", "why", box=None, pad_edge=False, header_style="bold")
    table.columns[0].style = "red"
    for row in rows:
        table.add_row(*map(Text, row))  # brackets are no markup
    table.columns[0].overflow = table.columns[2].overflow = "fold"
    return table
