"""The cache: the same samples as from the videos, and an entry is either right or not there."""

import json
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.dataset.packed import entry_folder, pack, packed_folder
from odah.dataset.reader import Dataset, open_dataset
from odah.dataset.schema import file_hash
from odah.dataset.sequences import SequenceDataset
from odah.dataset.squares import CropSettings
from odah.errors import InputError

SETTINGS = CropSettings(size=48, scale=1.2)


@pytest.fixture(scope="module")
def original(synthetic: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    made = synthetic.Synthetic({"a": 9, "a-b": 4}, hidden=(2,), subsets={"a": ("small",)})
    dataset = made.write(tmp_path_factory.mktemp("packed") / "dataset")
    done = pack(dataset, settings=SETTINGS, jobs=1)
    assert (done.num_packed, done.num_there, done.failures) == (2, 0, {})
    return dataset


@pytest.fixture
def dataset(original: Dataset, tmp_path: Path) -> Dataset:
    """A copy to change."""
    shutil.copytree(original.paths.root, tmp_path / "dataset")
    return open_dataset(tmp_path / "dataset")


def sequences(dataset: Dataset, packed: bool, **options: object) -> SequenceDataset:
    return SequenceDataset(dataset, 4, size=48, scale=1.2, packed=packed, **options)  # type: ignore[arg-type]


def assert_alike(found: dict, expected: dict) -> None:
    """Equal, but pictures up to what JPEG costs."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        if name == "images":
            error = (found[name].float() - value.float()).abs()
            assert error.mean() < 2.5
            assert error.amax() < 80
        elif isinstance(value, torch.Tensor):
            assert torch.equal(found[name], value), name
        else:
            assert found[name] == value


@pytest.mark.parametrize("views", [None, ["side"], ["side", "front"]])
def test_samples_are_those_of_the_videos(original: Dataset, views: list[str] | None) -> None:
    videos, packed = (sequences(original, source, views=views) for source in (False, True))
    assert len(videos) == len(packed) == 4
    for k in range(4):
        assert_alike(packed[k], videos[k])


def test_crops_of_three_views_come_back(synthetic: ModuleType, tmp_path: Path) -> None:
    made = synthetic.Synthetic({"x": 3}, views=("back", "side", "front"), crop_size=64)
    dataset = made.write(tmp_path / "crops")
    folder = tmp_path / "elsewhere"
    assert pack(dataset, folder, CropSettings(32), jobs=1).folder == folder
    assert not packed_folder(dataset).exists()
    assert_alike(*(SequenceDataset(dataset, 3, size=32, packed=source)[0] for source in (folder, False)))


def test_packing_again_does_nothing_and_a_changed_clip_is_packed_anew(dataset: Dataset) -> None:
    entry = entry_folder(packed_folder(dataset), dataset["a"], SETTINGS)
    stamp = (entry / "pictures.bin").stat().st_mtime_ns
    assert pack(dataset, settings=SETTINGS).num_there == 2
    assert (entry / "pictures.bin").stat().st_mtime_ns == stamp
    folder = dataset["a"].folder
    shutil.copy(folder / "front.mp4", folder / "side.mp4")
    record = json.loads((folder / "clip.json").read_text())
    record["sha256"]["side.mp4"] = file_hash(folder / "side.mp4")
    (folder / "clip.json").write_text(json.dumps(record))
    changed = open_dataset(dataset.paths.root)
    with pytest.raises(InputError, match="nothing for 1 of 2 clips as they are now"):
        sequences(changed, packed=True)
    done = pack(changed, settings=SETTINGS, jobs=1)
    assert (done.num_packed, done.num_there) == (1, 1)
    names = sorted(path.name for path in entry.parent.iterdir())
    assert names == sorted(entry_folder(packed_folder(dataset), clip, SETTINGS).name for clip in changed)
    assert entry.name not in names
    assert_alike(*(sequences(changed, source)[0] for source in (True, False)))


def test_a_clip_that_cannot_be_packed_leaves_nothing(dataset: Dataset) -> None:
    shutil.rmtree(packed_folder(dataset))
    video = dataset["a"].video("side")
    video.write_bytes(video.read_bytes()[:300])
    done = pack(dataset, settings=SETTINGS, jobs=1)
    assert (done.num_packed, list(done.failures)) == (1, ["a"])
    assert "side.mp4" in done.failures["a"]
    parent = entry_folder(packed_folder(dataset), dataset["a"], SETTINGS).parent
    assert [path.name[:4] for path in parent.iterdir()] == ["a-b-"]


@pytest.mark.parametrize("name", ["frames.npy", "pictures.bin"])
def test_damage_is_told_and_how_to_mend_it(dataset: Dataset, name: str) -> None:
    entry = entry_folder(packed_folder(dataset), dataset["a"], SETTINGS)
    whole = (entry / name).read_bytes()
    packed = sequences(dataset, packed=True)
    expected = [packed[k] for k in range(3)]

    @settings(max_examples=60)
    @given(place=st.floats(0, 1), value=st.integers(0, 255), keep=st.sampled_from([1.0, 1.0, 1.0, 0.5]))
    def check(place: float, value: int, keep: float) -> None:
        damaged = bytearray(whole[: int(keep * len(whole))])
        damaged[int(place * (len(damaged) - 1))] = value
        (entry / name).write_bytes(damaged)
        for k in range(3):
            try:
                assert torch.equal(packed[k]["images"], expected[k]["images"])
                assert torch.equal(packed[k]["coordinates"], expected[k]["coordinates"])
            except InputError as error:
                assert "remove its folder and run that again" in str(error)  # noqa: PT017

    check()
    (entry / name).write_bytes(whole[:-1])
    with pytest.raises(InputError, match="found damaged data, expected an entry as `odah pack` wrote it"):
        _ = packed[2]
    (entry / name).unlink()
    with pytest.raises(InputError, match=f"{name}: found no such file"):
        _ = packed[0]


def test_the_cache_of_another_size_does_not_count(original: Dataset) -> None:
    with pytest.raises(InputError, match=r"nothing for 2 of 2 clips .* run: odah pack .*dataset --size 64"):
        SequenceDataset(original, 4, size=64, packed=True)


def test_the_command(odah, dataset: Dataset, tmp_path: Path) -> None:
    root, out = dataset.paths.root, tmp_path / "cache"
    code, told, _ = odah("pack", root, "--out", out, "--size", 32, "--jobs", 1, "--json")
    assert (code, json.loads(told)) == (0, {"folder": str(out), "packed": 2, "there": 0, "failed": {}})
    assert SequenceDataset(dataset, 4, size=32, packed=out)[0]["images"].shape[-1] == 32
    dataset["a"].video("front").unlink()
    code, _, told = odah("pack", root, "--size", 16, "--jobs", 1)
    assert code == 1
    assert "front.mp4: found no such file" in told
    assert "1 clips packed" in told
    for arguments, words in (
        (("pack", tmp_path / "none"), "no such folder"),
        (("pack", root, "--size", 1), "size: found 1"),
        (("pack", root, "--out", dataset["a"].folder / "labels.npz"), "a file"),
    ):
        code, _, told = odah(*arguments)
        assert code == 2
        assert words in told
    np.testing.assert_array_equal(sorted(path.name for path in out.iterdir()), [".lock", "32px_1.1"])
