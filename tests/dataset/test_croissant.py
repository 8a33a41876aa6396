import json
import logging
from concurrent.futures import ThreadPoolExecutor

import mlcroissant
import pytest

from odah.dataset.croissant import CONFORMS_TO
from odah.dataset.describe import describe_dataset
from odah.dataset.index import read_index
from odah.dataset.schema import file_hash

WARNS_OF_DATE = 'Property "https://schema.org/datePublished" is recommended'
"""Left out: the same dataset would say something else on another day."""


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)


def test_rows_are_read_through_the_description(made_up) -> None:
    dataset = made_up()
    dataset.add("ann_walking", subsets=["small", "large"], num_frames=45)
    dataset.add("bob_walking", split="test")
    describe_dataset(dataset.paths)
    described = mlcroissant.Dataset(str(dataset.paths.croissant))
    rows = list(described.records("clips"))
    assert [row["clips/clip"] for row in rows] == [b"ann_walking", b"bob_walking"]
    assert (rows[0]["clips/num_frames"], rows[0]["clips/rate"]) == (45, 30.0)
    assert rows[0]["clips/subsets"] == [b"small", b"large"]
    assert rows[1]["clips/marker_rms_mm"] is None
    assert rows[1]["clips/video_front"] == b"clips/bob_walking/front.mp4"


@pytest.mark.parametrize("clips", [(), ("ann_walking",)], ids=["empty", "one"])
def test_the_description_is_valid(made_up, clips: tuple[str, ...]) -> None:
    dataset = made_up(views=("cam3", "cam_4"))
    for clip in clips:
        dataset.add(clip, body={"kind": "SMPLX_MALE.npz", "licence": "SMPL-X (user's own)"})
    describe_dataset(dataset.paths)
    issues = mlcroissant.Dataset(str(dataset.paths.croissant)).metadata.ctx.issues
    assert not issues.errors
    assert all(WARNS_OF_DATE in warning for warning in issues.warnings)


def test_hashes_and_files_are_those_on_disk(made_up) -> None:
    dataset = made_up()
    dataset.add("ann_walking")
    describe_dataset(dataset.paths)
    described = json.loads(dataset.paths.croissant.read_text())
    assert described["conformsTo"] == CONFORMS_TO
    files = {row["@id"]: row for row in described["distribution"]}
    for name in ("index.parquet", "dataset.json"):
        assert files[name]["sha256"] == file_hash(dataset.paths.root / name)
    assert [path.name for path in dataset.paths.root.glob(files["records"]["includes"])] == ["clip.json"]


def test_runs_that_end_together_leave_files_that_agree(made_up) -> None:
    dataset = made_up()
    names = [f"ann{number}_walking" for number in range(8)]

    def end(name: str) -> None:
        dataset.add(name)
        describe_dataset(dataset.paths)

    with ThreadPoolExecutor(len(names)) as runs:
        list(runs.map(end, names))
    described = json.loads(dataset.paths.croissant.read_text())
    assert described["distribution"][0]["sha256"] == file_hash(dataset.paths.index)
    assert [row["clip"] for row in read_index(dataset.paths).to_pylist()] == names
    assert "| clips | 8 " in dataset.paths.card.read_text()
    assert not list(dataset.paths.root.glob(".*.parquet"))
