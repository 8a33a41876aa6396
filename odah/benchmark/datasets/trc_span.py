"""When a TRC file begins and ends, without reading all of its markers."""

from __future__ import annotations

import math
from pathlib import Path

from odah.errors import InputError
from odah.files import read_text

_HEADER_LINES = 5


def trc_span(path: str | Path) -> tuple[float, float, float]:
    """Times of the first and last frame, s, and the rate, frames/s.

    Raises:
        InputError: missing, no TRC file, or of a single frame.
    """
    lines = [line for line in read_text(path, "a TRC marker file").splitlines() if line.strip()]
    if len(lines) < _HEADER_LINES + 2 or not lines[0].lower().startswith("pathfiletype"):
        raise InputError(path, "no TRC header with frames", "a TRC marker file")
    try:
        rate = float(lines[2].split()[0])
        first, last = (float(lines[k].split()[1]) for k in (_HEADER_LINES, -1))
    except (ValueError, IndexError):
        raise InputError(path, "no rate or times", "a TRC marker file") from None
    if not (0 < rate < math.inf and first < last < math.inf):
        raise InputError(path, f"{rate:g} Hz from {first:g} s to {last:g} s", "times that rise")
    return first, last, rate
