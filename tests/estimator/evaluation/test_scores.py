"""A predictor's figures against cases whose errors are known, and what the table says of them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from odah.estimator.evaluation.scores import Row, Scores, Table, Truth, table_lines
from odah.estimator.skeleton import ANGLES, Skeleton

SKELETON = Skeleton()


def truth(num_frames: int, rate: float = 20.0) -> Truth:
    angles = torch.linspace(0.0, 0.5, num_frames)[:, None].expand(-1, 36).clone()
    scales = torch.full((22, 3), 0.8)
    return Truth(angles, scales, SKELETON(angles, scales), rate)


def scored(*parts: tuple[torch.Tensor, torch.Tensor, Truth]) -> Row:
    scores = Scores("some")
    for angles, scales, true in parts:
        scores.add(angles, scales, true, SKELETON)
    return scores.row()


def test_a_perfect_prediction() -> None:
    true = truth(4)
    row = scored((true.angles, true.scales[None], true))
    numbers = [value for value in vars(row).values() if isinstance(value, float)]
    assert numbers == pytest.approx([0.0] * 6, abs=2e-3)


def test_one_angle_off_in_one_of_two_clips() -> None:
    first, second = truth(3), truth(1)
    off = first.angles.clone()
    knee = ANGLES.index("knee_angle_l")
    off[:, knee] += np.deg2rad(12.0)
    row = scored((off, first.scales[None], first), (second.angles, second.scales[None], second))
    assert row.by_angle_deg["knee_angle_l"] == pytest.approx(9.0, abs=1e-3)  # frames count, not clips
    assert row.angle_error_deg == pytest.approx(9.0 / 36, abs=1e-4)
    shifted = (SKELETON(off, first.scales) - first.keypoints)[:, :22].norm(dim=-1)
    assert row.mpjpe_mm == pytest.approx(750 * float(shifted.mean()), rel=1e-3)
    assert row.pa_mpjpe_mm > 1  # least squares move the others, too


def test_a_turned_and_larger_person_is_right_after_alignment_only() -> None:
    true = truth(3)
    angles = true.angles.clone()
    angles[:, 0] += 0.7  # the tilt comes first, so all is turned about one axis
    row = scored((angles, 2 * true.scales.expand(3, 22, 3), true))
    assert row.pa_mpjpe_mm == pytest.approx(0, abs=1e-2)
    assert row.velocity_error_mm_s == pytest.approx(0, abs=0.2)
    assert row.mpjpe_mm > 100
    assert row.scale_error_percent == pytest.approx(100, abs=1e-3)


def test_jitter_shows_in_velocities_by_the_rate() -> None:
    rows = []
    for rate in (20.0, 60.0):
        true = truth(5, rate)
        angles = true.angles.clone()
        angles[1::2, ANGLES.index("hip_flexion_r")] += 0.1
        rows.append(scored((angles, true.scales[None], true)))
    assert rows[1].velocity_error_mm_s == pytest.approx(3 * rows[0].velocity_error_mm_s)
    assert rows[1].raw_velocity_error_mm_s == pytest.approx(3 * rows[0].raw_velocity_error_mm_s)
    assert rows[0].raw_velocity_error_mm_s > 20


def table(*rows: Row) -> Table:
    return Table(rows, "test", ("front",), num_clips=1, num_frames=1)


def test_tables(tmp_path: Path) -> None:
    true = truth(1)
    still = scored((true.angles, true.scales[None], true))
    both = table(still, Row("other", 12.346, 1.0, 2.0, 3.0, 4.0, 5.0, dict.fromkeys(ANGLES, 12.345)))
    lines = table_lines(both)
    assert lines[0].split()[:4] == ["MAE", "deg", "PA-MPJPE", "mm"]
    assert lines[2].split() == ["other", "12.35", "1.00", "2.00", "3.0", "5.00"]
    assert len({len(line) for line in lines}) == 1
    told = json.loads(json.dumps(both.to_json(), allow_nan=False))
    assert told["rows"][0]["velocity_error_mm_s"] is None  # of a single frame
    assert told["rows"][1]["by_angle_deg"]["pro_sup_l"] == 12.345
    both.write_csv(tmp_path / "t.csv")
    read = list(csv.DictReader((tmp_path / "t.csv").open()))
    assert [row["name"] for row in read] == ["some", "other"]
    assert float(read[1]["wrist_dev_l"]) == 12.345
    assert len(read[0]) == 7 + 36
