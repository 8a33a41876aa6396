"""What `--dry-run` tells, against the dataset that is then made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from odah.cli import app
from odah.cli.dry_run import duration, size
from odah.config import GenerateConfig
from odah.dataset.reader import Dataset
from odah.pipeline.forecast import forecast
from odah.pipeline.generate import GenerateOptions
from odah.pipeline.probe import Cost

COST = Cost(start=10.0, person=5.0, clip=2.0, frame=0.5, clip_bytes=1e4, frame_bytes=2e3)


def test_cost_counts_people_clips_and_frames_and_shares_them_out() -> None:
    assert COST.seconds(people=2, clips=3, frames=100) == 10 + 10 + 6 + 50
    assert COST.seconds(people=2, clips=3, frames=100, slots=2) == 10 + 10 + 28
    assert COST.num_bytes(clips=3, frames=100) == 3e4 + 2e5


@given(st.integers(1, 40), st.integers(1, 10_000), st.integers(1, 64))
def test_more_of_anything_never_takes_less(people: int, clips: int, slots: int) -> None:
    fewer = COST.seconds(people, clips, clips * 10, slots)
    assert fewer <= COST.seconds(people + 1, clips, clips * 10, slots)
    assert fewer <= COST.seconds(people, clips + 1, (clips + 1) * 10, slots)
    assert fewer >= COST.seconds(people, clips, clips * 10, slots + 1)


@pytest.mark.blender
def test_a_forecast_is_near_what_is_made(
    tiny_dataset: Dataset, tiny_config: GenerateConfig, tmp_path: Path
) -> None:
    out = tmp_path / "not_made"
    found = forecast(tiny_config, Path(), out, GenerateOptions())
    assert not out.exists()
    assert (found.clips, found.frames, found.people, found.views, found.finished) == (2, 6, 1, 2, 0)
    assert found.missing == ()
    first = tiny_dataset["subject001_walking"].folder
    made = sum(file.stat().st_size for file in first.iterdir())
    assert found.num_bytes == pytest.approx(2 * made, rel=0.05)
    assert found.seconds is not None
    assert found.seconds > 0


@pytest.mark.blender
def test_finished_clips_cost_nothing(tiny_dataset: Dataset, tiny_config: GenerateConfig) -> None:
    found = forecast(tiny_config, Path(), tiny_dataset.paths.root, GenerateOptions())
    assert (found.clips, found.finished, found.frames, found.missing) == (0, 2, 0, ())


def test_all_that_is_missing_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODAH_BLENDER", str(tmp_path / "no_blender"))
    config = tmp_path / "c.yaml"
    config.write_text("{name: x, motion: {actions: [walking]}, body: no_body.npz}")
    result = CliRunner().invoke(app, ["generate", str(config), "--dry-run", "--json"])
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert told["clips"] == 2
    assert told["seconds"] is None
    assert [any(word in line for line in told["missing"]) for word in ("no_body.npz", "no_blender")] == [
        True
    ] * 2


def test_without_a_folder_only_a_dry_run_goes_on(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("{name: x, motion: {actions: [walking]}}")
    result = CliRunner().invoke(app, ["generate", str(config)])
    assert "--out: found nothing" in str(result.exception)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (4.4, "4 s"),
        (125, "2 min 5 s"),
        (1200, "20 min"),
        (3 * 3600 + 60, "3 h 1 min"),
        (90 * 3600, "3 d 18 h"),
    ],
)
def test_durations_for_eyes(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_sizes_for_eyes() -> None:
    assert [size(n) for n in (900, 2.34e6, 5e9, 1.5e12)] == ["1 kB", "2.3 MB", "5.0 GB", "1.5 TB"]
