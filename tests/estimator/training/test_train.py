"""Both stages train in one call; what was stopped goes on exactly; mistakes and broken losses are told."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from estimator.tiny_training import run, tiny_config, tiny_dataset

from odah.cli import main
from odah.dataset.packed import pack
from odah.dataset.squares import CropSettings
from odah.errors import InputError, OdahError
from odah.estimator.checkpoint import load_checkpoint
from odah.estimator.config import TrainConfig
from odah.estimator.config_file import write_train_config
from odah.estimator.training.callbacks import Lines, read_curves
from odah.estimator.training.loop import Work
from odah.estimator.training.module import FrameStage, TemporalStage
from odah.estimator.training.run_folder import RunFolder
from odah.estimator.training.state import State
from odah.stopping import Stopped


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packed, for it is read often."""
    made = tiny_dataset(tmp_path_factory.mktemp("training") / "dataset")
    assert not pack(made, settings=CropSettings(tiny_config().data.size), jobs=1).failures
    return made.paths.root


@pytest.fixture(scope="module")
def whole(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing stopped."""
    out = tmp_path_factory.mktemp("whole") / "run"
    run(tiny_config(), dataset, out)
    return out


def weights(file: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(file).network.state_dict()


def assert_same(file: Path, other: Path) -> None:
    own, others = weights(file), weights(other)
    assert own.keys() == others.keys()
    assert [name for name in own if not torch.equal(own[name], others[name])] == []


class Stop(Exception):
    """As if the process was killed: nothing is told and nothing kept."""


def run_until(config: TrainConfig, dataset: Path, out: Path, stage: str, epoch: int, batch: int) -> None:
    """Train until so many batches of an epoch are done."""

    def batch_done(self: Lines, work: Work, state: State, frames_per_s: float) -> None:
        if (work.name, state.epoch, state.batch) == (stage, epoch, batch):
            raise Stop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lines, "batch_done", batch_done)
        with pytest.raises(Stop):
            run(config, dataset, out, keep_every=0.0)


def test_both_stages_leave_a_network_curves_and_facts(whole: Path, dataset: Path) -> None:
    model, frame = load_checkpoint(whole / "model.pt"), load_checkpoint(whole / "frame" / "model.pt")
    assert model.config == tiny_config()
    assert frame.config.network.temporal is None
    assert model.facts["datasets"][0]["clips"] == {"train": 2, "val": 1}
    assert model.facts["metrics"].keys() == {"frame", "temporal"}
    rows = read_curves(RunFolder(whole))
    assert [(row["stage"], row["epoch"]) for row in rows] == [
        ("frame", "1"), ("frame", "2"), ("temporal", "1"), ("temporal", "2"),
    ]  # fmt: skip
    assert all(float(row["val_angle_error_deg"]) > 0 and 0 <= float(row["waiting"]) <= 1 for row in rows)
    assert [path.name.split(".")[0] for path in (whole / "tensorboard").rglob("events*")] == ["events"] * 2


def test_the_second_stage_leaves_the_pictures_network_as_it_is(whole: Path) -> None:
    frame, model = weights(whole / "frame" / "model.pt"), weights(whole / "model.pt")
    assert frame.keys() < model.keys()
    assert all(torch.equal(frame[name], model[name]) for name in frame)
    temporal = TemporalStage(load_checkpoint(whole / "model.pt").network, tiny_config())
    learning = {name for name, p in temporal.network.named_parameters() if p.requires_grad}
    assert learning
    assert not learning & frame.keys()
    assert not temporal.train().network.hourglass.training


@pytest.mark.parametrize(("stage", "epoch", "batch"), [("frame", 1, 3), ("temporal", 0, 1)])
def test_what_was_stopped_within_an_epoch_goes_on_exactly(
    whole: Path,
    dataset: Path,
    tmp_path: Path,
    stage: str,
    epoch: int,
    batch: int,
) -> None:
    run_until(tiny_config(), dataset, tmp_path / "run", stage, epoch, batch)
    kept = (
        torch.load(tmp_path / "run" / stage / "last.ckpt", weights_only=True)["state"] if batch > 1 else None
    )
    assert kept is None or (kept["epoch"], kept["batch"]) == (epoch, batch - 1)
    run(tiny_config(workers=1), dataset, tmp_path / "run")
    assert_same(tmp_path / "run" / "model.pt", whole / "model.pt")
    shown = [
        [
            {k: v for k, v in row.items() if k not in ("frames_per_s", "waiting")}
            for row in read_curves(RunFolder(out))
        ]
        for out in (tmp_path / "run", whole)
    ]
    assert shown[0] == shown[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order_and_it_goes_on_exactly(
    whole: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    def batch_done(self: Lines, work: Work, state: State, frames_per_s: float) -> None:
        if (work.name, state.epoch, state.batch) == ("frame", 1, 2):
            os.kill(os.getpid(), number)

    told: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(Lines, "batch_done", batch_done)
        with pytest.raises(Stopped) as caught:
            run(tiny_config(), dataset, tmp_path / "run", told)
    assert caught.value.code == 128 + number
    assert told[-1].startswith("stopped; the same command goes on")
    assert not (tmp_path / "run" / "model.pt").exists()
    run(tiny_config(), dataset, tmp_path / "run")
    assert_same(tmp_path / "run" / "model.pt", whole / "model.pt")


def test_accumulated_batches_and_kept_features_go_on_exactly(dataset: Path, tmp_path: Path) -> None:
    config = tiny_config(
        frame={"accumulate": 2, "batch": 2, "epochs": 1}, temporal={"feature_draws": 2, "epochs": 1}
    )
    run(config, dataset, tmp_path / "whole")
    out = tmp_path / "run"
    for stage, batch in (("frame", 5), ("temporal", 2)):
        run_until(config, dataset, out, stage, 0, batch)
    features = {path: path.stat().st_mtime_ns for path in (out / "temporal").glob("features_*.pt")}
    assert len(features) == 3
    run(config, dataset, out)
    assert {path: path.stat().st_mtime_ns for path in features} == features
    assert_same(out / "model.pt", tmp_path / "whole" / "model.pt")


def test_a_finished_run_stays_as_it_is(whole: Path, dataset: Path) -> None:
    before = (whole / "model.pt").stat().st_mtime_ns
    assert run(tiny_config(), dataset, whole) == whole / "model.pt"
    assert (whole / "model.pt").stat().st_mtime_ns == before


def test_steps_are_limited_in_each_stage(dataset: Path, tmp_path: Path) -> None:
    config = tiny_config(network={"temporal": None})
    run(config, dataset, tmp_path / "run", max_steps=1)
    assert [row["step"] for row in read_curves(RunFolder(tmp_path / "run"))] == ["1"]
    assert load_checkpoint(tmp_path / "run" / "model.pt").network.temporal is None
    with pytest.raises(InputError, match="max_steps: found None, expected 1"):
        run(config, dataset, tmp_path / "run")


def test_it_ends_early_when_nothing_gets_better(dataset: Path, tmp_path: Path) -> None:
    config = tiny_config(
        network={"temporal": None},
        frame={"epochs": 6, "patience": 1, "learning_rate": 1e-12, "schedule": "constant"},
    )
    run(config, dataset, tmp_path / "run")
    rows = read_curves(RunFolder(tmp_path / "run"))
    losses = [float(row["val_total"]) for row in rows]
    best = losses.index(min(losses))
    assert len(rows) == best + 2 < 6


def test_a_loss_that_is_not_finite_stops_it_and_names_the_batch(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_config(network={"temporal": None})
    calls: list[int] = []
    own = FrameStage.losses

    def broken(self: FrameStage, answer: Any) -> dict[str, torch.Tensor]:
        calls.append(0)
        found = own(self, answer)
        return {**found, "total": found["total"] * torch.nan} if self.training and len(calls) > 6 else found

    with monkeypatch.context() as patch:
        patch.setattr(FrameStage, "losses", broken)
        with pytest.raises(
            OdahError, match=r"stage frame, epoch 2, batch 3: .* in the batch: (ann_a|bob_b) from"
        ):
            run(config, dataset, tmp_path / "run", keep_every=0.0)
    kept = torch.load(tmp_path / "run" / "frame" / "last.ckpt", weights_only=True)
    assert (kept["state"]["epoch"], kept["state"]["batch"]) == (1, 2)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in kept["weights"].values())
    run(config, dataset, tmp_path / "run")  # the cause is gone: it goes on


def test_the_broken_one_of_accumulated_batches_is_named(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_config(network={"temporal": None}, frame={"accumulate": 3, "batch": 2})
    calls: list[int] = []
    own = FrameStage.losses

    def broken(self: FrameStage, answer: Any) -> dict[str, torch.Tensor]:
        calls.append(0)
        found = own(self, answer)
        return {**found, "total": found["total"] * torch.nan} if len(calls) == 2 else found

    monkeypatch.setattr(FrameStage, "losses", broken)
    with pytest.raises(OdahError, match="stage frame, epoch 1, batch 2: "):
        run(config, dataset, tmp_path / "run")


def test_a_validation_loss_that_is_not_finite_stops_it(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_config(network={"temporal": None})
    own = FrameStage.losses

    def broken(self: FrameStage, answer: Any) -> dict[str, torch.Tensor]:
        found = own(self, answer)
        return found if self.training else {**found, "total": found["total"] * torch.nan}

    monkeypatch.setattr(FrameStage, "losses", broken)
    with pytest.raises(OdahError, match="stage frame, epoch 1: the validation loss is not a finite number"):
        run(config, dataset, tmp_path / "run")
    assert not (tmp_path / "run" / "model.pt").exists()


def test_a_damaged_state_is_told(dataset: Path, tmp_path: Path) -> None:
    run_until(tiny_config(), dataset, tmp_path / "run", "frame", 0, 2)
    (tmp_path / "run" / "frame" / "last.ckpt").write_bytes(b"PK damaged")
    with pytest.raises(InputError, match=r"frame/last.ckpt: found damaged data.*--restart"):
        run(tiny_config(), dataset, tmp_path / "run")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("none.yaml", "--data", "DATA", "--out", "run"), ("none.yaml: found no such file",)),
        (("wrong.yaml", "--data", "DATA", "--out", "run"), ("wrong.yaml: frmae: found an unknown key",)),
        (("tiny.yaml", "--data", "none", "--out", "run"), ("none: found no such folder",)),
        (("tiny.yaml", "--data", "DATA", "--out", "tiny.yaml"), ("tiny.yaml: found a file",)),
        (("tiny.yaml", "--data", "DATA", "--out", "run", "--device", "tpu"), ("--device: found 'tpu'",)),
        (("tiny.yaml", "--data", "DATA", "--out", "run", "--max-steps", "0"), ("max-steps",)),
        (("tiny.yaml", "--out", "run"), ("--data",)),
    ],
)
def test_wrong_use_is_one_sentence_and_leaves_nothing(
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_train_config("tiny.yaml", tiny_config())
    Path("wrong.yaml").write_text("name: x\nfrmae: {}\n")
    given = [str(dataset) if word == "DATA" else word for word in arguments]
    monkeypatch.setattr(sys, "argv", ["odah", "train", *given])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    for word in words:
        assert word in told.err
    assert not Path("run").exists()


def test_a_gpu_that_is_not_there_is_told(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from odah.estimator.training.train import TrainOptions, train

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="--device: found gpu, but torch finds none"):
        train(tiny_config(), [dataset], tmp_path / "run", TrainOptions(device="gpu"))
