"""What odah needs of a `.c3d` file, read by ezc3d and saved as an `.npz` archive.

Runs as a program of its own (`python -P ezc3d_reader.py IN.c3d OUT.npz`): on some damaged files ezc3d, a C++
library, crashes or fills all memory, and that must not take the caller with it. It imports nothing of odah,
for the package takes longer to load than the file.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path

import ezc3d
import numpy as np

_LEAST_MEMORY = 2 << 30
_MEMORY_PER_FILE_BYTE = 256  # ezc3d takes 10 to 15 for a whole file


def extract(in_path: str, out_path: str) -> None:
    """Save the points of `in_path`, and what the file says of them, as `out_path`.

    Archive: `positions` (T, M, 3) in the file's units; `residuals` (T, M), negative where a point was not
    seen; `rate`, Hz; `first_frame`, from 0; `point_texts`, the text parameters of the group POINT
    (LABELS, UNITS, ...) as a JSON object of lists.
    """
    _limit_memory(_LEAST_MEMORY + _MEMORY_PER_FILE_BYTE * Path(in_path).stat().st_size)
    content = ezc3d.c3d(in_path)
    header, data = content["header"]["points"], content["data"]
    np.savez(
        out_path,
        positions=data["points"][:3].transpose(2, 1, 0),
        residuals=data["meta_points"]["residuals"][0].T,
        rate=np.float64(header["frame_rate"]),
        first_frame=np.float64(header["first_frame"]),
        point_texts=np.array(json.dumps(_texts(content["parameters"]["POINT"]))),
    )


def _limit_memory(num_bytes: int) -> None:
    """Let this process fail when it wants more, where the system can do that (Linux; not Windows)."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (num_bytes, num_bytes))


def _texts(group: ezc3d.C3dMapper) -> dict[str, list[str]]:
    """The text parameters of a group by upper-case name; ezc3d gives numbers as arrays, text as lists."""
    return {
        name.upper(): [_decoded(word) for word in parameter["value"]]
        for name, parameter in group.items()
        if isinstance(parameter.get("value"), list)
    }


def _decoded(word: str) -> str:
    """`word` without padding; bytes that were no UTF-8 (ezc3d passes them on escaped) are Latin-1."""
    data = word.encode("utf-8", "surrogateescape")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.strip(" \0")


if __name__ == "__main__":
    extract(*sys.argv[1:])
