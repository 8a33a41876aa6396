"""Checks of a dataset as a whole: what no clip can tell alone."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from odah.dataset.audit.clip_audit import ClipAudit
from odah.dataset.audit.records import DatasetRecord, check_record
from odah.dataset.index import read_index
from odah.dataset.index_columns import STATE
from odah.dataset.reader import Dataset
from odah.dataset.schema import SPLITS
from odah.errors import InputError
from odah.wording import some_of

SUBJECT_FILES = ("model.osim", "body.npz", "appearance.json")
_HINT = "`odah generate` writes it anew"


def check_info(dataset: Dataset) -> None:
    """`dataset.json` has every field, and its names are distinct.

    Raises:
        InputError: it has not.
    """
    info, path = dataset.info, dataset.paths.info
    check_record(DatasetRecord, path, info)
    for key in ("views", "coordinate_names", "body_names", "joint_names", "marker_names"):
        name, count = Counter(info[key]).most_common(1)[0]
        if count > 1:
            raise InputError(f"{path}: {key}", f"{name!r} {count} times", "distinct names")
    ranges, names = len(info["coordinate_ranges"]), len(info["coordinate_names"])
    if ranges != names:
        raise InputError(f"{path}: coordinate_ranges", f"{ranges}", f"{names}, one a coordinate")


def dataset_failures(
    dataset: Dataset, audits: Sequence[ClipAudit], all_clips: Sequence[str]
) -> dict[str, str]:
    """By place what is wrong. audits: of the clips asked for. all_clips: names of those there are."""
    rows = {audit.clip_id: audit.row for audit in audits if audit.row}
    found = dict(_subject_failures(dataset, rows))
    found |= dict(_split_failures(rows))
    return found | dict(_index_failures(dataset, rows, set(all_clips)))


def dataset_notes(dataset: Dataset, audits: Sequence[ClipAudit], is_all: bool) -> list[str]:
    """What is odd but harmless. is_all: the audits are of all clips."""
    root = dataset.paths.root
    notes = [f"{audit.clip_id}: {note}" for audit in audits for note in audit.notes]
    left = [path for folder in (root, root / "clips", root / "subjects") for path in _hidden(folder)]
    if left:
        notes.append(f"left behind by runs that were stopped, or in the making: {some_of(left)}")
    people = {audit.row["person"] for audit in audits if audit.row}
    subjects = root / "subjects"
    if is_all and all(audit.row for audit in audits) and subjects.is_dir():
        names = {path.name for path in subjects.iterdir() if not path.name.startswith(".")}
        if orphans := sorted(names - people):
            notes.append(f"subjects without a clip: {some_of(orphans)}")
    same = defaultdict(list)
    for audit in audits:
        same[audit.row.get("sha256_labels.npz", audit.clip_id)].append(audit.clip_id)
    notes += [f"the same labels.npz in {some_of(clips)}" for clips in same.values() if len(clips) > 1]
    return notes


def _hidden(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(
        path.name for path in folder.iterdir() if path.name.startswith(".") and path.name != ".odah"
    )


def _subject_failures(dataset: Dataset, rows: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for person in sorted({row["person"] for row in rows.values()}):
        folder = dataset.paths.subject(person)
        missing = [name for name in SUBJECT_FILES if not (folder / name).is_file()]
        if missing:
            yield f"subjects/{person}", f"{', '.join(missing)} missing"
            continue
        try:
            json.loads((folder / "appearance.json").read_bytes())
        except (OSError, ValueError, RecursionError):
            yield f"subjects/{person}", "appearance.json is no JSON"


def _split_failures(rows: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """A subject's clips, of whatever build, are in one split."""
    splits: dict[str, dict[str, str]] = defaultdict(dict)
    for clip_id, row in rows.items():
        splits[row["subject"]].setdefault(row["split"], clip_id)
    for subject, clips in splits.items():
        if len(clips) > 1:
            told = ", ".join(f"{split} ({clip_id})" for split, clip_id in clips.items())
            yield f"subject {subject}", f"in more than one split: {told}"


def _index_failures(
    dataset: Dataset, rows: dict[str, dict[str, Any]], all_clips: set[str]
) -> Iterator[tuple[str, str]]:
    """Index and splits have a row a clip that says what its record says."""
    name = dataset.paths.index.name
    try:
        table = read_index(dataset.paths)
    except InputError as error:
        yield name, f"found {error.found}, expected {error.expected}"
        return
    indexed = Counter(table["clip"].to_pylist())
    wrong = {
        "rows of clips that are not there": sorted(indexed.keys() - all_clips),
        "no row of": sorted(rows.keys() - indexed.keys()),
        "more than one row of": sorted(clip for clip, count in indexed.items() if count > 1),
    }
    stale = list(_stale_rows(table, rows))
    told = [f"{what}: {some_of(clips)}" for what, clips in wrong.items() if clips]
    told += [f"rows that differ from clip.json: {some_of(stale)}"] if stale else []
    if told:
        yield name, f"{'; '.join(told)} ({_HINT})"
    for split in SPLITS:
        wanted = set(table.filter(pc.field("split") == split)["clip"].to_pylist())
        if (why := _split_file_failure(dataset.paths.split(split), wanted)) is not None:
            yield f"splits/{split}.parquet", f"{why} ({_HINT})"


def _stale_rows(table: pa.Table, rows: dict[str, dict[str, Any]]) -> Iterator[str]:
    hidden = [column.name for column in STATE]
    for row in table.drop_columns(hidden).to_pylist():
        stated = rows.get(row["clip"])
        if stated is None:
            continue
        changed = [key for key, value in row.items() if value != stated.get(key)]
        if changed:
            yield f"{row['clip']} ({', '.join(changed[:3])})"


def _split_file_failure(path: Path, wanted: set[str]) -> str | None:
    if not path.is_file():
        return "missing" if wanted else None
    try:
        found = set(pq.read_table(path, columns=["clip"])["clip"].to_pylist())
    except (pa.ArrowException, OSError, KeyError):
        return "no readable table"
    return None if found == wanted else "other clips than in index.parquet"
