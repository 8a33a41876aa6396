"""The CMU motion capture database (mocap.cs.cmu.edu): `.amc` files with their `.asf`, or made into `.bvh`.

A take is called SUBJECT_NUMBER, such as `07_05`, in the original and in all conversions; what its person does
is told by the database's index alone.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from odah.errors import InputError
from odah.files import read_text
from odah.motion.collections.scan import folder_files
from odah.motion.collections.take import Take

LICENCE = "free for all uses; mocap.cs.cmu.edu, created with funding from NSF EIA-0196217"
LAYOUT = "takes called SUBJECT_NUMBER.amc, such as subjects/07/07_05.amc beside 07.asf, or 07_05.bvh"
_TAKE = re.compile(r"(\d+)_(\d+)\.(amc|bvh)", re.IGNORECASE)
_NAME = re.compile(r"(\d+)_(\d+)")


def find_takes(root: Path) -> list[Take]:
    """The takes below `root` by subject and number; the original where a conversion lies beside it.

    Actions are the descriptions of the index, any `.csv` file directly in `root` whose first two columns are
    takes' names and descriptions; without, the takes' names.

    Raises:
        InputError: no such folder, no take in it, or an `.amc` without its `.asf`.
    """
    files: dict[tuple[int, int], Path] = {}
    for folder, names in folder_files(root, LAYOUT):
        skeletons = [name[:-4] for name in names if name.lower().endswith(".asf")]
        for name in names:
            match = _TAKE.fullmatch(name)
            if match is None:
                continue
            if match[3].lower() == "amc" and len(skeletons) != 1 and match[1] not in skeletons:
                raise InputError(Path(folder, name), "no skeleton", f"{match[1]}.asf beside it")
            key = int(match[1]), int(match[2])
            path = Path(folder, name)
            if key not in files or (_is_amc(path) and not _is_amc(files[key])):
                files[key] = path
    if not files:
        raise InputError(root, "no take of the CMU database", LAYOUT)
    descriptions = _descriptions(root)
    return [_take(key, path, descriptions.get(key)) for key, path in sorted(files.items())]


def _is_amc(path: Path) -> bool:
    return path.suffix.lower() == ".amc"


def _take(key: tuple[int, int], path: Path, description: str | None) -> Take:
    subject, number = key
    action = description or f"take {number:02d}"
    return Take(path, f"cmu_{subject:02d}", action, name=f"{number:02d}", licence=LICENCE)


def _descriptions(root: Path) -> dict[tuple[int, int], str]:
    found: dict[tuple[int, int], str] = {}
    for path in sorted(path for path in root.iterdir() if path.suffix.lower() == ".csv"):
        text = read_text(path, "an index of takes")
        for row in csv.reader(text.splitlines()):
            name = _NAME.fullmatch(row[0].strip()) if len(row) > 1 else None
            if name is not None and row[1].strip():
                found.setdefault((int(name[1]), int(name[2])), row[1].strip())
    return found
