"""What a training shows: lines, curves, pictures with the skeletons where they belong."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from estimator.tiny_training import tiny_config, tiny_dataset
from torch.utils.data import default_collate

from odah.estimator.batch import Prediction
from odah.estimator.skeleton import PELVIS, Skeleton
from odah.estimator.training.callbacks import Board, CurvesFile, epoch_line, read_curves, write_curves
from odah.estimator.training.data import Mixture, Runs
from odah.estimator.training.loop import Work
from odah.estimator.training.module import Answer, precise_prepare
from odah.estimator.training.panels import panels, projected
from odah.estimator.training.run_folder import RunFolder
from odah.estimator.training.state import State
from odah.names import OPENSIM_JOINTS

ROW = {
    "stage": "frame", "epoch": 2, "step": 8, "train_total": 1.5, "frames_per_s": 40.2, "waiting": 0.031,
}  # fmt: skip


def test_a_line_an_epoch() -> None:
    assert epoch_line(ROW, 5) == (
        "frame epoch 2/5: train 1.5000, 40 frames/s, 3.1 % of the time waiting for data"
    )
    validated = ROW | {"val_total": 1.25, "val_angle_error_deg": 12.0}
    assert "train 1.5000, val 1.2500, angles 12.00 deg, 40 frames/s" in epoch_line(validated, 5)


def test_curves_of_stages_with_other_columns_are_one_table(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert read_curves(run) == []
    write_curves(run, [ROW, {"stage": "temporal", "epoch": 1, "train_velocity": 0.5}])
    first, second = read_curves(run)
    assert (first["train_total"], first["train_velocity"]) == ("1.5", "")
    assert (second["stage"], second["train_velocity"], second["train_total"]) == ("temporal", "0.5", "")


def test_a_row_that_was_kept_but_not_written_comes_when_the_stage_goes_on(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    work = Work("frame", *[None] * 4, tmp_path, 0)  # type: ignore[arg-type]
    curves = CurvesFile(run)
    curves.began(work, State(), 4)
    assert read_curves(run) == []
    curves.began(work, State(epoch=2, history=[{**ROW, "epoch": 1}, ROW]), 4)
    assert [row["epoch"] for row in read_curves(run)] == ["1", "2"]


def test_steps_before_the_one_that_was_reached_stay_on_the_board(tmp_path: Path, monkeypatch: Any) -> None:
    given: list[int] = []
    monkeypatch.setattr(
        "torch.utils.tensorboard.writer.SummaryWriter", lambda folder, purge_step: given.append(purge_step)
    )
    board = object.__new__(Board)  # without pictures
    board._run = RunFolder(tmp_path)
    board.began(Work("frame", *[None] * 4, tmp_path, 0), State(step=8), 4)  # type: ignore[arg-type]
    assert given == [9]


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Answer:
    """True labels of a dataset, and a prediction far from them."""
    dataset = tiny_dataset(tmp_path_factory.mktemp("panels") / "dataset")
    config = tiny_config(data={"size": 64})
    runs = Mixture([Runs(dataset, config.data, length=1, stride=1)])
    batch = default_collate([runs[place] for place in ((1, 0), (12, 0))])
    prepared = precise_prepare(batch, config, torch.Generator().manual_seed(0), augment=False)
    assert prepared.targets is not None
    targets = prepared.targets
    return Answer(Prediction(targets.angles, targets.scales[:, None], targets.pelvis), targets, prepared)


def test_true_joints_lie_on_the_person(answer: Answer) -> None:
    """The masks of the dataset are the hulls of the projected joints."""
    assert answer.prepared is not None
    joints = answer.targets.keypoints[..., : len(OPENSIM_JOINTS), :] + answer.targets.pelvis[..., None, :]
    pixels = projected(joints, answer.prepared)
    masks = answer.prepared.masks.float().flatten(0, 2)[:, None]
    near = torch.nn.functional.max_pool2d(masks, 7, 1, 3)[:, 0]
    columns, rows = pixels.flatten(0, 2).round().long().clamp(0, 63).unbind(-1)
    assert near[torch.arange(len(near))[:, None], rows, columns].bool().all()
    centre = projected(answer.targets.pelvis[:, :, None], answer.prepared)
    torch.testing.assert_close(centre[..., 0, :], pixels[..., PELVIS, :])


def test_panels_show_both_views_and_both_skeletons(answer: Answer) -> None:
    picture = panels(answer, Skeleton())
    assert picture.shape == (2 * 256, 2 * 256, 3)
    assert picture.dtype == np.uint8
    for color in ((255, 140, 0), (40, 150, 255), (235, 235, 235)):
        for row in (picture[:256], picture[256:]):
            assert (row == color).all(-1).sum() > 20
