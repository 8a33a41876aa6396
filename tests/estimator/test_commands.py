"""Mistakes with `train`, `evaluate` and `predict` as users make them: a sentence, status 2, nothing left."""

import json
from pathlib import Path

import pytest
import torch
from estimator.tiny_training import tiny_config, tiny_dataset
from filmed_person import Filmed, film

from odah.estimator.checkpoint import save_checkpoint
from odah.estimator.config_file import write_train_config
from odah.estimator.network.two_view import TwoViewNetwork

CONFIG = tiny_config()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """data: a dataset. empty: the same without its clips. model.pt: an untrained network. tiny.yaml. taken: a
    file. foreign: a folder with somebody's own."""
    root = tmp_path_factory.mktemp("made")
    tiny_dataset(root / "data")
    info = json.loads((root / "data" / "dataset.json").read_text())
    (root / "empty" / "clips").mkdir(parents=True)
    (root / "empty" / "dataset.json").write_text(json.dumps(info))
    save_checkpoint(root / "model.pt", TwoViewNetwork(CONFIG.network, CONFIG.data), CONFIG, {})
    write_train_config(root / "tiny.yaml", CONFIG)
    (root / "taken").write_text("mine")
    (root / "foreign").mkdir()
    (root / "foreign" / "thesis.tex").write_text("mine")
    return root


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Filmed:
    return film(tmp_path_factory.mktemp("filmed") / "trial")


def put(words: tuple[str, ...], places: dict[str, Path]) -> list[str]:
    """The words, with places for their names in braces."""
    return [word.format(**places) for word in words]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("{tiny}", "--data", "none", "--out", "run"), "none: found no such folder, expected a dataset"),
        (("{tiny}", "--data", "{empty}", "--out", "run"), "empty: found no"),
        (("{tiny}", "--data", "{tiny}", "--out", "run"), "tiny.yaml: found no such folder"),
        (("none.yaml", "--data", "{data}", "--out", "run"), "none.yaml: found no such file"),
        (("{model}", "--data", "{data}", "--out", "run"), "model.pt"),
        (("{tiny}", "--data", "{data}", "--out", "{taken}"), "taken: found a file, expected a folder"),
        (("{tiny}", "--data", "{data}", "--out", "{foreign}"), "foreign: found a folder with other things"),
        (("{tiny}", "--data", "{data}", "--out", "run", "--device", "gpu"), "--device: found gpu, but torch"),
        (("{tiny}", "--data", "{data}", "--out", "run", "--device", "tpu"), "--device: found 'tpu'"),
    ],
)
def test_train(fails, made: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert said in fails("train", *put(words, places(made)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: x\nfrmae: {}\n", "frmae: found an unknown key"),
        ("name: x\nframe: {epochs: many}\n", "frame.epochs"),
        ("name: x\nframe: {epochs: 0}\n", "frame.epochs"),
        ("name: x\ndata: {size: 100}\n", "data.size"),
        ("name: x\nnetwork: {encoder: {kind: magic}}\n", "network.encoder"),
        ("name: [\n", "expected valid YAML"),
        ("", "wrong.yaml"),
    ],
)
def test_wrong_training_configs(fails, made: Path, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "wrong.yaml").write_text(text)
    sentence = fails("train", "wrong.yaml", "--data", made / "data", "--out", "run")
    assert said in sentence
    assert "wrong.yaml" in sentence


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("none.pt", "--data", "{data}"), "none.pt: found no such file, expected a network"),
        (("compakt", "--data", "{data}"), "compakt: found no such file, expected a network"),
        (("{tiny}", "--data", "{data}"), "tiny.yaml: found damaged or foreign data"),
        (("{data}", "--data", "{data}"), "data"),
        (("{model}", "--data", "none"), "none: found no such folder, expected a dataset"),
        (("{model}", "--data", "{empty}"), "empty: found no"),
        (("{model}", "--data", "{data}", "--split", "test"), "no clips in the split test"),
        (("{model}", "--data", "{data}", "--split", "tset"), "'tset'"),
        (("{model}", "--data", "{data}", "--split", "val", "--views", "front,back"), "--views: found 'back'"),
        (("{model}", "--data", "{data}", "--split", "val", "--out", "{foreign}"), "foreign: found a folder"),
        (("{model}", "--data", "{data}", "--split", "val", "--device", "tpu"), "--device: found 'tpu'"),
        (
            ("{model}", "--data", "{data}", "--split", "val", "--out", "{taken}/t.csv"),
            "taken: found a file, expected a folder",
        ),
    ],
)
def test_evaluate(fails, made: Path, words: tuple[str, ...], said: str) -> None:
    assert said in fails("evaluate", *put(words, places(made)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"checkpoint": "none.pt"}, "none.pt: found no such file, expected a network"),
        ({"checkpoint": "{tiny}"}, "tiny.yaml: found damaged or foreign data"),
        ({"--front": "none.mp4"}, "none.mp4: found no such file"),
        ({"--front": "{tiny}"}, "tiny.yaml"),
        ({"--side": "none.mp4"}, "none.mp4: found no such file"),
        ({"--cameras": "none.toml"}, "none.toml: found no such file"),
        ({"--cameras": "{taken}"}, "taken"),
        ({"--views": "cam_a,cam_x"}, "'cam_x'"),
        ({"--up": "w"}, "'w'"),
        ({"--offset": "500"}, "--offset"),
        ({"--rate": "-3"}, "--rate"),
        ({"--mass": "0"}, "--mass"),
        ({"--yolo": "none.pt"}, "none.pt"),
        ({"--out": "{taken}"}, "taken: found a file, expected a folder"),
    ],
)
def test_predict(fails, made: Path, filmed: Filmed, change: dict[str, str], said: str) -> None:
    front, side = map(str, filmed.videos())
    given = {
        "--front": front, "--side": side, "--cameras": str(filmed.calibration), "--out": "out",
    }  # fmt: skip
    masks = [] if "--yolo" in change else [word for path in filmed.masks() for word in ("--masks", str(path))]
    options = given | {name: value for name, value in change.items() if name != "checkpoint"}
    words = [word for pair in options.items() for word in pair]
    checkpoint = change.get("checkpoint", "{model}")
    assert said in fails("predict", *put((checkpoint, *words), places(made)), *masks)


def test_predict_without_a_calibration(odah, made: Path, filmed: Filmed) -> None:
    code, _, told = odah("predict", made / "model.pt", "--front", filmed.videos()[0], "--out", "out")
    assert (code, "--cameras" in told, Path("out").exists()) == (2, True, False)


def places(made: Path) -> dict[str, Path]:
    files = {"model": "model.pt", "tiny": "tiny.yaml"}
    return {n: made / files.get(n, n) for n in ("data", "empty", "model", "tiny", "taken", "foreign")}
