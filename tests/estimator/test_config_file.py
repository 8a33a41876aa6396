"""Configs of trainings: the shipped ones, mistakes in one sentence, what is written is read again."""

from pathlib import Path

import pytest
from estimator.tiny_training import tiny_config

from odah.assets import asset_path
from odah.errors import InputError
from odah.estimator.config_file import load_train_config, write_train_config


def test_shipped_configs_are_valid() -> None:
    paths = sorted(asset_path("configs/train").glob("*.yaml"))
    assert {path.stem for path in paths} >= {"paper", "compact"}
    assert [load_train_config(path).name for path in paths] == [path.stem for path in paths]


def test_the_papers_config_is_the_papers() -> None:
    """Sections 3.2 and 4.2 of the paper."""
    config = load_train_config(asset_path("configs/train/paper.yaml"))
    hourglass, temporal = config.network.hourglass, config.network.temporal
    assert (hourglass.stacks, hourglass.channels, hourglass.head_channels) == (4, 256, 128)
    assert temporal is not None
    assert (temporal.blocks, temporal.heads, temporal.channels) == ((2, 4, 6), (1, 2, 4), (48, 96, 384))
    assert (config.data.points, config.data.length) == (500, 64)
    assert (config.frame.epochs, config.frame.batch) == (14, 8)
    assert (config.temporal.epochs, config.temporal.batch) == (5, 2)
    for stage in (config.frame, config.temporal):
        assert (stage.learning_rate, stage.betas) == (5e-5, (0.5, 0.999))
    assert config.loss.keypoints == 100


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: x\nnetwrk: {}\n", ("netwrk: found an unknown key", "one of name, seed, network")),
        ("seed: 1\n", ("name", "required")),
        ("name: x\nframe: {epoch: 3}\n", ("frame.epoch: found an unknown key", "one of epochs, batch")),
        ("name: x\nframe: {epochs: 0}\n", ("frame.epochs: found 0", "greater than or equal to 1")),
        (
            "name: x\nnetwork: {encoder: {kind: pooled}}\n",
            ("network.encoder.kind: found 'pooled'", "'flatten', 'located'"),
        ),
        ("name: x\nnetwork: {encoder: {width: 8}}\n", ("network.encoder.kind: found nothing",)),
        (
            "name: x\nnetwork: {encoder: {kind: located, point_widths: [1]}}\n",
            ("network.encoder.point_widths: found an unknown key", "one of kind, width, frame_widths"),
        ),
        (
            "name: x\nnetwork: {encoder: {kind: flatten, point_widths: [4, 0]}}\n",
            ("network.encoder.point_widths.1: found 0",),
        ),
        ("name: x\nnetwork: {temporal: {chanels: [1]}}\n", ("network.temporal.chanels", "channels, heads")),
        ("name: x\nnetwork: {temporal: {channels: [48, 96, 100]}}\n", ("network.temporal", "grow by")),
        ("name: x\naugmentation: {mirror: 2}\n", ("augmentation.mirror: found 2", "less than or equal to 1")),
        (
            "name: x\nnetwork: {encoder: {kind: located}}\n",
            ("loss.located: found 0, expected more, for the encoder located",),
        ),
        (
            "name: x\nloss: {angles: 0, ranges: 0, scales: 0, keypoints: 0, located: 1}\n",
            ("loss: found 0 for all", "one of angles"),
        ),
        ("name: x\nframe: {feature_draws: 2}\n", ("frame.feature_draws: found 2, expected 0",)),
        ("- name: x\n", ("a list", "a mapping")),
        ("name: {\n", ("valid YAML",)),
    ],
)
def test_mistakes_are_one_sentence(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_train_config(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    for config in (tiny_config(), tiny_config(network={"temporal": None}, temporal={"patience": 3})):
        write_train_config(tmp_path / "config.yaml", config)
        assert load_train_config(tmp_path / "config.yaml") == config
