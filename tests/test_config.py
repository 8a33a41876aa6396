from pathlib import Path

import pytest

from odah.assets import asset_path
from odah.config import load_config
from odah.errors import InputError

GOOD = "name: tiny\nmotion: {actions: [walking]}\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def test_defaults_are_the_papers(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD))
    assert (config.video.width, config.video.height, config.clip.rate) == (1080, 720, 60.0)
    assert (config.cameras.focal_length_mm, config.cameras.sensor_width_mm) == (33.0, 36.0)
    assert config.cameras.height == (1.1, 0.1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD + "nmae: x\n", ("nmae", "unknown key", "subjects")),
        (GOOD + "video: {widht: 10}\n", ("video.widht", "unknown key", "width, height, crf")),
        ("name: x\nmotion: {recordings: [{path: a.bvh, sart: 1}]}\n", ("motion.recordings.0.sart", "start")),
        ("name: x\nmotion: {actions: [wlking]}\n", ("motion.actions", "'wlking'", "walking")),
        ("name: x\nmotion: {}\n", ("motion", "neither actions nor recordings")),
        ("name: x\nmotion: {source: cmu}\n", ("motion", "needs `root`", "'cmu'")),
        ("name: x\nmotion: {source: hdm05}\n", ("motion.source", "'hdm05'", "bmlmovi")),
        (GOOD + "subjects: {bmi_variants: [0, 20]}\n", ("subjects.bmi_variants", "20")),
        (GOOD + "subsets: {small: {subjects: 0, clips: 5}}\n", ("subsets.small.subjects", "0")),
        (
            GOOD + "subsets: {a: {subjects: 2, clips: 9}, b: {subjects: 3, clips: 5}}\n",
            ("subsets", "'b' has more subjects than 'a' but fewer clips"),
        ),
        ("motion: {actions: [walking]}\n", ("name", "required")),
        (GOOD + "clip: {rate: 0}\n", ("clip.rate", "0", "greater than 0")),
        (GOOD + "clip: {duration: -1}\n", ("clip.duration", "-1")),
        (GOOD + "video: {width: 641}\n", ("video.width", "641", "multiple of 2")),
        (GOOD + "render: {engine: vray}\n", ("render.engine", "'vray'", "eevee")),
        (GOOD + "subjects: {height: [1.9, 1.5]}\n", ("subjects.height", "above the upper")),
        (GOOD + "room: {kinds: []}\n", ("room.kinds: found []", "at least one value")),
        (
            GOOD + "video: {crop: {size: 64}}\ncameras: {stress: {distortion: [-0.1, 0.1]}}\n",
            ("cameras.stress.distortion: found [-0.1, 0.1] beside video.crop", "one of the two"),
        ),
        (
            GOOD + "clip: {rate: 30}\ncameras: {stress: {rolling_shutter: 0.05}}\n",
            ("cameras.stress.rolling_shutter: found 0.05 s", "at most the 0.0333 s of a frame"),
        ),
        ("- a\n- b\n", ("a list", "a mapping")),
        ("name: [\n", ("valid YAML",)),
        ("name: a/b\nmotion: {actions: [walking]}\n", ("name", "'a/b'")),
    ],
)
def test_mistakes_are_one_sentence(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_config(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    for word in words:
        assert word in sentence


def test_missing_and_empty_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_config(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="an empty file"):
        load_config(write(tmp_path, ""))


def test_shipped_configs_are_valid() -> None:
    paths = sorted(asset_path("configs/generate").glob("*.yaml"))
    assert paths
    for path in paths:
        load_config(path)
