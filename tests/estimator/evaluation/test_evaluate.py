"""A network whose answers are known gets the errors it must; mistakes are told in one sentence."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dataset.synthetic import Synthetic
from torch import Tensor, nn

from odah.cli import main
from odah.dataset.reader import Dataset, open_dataset
from odah.errors import InputError
from odah.estimator.batch import FrameFeatures, Pictures, Prediction
from odah.estimator.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from odah.estimator.config import (
    DataConfig,
    FlattenEncoderConfig,
    HourglassConfig,
    NetworkConfig,
    TemporalConfig,
    TrainConfig,
)
from odah.estimator.evaluation.evaluate import evaluate, most_central
from odah.estimator.network.two_view import TwoViewNetwork
from odah.estimator.predict.trust import trust
from odah.estimator.skeleton import ANGLE_PLACES, Skeleton
from odah.names import OPENSIM_COORDINATES

DATA = DataConfig(size=64, points=8, length=8, reference="ground")
SPLITS = {"subject001_a": "train", "subject002_b": "test", "subject003_c": "test"}
POSE = torch.linspace(-0.5, 0.9, 39)
OFF = 0.1
"""rad; error of the fake network's frames, with another sign in every other one."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Everybody holds one pose, all are of generic size."""
    folder = tmp_path_factory.mktemp("d") / "d"
    made = Synthetic({"subject001_a": 3, "subject002_b": 13, "subject003_c": 5}, splits=SPLITS).write(folder)
    points = Skeleton()(POSE[ANGLE_PLACES], torch.ones(22, 3)).numpy()
    for clip in made:
        count = clip.num_frames
        arrays = dict(np.load(clip.folder / "labels.npz"))
        arrays["coordinates"] = np.tile(POSE.numpy(), (count, 1))
        arrays["joints"], arrays["body_coms"] = (
            np.tile(points[:22], (count, 1, 1)),
            np.tile(points[22:], (count, 1, 1)),
        )
        arrays["scale_factors"] = np.ones((22, 3), np.float32)
        np.savez(clip.folder / "labels.npz", **arrays)
    return open_dataset(folder)


class Known(TwoViewNetwork):
    """Tells the pose; for single frames with errors. temporal: whether it has such a part."""

    def __init__(self, temporal: bool) -> None:
        nn.Module.__init__(self)
        self.temporal = nn.Identity() if temporal else None
        self.seen: list[Tensor] = []

    def features(self, pictures: Pictures) -> FrameFeatures:
        self.seen.append(pictures.is_view)
        return FrameFeatures(torch.zeros(*pictures.points.shape[:2], 102))

    def frame_prediction(self, features: FrameFeatures) -> Prediction:
        count = features.vectors.shape[1]
        signs = OFF * (-1.0) ** torch.arange(count)
        return Prediction(
            POSE[ANGLE_PLACES] + signs[None, :, None].expand(1, count, 36), torch.full((1, count, 22, 3), 1.1)
        )

    def sequence_prediction(self, features: FrameFeatures, is_frame: Tensor) -> Prediction:
        angles = POSE[ANGLE_PLACES].expand(*is_frame.shape, 36).clone()
        angles[~is_frame] = torch.nan  # what fills up must not count
        return Prediction(angles, torch.ones(1, 1, 22, 3))


def known(temporal: bool = True, **facts: Any) -> Checkpoint:
    return Checkpoint(Known(temporal), TrainConfig(name="known", data=DATA), facts)  # type: ignore[arg-type]


def test_known_answers_get_the_errors_they_must(dataset: Dataset) -> None:
    table = evaluate(known(), dataset)
    assert [row.name for row in table.rows] == ["network", "frame only", "mean pose"]
    network, alone, still = table.rows
    assert network.angle_error_deg == pytest.approx(0, abs=1e-3)
    assert network.mpjpe_mm == pytest.approx(0, abs=1e-2)
    assert network.scale_error_percent == pytest.approx(0, abs=1e-4)
    assert alone.by_angle_deg["knee_angle_r"] == pytest.approx(np.rad2deg(OFF), rel=1e-4)
    assert alone.by_angle_deg["pelvis_tilt"] == pytest.approx(np.rad2deg(OFF), rel=1e-4)
    assert alone.scale_error_percent == pytest.approx(10, rel=1e-4)
    assert alone.velocity_error_mm_s > 100
    assert still.angle_error_deg == pytest.approx(0, abs=1e-3)
    assert (table.num_clips, table.num_frames, table.views, table.notes) == (2, 18, ("front", "side"), ())


def test_without_a_temporal_part_there_are_frames_only(dataset: Dataset) -> None:
    rows = evaluate(known(temporal=False), dataset).rows
    assert [row.name for row in rows] == ["network", "mean pose"]
    assert rows[0].by_angle_deg["knee_angle_r"] == pytest.approx(np.rad2deg(OFF), rel=1e-4)


def test_one_view_withholds_the_second(dataset: Dataset) -> None:
    checkpoint = known()
    assert evaluate(checkpoint, dataset, views=["side"]).views == ("side",)
    seen: list[Tensor] = checkpoint.network.seen  # type: ignore[assignment]
    assert all(is_view.tolist() == [[True, False]] for is_view in seen)


def test_a_dataset_without_training_clips_has_no_mean_pose(dataset: Dataset) -> None:
    table = evaluate(known(), dataset.split("test"))
    assert [row.name for row in table.rows] == ["network", "frame only"]
    assert "no mean pose" in table.notes[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"split": "val"}, "no clips in the split val, expected some; there are in train and test"),
        ({"split": "exam"}, "'exam'"),
        ({"views": ["top"]}, "--views: found 'top', expected some of front, side"),
        ({"views": ["front", "front"]}, "two different ones"),
        ({"views": []}, "--views"),
    ],
)
def test_mistakes(dataset: Dataset, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        evaluate(known(), dataset, **arguments)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["pelvis_tilt", "elbow"], "found 'elbow', expected the network's 39"),
        (OPENSIM_COORDINATES[::-1], "39 in another order"),
        (OPENSIM_COORDINATES[:30], "found 30"),
    ],
)
def test_a_dataset_of_another_model(dataset: Dataset, names: list[str], words: str) -> None:
    other = Dataset(dataset.paths, {**dataset.info, "coordinate_names": list(names)})
    with pytest.raises(InputError, match=words):
        evaluate(known(coordinates=list(OPENSIM_COORDINATES)), other)


def test_every_frame_is_taken_from_the_window_it_is_in_the_middle_of() -> None:
    window, place = most_central([0, 4, 7], 15, 8)
    assert window.tolist() == [0] * 6 + [1] * 4 + [2] * 5
    assert place.tolist() == [0, 1, 2, 3, 4, 5, 2, 3, 4, 5, 3, 4, 5, 6, 7]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of a real network of the smallest kind."""
    config = TrainConfig(
        name="least",
        data=DATA.model_copy(update={"reference": "camera"}),
        network=NetworkConfig(
            hourglass=HourglassConfig(stacks=1, depth=1, channels=8, head_channels=4, stem_stride=4),
            encoder=FlattenEncoderConfig(point_widths=(8,), frame_widths=(8,)),
            temporal=TemporalConfig(channels=(2, 4), heads=(1, 1), blocks=(1, 1), factors=(2,)),
        ),
    )
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("run") / "model.pt"
    save_checkpoint(path, TwoViewNetwork(config.network, config.data), config, {})
    return path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run `odah evaluate`; returns (exit code, standard output, standard error)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["odah", "evaluate", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        output = capsys.readouterr()
        return int(left.value.code or 0), output.out, output.err

    return call


def test_command(run, trained: Path, dataset: Dataset, tmp_path: Path) -> None:
    root, out = dataset.paths.root, tmp_path / "angles.csv"
    code, printed, _ = run(trained, "--data", root, "--out", out, "--json")
    told = json.loads(printed)
    assert code == 0
    assert [row["name"] for row in told["rows"]] == ["network", "frame only", "mean pose"]
    assert told["rows"][0]["mpjpe_mm"] > 10
    read = list(csv.DictReader(out.open()))
    assert float(read[0]["mpjpe_mm"]) == pytest.approx(told["rows"][0]["mpjpe_mm"], abs=1e-3)
    assert json.loads(run(trained, "--data", root, "--json")[1]) == told  # the same seed
    code, _, shown = run(trained, "--data", root, "--views", "side,front")
    assert code == 0
    assert "PA-MPJPE" in shown
    assert "seen by side and front" in shown


def test_the_result_is_kept_in_the_networks_file(
    run, trained: Path, dataset: Dataset, tmp_path: Path
) -> None:
    own = tmp_path / "own.pt"
    own.write_bytes(trained.read_bytes())
    code, printed, _ = run(own, "--data", dataset.paths.root, "--keep", "--json")
    assert code == 0
    told, test = json.loads(printed), load_checkpoint(own).facts["test"]
    assert [test[name] for name in ("network", "frame_only", "mean_pose")] == told["rows"]
    assert (test["split"], test["num_clips"], test["num_frames"]) == ("test", 2, 18)
    assert (test["dataset"], test["views"]) == (dataset.info["name"], ["front", "side"])
    assert f"{test['network']['angle_error_deg']:.1f} degrees off" in trust({"test": test}, None)
    before = own.read_bytes()
    code, _, shown = run(own, "--data", dataset.paths.root, "--keep", "--split", "train")
    assert code == 2
    assert "--keep: found the split train" in shown
    assert own.read_bytes() == before


def test_command_mistakes(run, trained: Path, dataset: Dataset, tmp_path: Path) -> None:
    root = dataset.paths.root
    for arguments, words in (
        ((tmp_path / "none.pt", "--data", root), "none.pt: found no such file"),
        ((trained, "--data", tmp_path / "none"), "no such folder"),
        ((trained, "--data", root, "--split", "val"), "no clips in the split val"),
        ((trained, "--data", root, "--out", tmp_path), "expected a CSV file"),
    ):
        code, _, shown = run(*arguments)
        assert code == 2
        assert words in shown
        assert shown.count("\n") == 1
