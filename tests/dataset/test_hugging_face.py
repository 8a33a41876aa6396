"""The folder in Hugging Face's `datasets`, from disk and offline, by the code that the card shows."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from odah.dataset.describe import describe_dataset

os.environ["HF_DATASETS_OFFLINE"] = os.environ["HF_HUB_OFFLINE"] = "1"  # read when it is imported


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`datasets`, with its cache in the test's folder."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    return datasets


def test_splits_load_by_their_names(made_up, hub: Any) -> None:
    dataset = made_up()
    dataset.add("ann_walking", subsets=["small"])
    dataset.add("ann_running")
    dataset.add("bob_walking", split="val")
    dataset.add("cy_walking", split="test")
    describe_dataset(dataset.paths)
    loaded = hub.load_dataset(str(dataset.paths.root))
    assert {name: rows["clip"][:] for name, rows in loaded.items()} == {
        "train": ["ann_running", "ann_walking"],
        "val": ["bob_walking"],
        "test": ["cy_walking"],
    }
    assert loaded["train"].features["num_frames"].dtype == "int64"
    assert loaded["train"]["subsets"][:] == [[], ["small"]]


def test_what_the_card_says_works(made_up, hub: Any) -> None:
    dataset = made_up(views=("cam3",))
    path = dataset.add("ann_walking").with_name("cam3.mp4")
    path.write_bytes(b"a video")
    describe_dataset(dataset.paths)
    blocks = re.findall(r"```python\n(.*?)```", dataset.paths.card.read_text(), re.DOTALL)
    (shown,) = (block for block in blocks if "load_dataset" in block)
    names: dict[str, Any] = {}
    exec(shown.replace("path/of/this/folder", str(dataset.paths.root)), names)
    clips = names["clips"].cast_column("video_cam3", hub.Video(decode=False))
    assert Path(clips[0]["video_cam3"]["path"]).read_bytes() == b"a video"
