"""The results as Markdown, LaTeX and CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from odah.benchmark.grid import Cell
from odah.benchmark.judge import METRICS
from odah.benchmark.metrics.bootstrap import Interval
from odah.benchmark.metrics.statistics import Summary
from odah.benchmark.results import GROUPS, Results, value

_HEADERS = ("dataset", "method")
_SHOWN = ("mae", "pa_mpjpe", "mpjpe", "pa_mpjve", "mae_body", "rho")
"""Of the metrics, those in the main table; all are in the CSV files."""


def main_rows(results: Results) -> tuple[list[str], list[list[str]]]:
    """Titles and rows of the main table: a mean with its 95 % interval over subjects where there are several;
    failed: recordings without an answer of all; s/frame: run time."""
    titles = [*_HEADERS, *(METRICS[name].title for name in _SHOWN), "failed", "s/frame"]
    rows = []
    for dataset in results.datasets:
        for method in results.methods:
            cells = results.of(dataset, method)
            if not cells:
                continue
            figures = [_figure(results.figure(dataset, method, name), name) for name in _SHOWN]
            failed = sum(cell.motion is None for cell in cells)
            seconds = sum(float(cell.record["seconds"]) for cell in cells)
            frames = sum(cell.recording.num_frames for cell in cells)
            rows.append([dataset, method, *figures, f"{failed}/{len(cells)}", f"{seconds / frames:.3f}"])
    return titles, rows


def markdown(results: Results) -> str:
    """The main table, what its columns are of, and what failed."""
    titles, rows = main_rows(results)
    lines = [_row(titles), _row(["---"] * len(titles)), *map(_row, rows), ""]
    for dataset in results.datasets:
        angles = results.common(dataset, "mae")
        lines.append(f"{dataset}: angles that all methods tell, {len(angles)}: {', '.join(angles)}.")
        for method in results.methods:
            untold = results.untold(dataset, method)
            if untold:
                lines.append(f"{dataset}, {method}: does not tell {', '.join(untold)}.")
    failures = [f"- {_place(cell)}: {cell.failure}" for cell in results.cells if cell.failure]
    if failures:
        lines += [
            "",
            "Failed, and counted in the column of that name; the means are of the others:",
            *failures,
        ]
    return "\n".join(lines) + "\n"


def latex(results: Results) -> str:
    """The main table for a paper (booktabs)."""
    titles, rows = main_rows(results)
    body = [" & ".join(map(_escaped, row)) + r" \\" for row in rows]
    head = " & ".join(map(_escaped, titles)) + r" \\"
    layout = "ll" + "r" * (len(titles) - 2)
    lines = [rf"\begin{{tabular}}{{{layout}}}", r"\toprule", head, r"\midrule", *body, r"\bottomrule"]
    return "\n".join([*lines, r"\end{tabular}"]) + "\n"


def write_tables(results: Results, folder: Path) -> None:
    """table.md, table.tex, table.csv (all metrics), by_<group>.csv and cells.csv."""
    (folder / "table.md").write_text(markdown(results), encoding="utf-8")
    (folder / "table.tex").write_text(latex(results), encoding="utf-8")
    _write_csv(folder / "table.csv", _TITLES, _summaries(results, None))
    for group in GROUPS:
        _write_csv(folder / f"by_{group}.csv", _TITLES, _summaries(results, group))
    _write_csv(folder / "cells.csv", _CELL_TITLES, _cell_rows(results))


_TITLES = (
    "dataset", "method", "metric", "unit", "group", "value", "low95", "high95", "median", "q1", "q3",
    "subjects", "samples", "frames", "failed_frames",
)  # fmt: skip
_CELL_TITLES = (
    "dataset",
    "recording",
    "subject",
    "action",
    "views",
    "method",
    "frames",
    "seconds",
    "failure",
)


def _summaries(results: Results, group: str | None) -> Iterable[list[object]]:
    """Where columns are told apart, of all that a method tells; else of those that all methods tell."""
    for dataset in results.datasets:
        for method in results.methods:
            for name, metric in METRICS.items():
                samples = results.samples(dataset, method, name, only_common=group != "column")
                if samples is None:
                    continue
                parts = {"all": samples} if group is None else samples.by(group)
                unit = metric.title.rpartition(", ")[2] if ", " in metric.title else ""
                for part, its in parts.items():
                    summary = results.summary(its)
                    numbers = [value(summary, name), *_spread(summary, name)]
                    counts = [
                        summary.num_subjects,
                        summary.num_samples,
                        summary.num_frames,
                        summary.num_failed,
                    ]
                    told = ["" if not np.isfinite(n) else f"{n:.6g}" for n in numbers]
                    yield [dataset, method, name, unit, part, *told, *counts]


def _interval(summary: Summary, metric: str) -> Interval:
    return summary.rms_interval if METRICS[metric].figure == "rms" else summary.mean_interval


def _spread(summary: Summary, metric: str) -> list[float]:
    interval, factor = _interval(summary, metric), METRICS[metric].factor
    return [factor * n for n in (interval.low, interval.high, summary.median, summary.q1, summary.q3)]


def _cell_rows(results: Results) -> Iterable[list[object]]:
    for cell in results.cells:
        recording = cell.recording
        yield [
            recording.dataset, recording.name, recording.subject, recording.action, "+".join(cell.views),
            cell.method, recording.num_frames, cell.record["seconds"], cell.failure or "",
        ]  # fmt: skip


def _figure(summary: Summary | None, metric: str) -> str:
    if summary is None or not summary.num_samples:
        return "-"
    figure = value(summary, metric)
    digits = 2 if METRICS[metric].factor < 100 else 1
    interval = _interval(summary, metric)
    told = f"{figure:.{digits}f}"
    if not np.isfinite(interval.low):
        return told
    low, high = (METRICS[metric].factor * end for end in (interval.low, interval.high))
    return f"{told} [{low:.{digits}f}, {high:.{digits}f}]"


def _place(cell: Cell) -> str:
    return ", ".join((cell.recording.dataset, cell.recording.name, "+".join(cell.views), cell.method))


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "&%$#_{}" else c for c in text)


def _write_csv(path: Path, titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(titles)
        writer.writerows(rows)
