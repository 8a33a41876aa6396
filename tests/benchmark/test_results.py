"""Tables of answers whose errors are known."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from benchmark.known_motions import Biased, Failing, recording

from odah.benchmark.grid import run_grid
from odah.benchmark.results import Results, value
from odah.benchmark.tables import latex, main_rows, markdown, write_tables
from odah.errors import OdahError

SEEN = [
    (recording("walk", "anna", "walking"), ("a", "b")),
    (recording("run", "berta", "running", seed=1), ("a", "b")),
    (recording("jump", "anna", "jumping", seed=2), ("a",)),
]


def refuse(error: OdahError) -> None:
    raise error


@pytest.fixture
def results(tmp_path: Path) -> Results:
    methods = [Biased("biased", 7.2), Biased("short", -3.6, without=("wrist_dev_r",)), Failing()]
    return Results(tuple(run_grid(methods, SEEN, tmp_path, left_out=refuse)), seed=0)


def test_means_are_of_the_columns_that_all_tell(results: Results) -> None:
    assert len(results.common("set", "mae")) == 35
    assert results.untold("set", "short") == ("wrist_dev_r",)
    summary = results.figure("set", "biased", "mae")
    assert summary is not None
    assert value(summary, "mae") == pytest.approx(7.2 / 35)
    whole = results.samples("set", "biased", "mae", only_common=False)
    assert whole is not None
    assert len(np.unique(whole.labels["column"])) == 36
    knee = results.summary(whole.by("column")["knee_angle_l"])
    assert value(knee, "mae") == pytest.approx(7.2)
    assert value(knee, "mae") == pytest.approx(np.rad2deg(knee.median))


def test_the_failed_recording_counts_as_failed_and_in_no_mean(results: Results) -> None:
    summary = results.figure("set", "failing", "mae")
    assert summary is not None
    assert summary.mean == 0
    frames = SEEN[1][0].num_frames * 35
    assert summary.num_failed == frames
    assert summary.undefined == {"no estimate": 35}
    titles, rows = main_rows(results)
    assert [row[titles.index("failed")] for row in rows] == ["0/3", "0/3", "1/3"]
    assert "- set, run, a+b, failing: nobody to be seen" in markdown(results)


def test_files(results: Results, tmp_path: Path) -> None:
    write_tables(results, tmp_path)
    with (tmp_path / "by_action.csv").open() as stream:
        rows = [r for r in csv.DictReader(stream) if r["method"] == "biased" and r["metric"] == "mae"]
    assert {r["group"] for r in rows} == {"walking", "running", "jumping"}
    assert float(rows[0]["value"]) == pytest.approx(7.2 / 35, rel=1e-4)
    with (tmp_path / "by_view.csv").open() as stream:
        assert {r["group"] for r in csv.DictReader(stream)} == {"a+b", "a"}
    with (tmp_path / "cells.csv").open() as stream:
        cells = list(csv.DictReader(stream))
    assert len(cells) == 9
    assert [c["failure"] for c in cells if c["failure"]] == ["nobody to be seen"]


def test_latex_is_escaped(results: Results) -> None:
    text = latex(results)
    assert text.count(r"\\") == 4
    assert text.startswith(r"\begin{tabular}{ll")


def test_positions_and_scales_of_a_true_answer_are_without_error(results: Results) -> None:
    for name in ("pa_mpjpe", "mpjpe", "mae_body", "pa_mpjve"):
        summary = results.figure("set", "biased", name)
        assert summary is not None
        assert value(summary, name) == pytest.approx(0, abs=1e-9)
