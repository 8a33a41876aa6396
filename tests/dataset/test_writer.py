import json
from pathlib import Path

import numpy as np
import pytest

from odah.config import GenerateConfig
from odah.dataset.reader import Dataset, read_labels
from odah.dataset.writer import start_dataset, write_labels
from odah.errors import InputError, OdahError
from odah.osim import full_body_model


def test_a_dataset_is_taken_up_by_the_same_config_only(tmp_path: Path, tiny_config: GenerateConfig) -> None:
    model = full_body_model()
    out = tmp_path / "d"
    start_dataset(out, tiny_config, model)
    start_dataset(out, tiny_config, model)
    with pytest.raises(InputError, match="other values of seed"):
        start_dataset(out, tiny_config.model_copy(update={"seed": 5}), model)


def test_a_foreign_folder_is_left_alone(tmp_path: Path, tiny_config: GenerateConfig) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="not a dataset"):
        start_dataset(tmp_path, tiny_config, full_body_model())
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_labels_that_are_not_finite_are_never_written(tmp_path: Path) -> None:
    with pytest.raises(OdahError, match="label joints is not finite"):
        write_labels(tmp_path / "labels.npz", {"joints": np.array([np.nan])})
    assert list(tmp_path.iterdir()) == []


def test_reading_labels_never_unpickles(tmp_path: Path) -> None:
    path = tmp_path / "labels.npz"
    np.savez(path, time=np.array([{"evil": True}], dtype=object))
    with pytest.raises(InputError, match="no readable arrays"):
        read_labels(path)
    np.savez(path, time=np.zeros(3))
    with pytest.raises(InputError, match="coordinates: found nothing"):
        read_labels(path)
    np.savez(path, time=np.zeros(3), coordinates=np.zeros((4, 39)))
    with pytest.raises(InputError, match=r"shape \(4, 39\), expected shape \(3, 'C'\)"):
        read_labels(path)


@pytest.mark.blender
def test_a_clip_records_what_made_it(tiny_dataset: Dataset) -> None:
    record = json.loads((tiny_dataset.clips[0].folder / "clip.json").read_text())
    assert record["render"]["engine"] == "cycles"
    assert {camera["name"] for camera in record["scene"]["cameras"]} == {"front", "side"}
    assert record["source"]["licence"] != "unknown"
    assert record["body"]["licence"] == "CC0-1.0"
