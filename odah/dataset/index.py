"""`index.parquet`: a row a finished clip, kept up to date from the clips' own records."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from odah.dataset.index_columns import STATE, Column, index_columns, index_row, index_schema
from odah.dataset.records import read_info, read_record
from odah.dataset.schema import SPLITS, DatasetPaths
from odah.errors import InputError
from odah.files import atomic_path

_ROWS_AT_ONCE = 500
"""Rows held as Python objects before they become columns, which take a tenth of the memory; and rows in a
group of the file, with which its reader's buffers grow."""
_WHOSE = "the index that `odah generate` writes at its end"

FileState = tuple[int, int]
"""Size (bytes) and time of change (ns) of a record: one that is written anew differs in them."""


@dataclass(frozen=True)
class IndexUpdate:
    """num_clips: rows. num_read: records that were new or had changed. damaged: why records of clips that
    have no row cannot be used, a sentence each."""

    num_clips: int
    num_read: int
    damaged: tuple[str, ...]


def update_index(paths: DatasetPaths) -> IndexUpdate:
    """Write `index.parquet` and, a file a split that has clips, `splits/<split>.parquet`.

    Only records that are new or have changed since the last time are read; where there are none, nothing is
    written. A damaged record costs its clip the row, nothing else.

    Raises:
        InputError: `dataset.json` cannot be used.
    """
    columns = index_columns(read_info(paths))
    schema = index_schema(columns)
    there, known = _record_states(paths.clips), _known_states(paths, schema)
    kept = {clip_id for clip_id, state in (known or {}).items() if there.get(clip_id) == state}
    fresh = {clip_id: there[clip_id] for clip_id in sorted(there.keys() - kept)}
    damaged: list[str] = []
    tables = list(_tables(_rows(paths, fresh, columns, damaged), schema))
    if known is None or len(kept) < len(known) or tables:
        old = _read(paths.index) if kept else schema.empty_table()
        table = pa.concat_tables([old, *tables])
        clips = table["clip"].to_pylist()
        rows = [row for row, clip_id in enumerate(clips) if row >= len(old) or clip_id in kept]
        _write(paths, table, sorted(rows, key=clips.__getitem__))
    num_read = len(fresh) - len(damaged)
    return IndexUpdate(len(kept) + num_read, num_read, tuple(damaged))


def read_index(paths: DatasetPaths, names: Sequence[str] | None = None) -> pa.Table:
    """The rows of all clips in name order; `odah.dataset.index_columns` says what is in them.

    names: of the columns to read; None for all.

    Raises:
        InputError: no index, or one that cannot be read or is of another dataset.
    """
    schema = index_schema(index_columns(read_info(paths)))
    if not paths.index.is_file():
        raise InputError(paths.index, "no such file", _WHOSE)
    names = schema.names if names is None else names
    try:
        table = _read(paths.index, names)
    except (pa.ArrowException, OSError):
        raise InputError(paths.index, "no readable table", _WHOSE) from None
    for field in map(schema.field, names):
        if field.name not in table.column_names or table.schema.field(field.name).type != field.type:
            raise InputError(f"{paths.index}: {field.name}", "no such column", f"one of type {field.type}")
    return table


def _read(path: Path, names: Sequence[str] | None = None) -> pa.Table:
    with pq.ParquetFile(path) as file:
        return file.read(names, use_threads=False)  # threads take memory and save no time here


def _known_states(paths: DatasetPaths, schema: pa.Schema) -> dict[str, FileState] | None:
    """By clip, as the index has them; None where the index or a split's file must be made anew."""
    if not paths.index.is_file():
        return None
    try:
        if not pq.read_schema(paths.index).equals(schema):
            return None
        table = _read(paths.index, ["clip", "split", *(column.name for column in STATE)])
    except (pa.ArrowException, OSError):
        return None
    clips, splits, *state = (table[name].to_pylist() for name in table.column_names)
    if not all(paths.split(name).is_file() for name in set(splits)):
        return None
    return dict(zip(clips, zip(*state, strict=True), strict=True))


def _record_states(clips: Path) -> dict[str, FileState]:
    """By clip; unfinished ones start with a dot and are left out."""
    states: dict[str, FileState] = {}
    folders = os.scandir(clips) if clips.is_dir() else []
    for folder in folders:
        if folder.name.startswith("."):
            continue
        try:
            found = Path(folder.path, "clip.json").stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        states[folder.name] = (found.st_size, found.st_mtime_ns)
    return states


def _rows(
    paths: DatasetPaths, states: Mapping[str, FileState], columns: Sequence[Column], damaged: list[str]
) -> Iterator[dict[str, Any]]:
    """Of those clips whose records can be used; why the others cannot is appended to `damaged`."""
    for clip_id, (size, time) in states.items():
        path = paths.clip(clip_id) / "clip.json"
        try:
            row = index_row(read_record(path), path, columns)
        except InputError as error:
            damaged.append(str(error))
        else:
            yield row | {"record_size": size, "record_mtime_ns": time}


def _tables(rows: Iterator[dict[str, Any]], schema: pa.Schema) -> Iterator[pa.Table]:
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        yield pa.Table.from_pylist(batch, schema)


def _write(paths: DatasetPaths, table: pa.Table, rows: Sequence[int]) -> None:
    """Those rows, in their order; the index last, since what is in it counts as written everywhere."""
    public = table.drop_columns([column.name for column in STATE])
    splits = table["split"].to_pylist()
    for split in SPLITS:
        chosen = [row for row in rows if splits[row] == split]
        if chosen:
            _write_rows(public, chosen, paths.split(split))
        else:
            paths.split(split).unlink(missing_ok=True)
    _write_rows(table, rows, paths.index)


def _write_rows(table: pa.Table, rows: Sequence[int], path: Path) -> None:
    """Some at a time, so that no second copy of the table is held."""
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, table.schema) as writer:
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            writer.write_table(table.take(pa.array(rows[start : start + _ROWS_AT_ONCE])))
