"""Windows hold the frames they are said to, at the network's rate, filled up where a clip is short."""

import numpy as np
import pytest
from dataset.synthetic import Synthetic

from odah.dataset.reader import Dataset
from odah.estimator.config import DataConfig
from odah.estimator.evaluation.clip_windows import ClipWindows


def white_numbers(mask: np.ndarray, number: int) -> np.ndarray:
    """All of the person in a grey that tells the frame's number."""
    return np.full((*mask.shape, 3), 4 * number, np.uint8)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    made = Synthetic({"subject001_a": 23}, draw=white_numbers, views=("front", "side", "back"))
    return made.write(tmp_path_factory.mktemp("d") / "d")


def numbers(images: np.ndarray) -> list[int]:
    """Of the frames of a view, from their middle's grey."""
    size = images.shape[-1] // 2
    return [round(float(image[:, size - 4 : size + 4, size - 4 : size + 4].mean()) / 4) for image in images]


@pytest.mark.parametrize(
    ("rate", "length", "starts", "second"),
    [
        (None, 8, [0, 4, 8, 12, 15], list(range(4, 12))),
        (15.0, 8, [0, 4], [8, 10, 12, 14, 16, 18, 20, 22]),
        (20.0, 8, [0, 4, 7], [6, 8, 9, 11, 12, 14, 15, 17]),  # every 1.5th, the nearest
    ],
)
def test_frames_of_windows(
    dataset: Dataset, rate: float | None, length: int, starts: list[int], second: list[int]
) -> None:
    data = DataConfig(size=64, points=8, length=length, rate=rate)
    windows = ClipWindows(dataset, dataset[0], data, ("side", "front"))
    assert windows.starts == starts
    samples = list(windows)
    assert len(samples) == len(starts)
    images = samples[1]["images"].numpy()
    assert images.shape == (1, 2, length, 3, 64, 64)
    assert numbers(images[0, 1]) == pytest.approx(second, abs=1)
    assert windows.frames[starts[1] : starts[1] + length].tolist() == second
    assert all(sample["is_frame"].all() for sample in samples)
    side = dataset[0].cameras["side"].T_cam_world
    np.testing.assert_allclose(samples[0]["T_cam_world"][0, 0], side, atol=1e-6)
    assert "coordinates" not in samples[0]


def test_short_clips_are_filled_up_with_the_last_frame(dataset: Dataset) -> None:
    data = DataConfig(size=64, points=8, length=16, rate=10.0)
    windows = ClipWindows(dataset, dataset[0], data, ("front",))
    (sample,) = windows
    assert sample["is_frame"].tolist() == [[True] * 8 + [False] * 8]
    found = numbers(sample["images"][0, 0].numpy())
    assert found == pytest.approx([0, 3, 6, 9, 12, 15, 18, 21, *[21] * 8], abs=1)
