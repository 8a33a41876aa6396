"""Whatever bytes a file has, the audit ends, and says something if they are not those that were written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from odah.dataset.audit import audit_clip
from odah.dataset.reader import Dataset, open_dataset
from odah.dataset.schema import file_hash

FILES = ("clip.json", "labels.npz", "kinematics.mot", "markers.trc", "front.mp4", "side_mask.mkv",
         "front_parts.mkv", "side_depth.mkv", "front_normals.mkv")  # fmt: skip
CLIP = "subject001_walking"


def spoiled(data: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes changed, left out, put in or cut off."""
    changed = bytearray(data)
    place = int(rng.integers(len(changed)))
    way = int(rng.integers(4))
    if way == 0:
        for k in rng.integers(len(changed), size=int(rng.integers(1, 9))):
            changed[k] ^= int(rng.integers(1, 256))
    elif way == 1:
        del changed[place : place + int(rng.integers(1, 99))]
    elif way == 2:
        changed[place:place] = rng.bytes(int(rng.integers(1, 99)))
    else:
        del changed[place:]
    return bytes(changed)


@pytest.mark.parametrize("name", FILES)
def test_changed_bytes_are_always_found_and_never_end_the_audit(
    painted: Dataset, tmp_path: Path, name: str
) -> None:
    shutil.copytree(painted.paths.root, tmp_path / "d")
    dataset = open_dataset(tmp_path / "d")
    path, record_path = dataset[CLIP].folder / name, dataset[CLIP].folder / "clip.json"
    whole, record = path.read_bytes(), record_path.read_text()
    rng = np.random.default_rng(FILES.index(name))
    for _ in range(6):
        path.write_bytes(spoiled(whole, rng))
        is_record = name == "clip.json"
        if not is_record:
            assert "files" in audit_clip(dataset[CLIP], dataset, 3).failures
            values = json.loads(record)
            values["sha256"][name] = file_hash(path)
            record_path.write_text(json.dumps(values))
        audit = audit_clip(dataset[CLIP], dataset)  # perhaps sound: a byte of a comment, a pixel of a picture
        assert all(isinstance(why, str) and "\n" not in why for why in audit.failures.values())
        record_path.write_text(record)
