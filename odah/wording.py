"""Lists and counts in sentences."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice


def some_of(names: Collection[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(islice(names, most)) + more


def clips_told(count: int) -> str:
    return "1 clip" if count == 1 else f"{count} clips"
