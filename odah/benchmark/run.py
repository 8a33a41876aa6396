"""A benchmark, whole: the grid's cells, then tables and plots of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odah.benchmark.config import BenchmarkConfig
from odah.benchmark.grid import Cell, machine, run_grid, versions
from odah.benchmark.open import open_methods, open_recordings
from odah.benchmark.plots import write_plots
from odah.benchmark.results import Results
from odah.benchmark.tables import write_tables
from odah.errors import OdahError
from odah.files import check_output_folder, staged_files

_CELLS = "cells"
_TRUTH = "truth"


@dataclass(frozen=True, eq=False)
class Benchmarked:
    """What came out. notes: what has to be said of the datasets, a sentence each."""

    results: Results
    notes: tuple[str, ...]
    out: Path

    @property
    def num_new(self) -> int:
        """Cells that were computed now."""
        return sum(cell.is_new for cell in self.results.cells)


def benchmark(
    config: BenchmarkConfig,
    out: Path,
    folders: Mapping[str, Path] | None = None,
    *,
    strict: bool = False,
    tell: Callable[[int, int], None] | None = None,
) -> Benchmarked:
    """Run what is not known yet, and write tables, plots and benchmark.json to `out`.

    folders: of datasets by their names, instead of the config's. strict: refuse datasets that lack
    something. tell: done and all cells.

    Raises:
        InputError: see `open_recordings` and `open_methods`; a place that cannot be written.
    """
    check_output_folder(out)
    methods = open_methods(config, folders or {})
    recordings, notes = open_recordings(config, folders or {}, out / _TRUTH, strict=strict)

    def left_out(error: OdahError) -> None:
        if strict:
            raise error
        notes.append(f"left out: {error}")

    cells = run_grid(methods, recordings, out / _CELLS, tell, left_out=left_out)
    notes += dict.fromkeys(f"{cell.method}: {note}" for cell in cells for note in cell.record["notes"])
    results = Results(tuple(cells), config.seed, frozenset(config.without_coordinates))
    with staged_files(out) as folder:
        write_tables(results, folder)
        write_plots(results, folder)
        told = _record(config, folders or {}, strict, cells, notes)
        (folder / "benchmark.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return Benchmarked(results, tuple(notes), out)


def _record(
    config: BenchmarkConfig, folders: Mapping[str, Path], strict: bool, cells: list[Cell], notes: list[str]
) -> dict[str, Any]:
    """What a table's reader needs to get it again; each cell's own record tells what it was computed with."""
    return {
        "versions": versions(),
        "machine": machine(),
        "config": config.model_dump(mode="json"),
        "folders": {name: str(folder) for name, folder in folders.items()},
        "strict": strict,
        "methods": {cell.method: cell.record["method"] for cell in cells},
        "recordings": len({(cell.recording.dataset, cell.recording.name, cell.views) for cell in cells}),
        "notes": notes,
    }
