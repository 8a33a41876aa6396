"""`odah predict` as a newcomer meets it: exit codes, one sentence a mistake, nothing left behind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from estimator.tiny_predictor import tiny_config, untrained
from filmed_person import Brightness, copied, film, turned

from odah.estimator.checkpoint import save_checkpoint
from odah.estimator.predict import opening
from odah.scene.calibration import save_cameras

Odah = Callable[..., tuple[int, str, str]]
FILES = {"model.osim", "kinematics.mot", "markers.trc", "angles.csv", "prediction.json", "overlay.mp4"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network, a trial, and what newcomers mistake for one."""
    folder = tmp_path_factory.mktemp("home")
    trial = film(folder / "trial")
    trained = untrained(tiny_config())
    save_checkpoint(folder / "model.pt", trained.network, trained.config, {})
    whole = torch.load(folder / "model.pt", weights_only=True)
    torch.save({**whole, "version": 7}, folder / "newer.pt")
    torch.save({"weights": {}}, folder / "state.pt")
    (folder / "damaged.pt").write_bytes((folder / "model.pt").read_bytes()[:3000])
    (folder / "notes.mp4").write_text("this is no video\n" * 20)
    (folder / "file").write_text("a file")
    copied(trial.videos()[1], folder / "wide.mp4", scale=1.5, quarter_turns=1)
    copied(trial.masks()[1], folder / "short.mkv", numbers=range(9))
    save_cameras(folder / "three.json", [*trial.cameras, _renamed(trial.cameras[0])])
    save_cameras(folder / "others.json", [_renamed(camera, f"x{camera.name}") for camera in trial.cameras])
    return folder


def _renamed(camera: Any, name: str = "cam_c") -> Any:
    return type(camera)(**{**vars(camera), "name": name})


@pytest.fixture
def predict(odah: Odah, home: Path, monkeypatch: pytest.MonkeyPatch):
    """Run `odah predict` in the folder `home`; options given replace the right ones, None leaves one out."""
    monkeypatch.chdir(home)

    def call(network: str = "model.pt", *more: object, **options: object) -> tuple[int, str, str]:
        given = {
            "front": "trial/cam_a.mp4", "side": "trial/cam_b.mp4", "cameras": "trial/cameras.json",
            "out": "out", **options,
        }  # fmt: skip
        words = [word for name, value in given.items() if value is not None for word in (f"--{name}", value)]
        return odah("predict", network, *words, *more)

    return call


MASKS = ("--masks", "trial/cam_a_mask.mkv", "--masks", "trial/cam_b_mask.mkv")


def test_two_videos_make_files_and_are_told_in_words(predict, home: Path) -> None:
    code, out, err = predict("model.pt", *MASKS)
    assert (code, out) == (0, "")
    assert "projected joints inside the person" in err
    assert "41 frames at 30 frames/s -> out" in err
    assert {path.name for path in (home / "out").iterdir()} == FILES
    shutil.rmtree(home / "out")


def test_one_machine_readable_result(predict, home: Path) -> None:
    code, out, _ = predict("model.pt", *MASKS, "--json", "--no-video", "--offset", "-0.1s")
    assert code == 0
    record = json.loads(out)
    assert record["options"]["offset"] == "-0.1s"
    assert record["start_time"] == pytest.approx(0.1)
    assert record == json.loads((home / "out" / "prediction.json").read_text())
    shutil.rmtree(home / "out")


@pytest.mark.parametrize(
    ("network", "more", "options", "words"),
    [
        ("none.pt", (), {}, ("none.pt: found no such file",)),
        ("damaged.pt", (), {}, ("damaged.pt: found damaged or foreign data",)),
        ("state.pt", (), {}, ("state.pt: found a file of another kind", "model.pt")),
        ("newer.pt", (), {}, ("newer.pt: found format version 7, expected 1",)),
        ("model.pt", (), {"front": "none.mp4"}, ("none.mp4: found no such file, expected a video",)),
        ("model.pt", (), {"side": "notes.mp4"}, ("notes.mp4: found unreadable data", "a video")),
        ("model.pt", (), {"side": "trial"}, ("trial: found not a file, expected a video",)),
        ("model.pt", (), {"side": "trial/cam_a.mp4"}, ("--side: found trial/cam_a.mp4, as --front",)),
        ("model.pt", ("--side", "trial/cam_a.mp4"), {}, ("--side: found 2 videos, expected one",)),
        ("model.pt", ("--front", "trial/cam_a.mp4"), {}, ("--front: found 2 videos, expected one",)),
        ("model.pt", (), {"cameras": "none.toml"}, ("none.toml: found no such file",)),
        (
            "model.pt",
            (),
            {"cameras": "three.json", "side": "wide.mp4"},
            ("--cameras: found 3 cameras (cam_a, cam_b, cam_c) for 2 videos", "--views"),
        ),
        ("model.pt", ("--views", "cam_a, cam_z"), {}, ("no camera 'cam_z'", "cam_a, cam_b")),
        ("model.pt", ("--views", "cam_a"), {}, ("--views: found cam_a, expected the names of 2 cameras",)),
        (
            "model.pt",
            (),
            {"side": "wide.mp4"},
            ("wide.mp4: found pictures of 300 x 360 px, turned by a quarter", "expected 240 x 200 px"),
        ),
        (
            "model.pt",
            ("--masks", "trial/cam_a_mask.mkv", "--masks", "short.mkv"),
            {},
            ("short.mkv: found 9 masks, expected one for each of the 41 frames", "cam_b.mp4"),
        ),
        ("model.pt", ("--masks", "trial/cam_a_mask.mkv"), {}, ("--masks: found 1, expected 2",)),
        ("model.pt", (*MASKS, "--offset", "41"), {}, ("--offset: found 41, beyond the end", "41 frames")),
        ("model.pt", (*MASKS, "--offset", "-1.5s"), {}, ("--offset: found -1.5s, beyond", "cam_a.mp4")),
        ("model.pt", ("--offset", "half"), {}, ("--offset: found 'half'", "12", "0.4s")),
        ("model.pt", ("--offset", "3"), {"side": None}, ("--offset: found 3 for one video",)),
        ("model.pt", ("--up", "w"), {}, ("--up: found 'w'",)),
        ("model.pt", (), {"out": "file"}, ("file: found a file, expected a folder",)),
        ("model.pt", (), {"out": "file/out"}, ("the file", "above it, expected a folder")),
        ("model.pt", (), {"front": None}, ("Missing option", "--front")),
        ("model.pt", (), {"cameras": None}, ("Missing option", "--cameras")),
    ],
)
def test_mistakes_are_one_sentence_and_status_2(predict, home: Path, network, more, options, words) -> None:
    before = sorted(home.rglob("*"))
    code, out, err = predict(network, *more, **options)
    assert code == 2, err
    assert out == ""
    assert "Traceback" not in err
    assert not err.startswith("odah: ") or err.count("\n") == 1
    for word in words:
        assert word in err
    assert sorted(home.rglob("*")) == before


def test_nobody_in_the_video(predict, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Nobody(Brightness):
        def people(self, image: np.ndarray) -> list[Any]:
            return []

    monkeypatch.setattr(opening, "BlazePoseSegmenter", Nobody)
    before = sorted(home.rglob("*"))
    code, _, err = predict()
    assert (code, err.count("\n")) == (2, 1)
    assert "cam_a.mp4: found nobody in 7 of 7 frames looked at, expected a person, or masks of one" in err
    assert sorted(home.rglob("*")) == before


def test_a_phone_that_was_held_upright_or_on_its_side_gives_the_same(
    predict, home: Path, tmp_path: Path
) -> None:
    """The camera's pictures stand upright whichever way they are stored."""
    filmed, mask = home / "trial" / "cam_a.mp4", home / "trial" / "cam_a_mask.mkv"
    plain = copied(filmed, tmp_path / "cam_a.mp4")
    phone = turned(copied(filmed, tmp_path / "phone.mp4", quarter_turns=1), (0, 1, -1, 0))
    records = []
    for video in (plain, phone):
        options = {"front": video, "side": None, "views": "cam_a", "masks": mask, "out": tmp_path / "out"}
        code, out, err = predict("model.pt", "--json", "--no-video", **options)
        assert code == 0, err
        records.append((json.loads(out), (tmp_path / "out" / "kinematics.mot").read_text()))
    assert records[0][0]["num_frames"] == records[1][0]["num_frames"] == 41
    rows = [np.loadtxt(text.splitlines()[12:]) for _, text in records]
    np.testing.assert_allclose(rows[0], rows[1], atol=3)
