"""One frame's people from a JSON file in OpenPose's format, and the files of a view by their frames."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from odah.errors import InputError
from odah.files import read_text

_NUMBER = re.compile(r"(\d{1,18})(?:_keypoints)?$")
_FORMAT = "keypoints in OpenPose's JSON format"
_LIST = "pose_keypoints_2d"


def numbered_files(folder: Path) -> tuple[dict[int, Path], list[str]]:
    """The files of a view by the frame that ends their names, and names that end in none.

    Raises:
        InputError: no such folder, none in it, or two of one frame.
    """
    if not folder.is_dir():
        raise InputError(folder, "no such folder", f"a folder of {_FORMAT}")
    files: dict[int, Path] = {}
    strangers = []
    for path in sorted(folder.glob("*.json")):
        match = _NUMBER.search(path.stem)
        if match is None:
            strangers.append(path.name)
            continue
        number = int(match[1])
        if number in files:
            raise InputError(folder, f"{files[number].name} and {path.name}", "one file a frame")
        files[number] = path
    if not files:
        raise InputError(folder, "no files whose names end in a frame's number", f"a folder of {_FORMAT}")
    return files, strangers


def read_people(path: Path, count: int) -> Float[np.ndarray, "N {count} 3"]:
    """x and y, px, and confidence from 0 to 1 of the keypoints of all people; 0, 0, 0 where there is none.

    count: of keypoints a person.

    Raises:
        InputError: no such file, other content, or another number of keypoints.
    """
    try:
        content = json.loads(read_text(path, _FORMAT))
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"{error}"[:80], _FORMAT) from None
    people = content.get("people") if isinstance(content, dict) else None
    if not isinstance(people, list):
        raise InputError(path, "no list 'people'", _FORMAT)
    rows = [_person(f"{path}, people[{k}]", person, count) for k, person in enumerate(people)]
    return np.array(rows).reshape(len(rows), count, 3)


def _person(where: str, person: Any, count: int) -> Float[np.ndarray, "{count} 3"]:
    numbers = person.get(_LIST) if isinstance(person, dict) else None
    if not isinstance(numbers, list):
        raise InputError(where, f"no list {_LIST!r}", _FORMAT)
    if len(numbers) != 3 * count:
        raise InputError(f"{where}.{_LIST}", f"{len(numbers)} numbers", f"{3 * count}, 3 a keypoint")
    if strange := [each for each in numbers if isinstance(each, bool) or not isinstance(each, int | float)]:
        raise InputError(f"{where}.{_LIST}", f"{strange[0]!r:.40}", "numbers")
    try:
        values = np.array(numbers, dtype=float).reshape(count, 3)
    except OverflowError:
        raise InputError(f"{where}.{_LIST}", "a number beyond 1e308", "pixels") from None
    is_there = np.isfinite(values).all(axis=1) & (values[:, 2] > 0)
    values[:, 2] = np.minimum(values[:, 2], 1.0)
    return np.where(is_there[:, None], values, 0.0)
