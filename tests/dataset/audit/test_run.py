"""Many clips: what is chosen, what a dataset must be as a whole, and how it is told."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from odah.cli.audit_table import MAX_ROWS, audit_lines
from odah.config import GenerateConfig
from odah.dataset.audit import AuditOptions, ClipAudit, DatasetAudit, audit_clip, audit_dataset
from odah.dataset.audit import run as audit_run
from odah.dataset.audit.dataset_checks import check_info, dataset_failures, dataset_notes
from odah.dataset.index import update_index
from odah.dataset.reader import Dataset, open_dataset
from odah.dataset.writer import start_dataset
from odah.errors import InputError, OdahError
from odah.osim import full_body_model
from odah.workers import Death

WALK, WAVE = "subject001_walking", "subject001_hand_waving"


def edit_json(path: Path, change: Callable[[dict], object]) -> None:
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def whole(dataset: Dataset) -> tuple[dict[str, str], list[str]]:
    """Failures and notes of a dataset as a whole, with the labels' own checks left out."""
    dataset = open_dataset(dataset.paths.root)
    audits = [audit_clip(clip, dataset, 2) for clip in dataset]
    return (
        dataset_failures(dataset, audits, dataset.clip_ids),
        dataset_notes(dataset, audits, is_all=True),
    )


def test_a_good_dataset_has_no_failures_and_nothing_to_tell(painted: Dataset) -> None:
    assert whole(painted) == ({}, [])


def test_a_dataset_without_an_index_or_with_a_damaged_one(damaged: Dataset) -> None:
    damaged.paths.index.write_bytes(b"PAR1 nonsense")
    assert "no readable table" in whole(damaged)[0]["index.parquet"]
    damaged.paths.index.unlink()
    assert "no such file" in whole(damaged)[0]["index.parquet"]


def test_stale_missing_and_foreign_rows_are_named(damaged: Dataset) -> None:
    edit_json(damaged.paths.clip(WALK) / "clip.json", lambda r: r.update(action="running"))
    shutil.copytree(damaged.paths.clip(WAVE), damaged.paths.clip("new"))
    edit_json(damaged.paths.clip("new") / "clip.json", lambda r: r.update(clip="new"))
    shutil.rmtree(damaged.paths.clip(WAVE))
    why = whole(damaged)[0]["index.parquet"]
    assert f"rows of clips that are not there: {WAVE}" in why
    assert "no row of: new" in why
    assert f"rows that differ from clip.json: {WALK} (action)" in why
    update_index(damaged.paths)
    assert whole(damaged)[0] == {}


def test_a_row_given_twice_and_an_altered_split_are_found(damaged: Dataset) -> None:
    table = pq.read_table(damaged.paths.index)
    pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), damaged.paths.index)
    split = next(damaged.paths.root.glob("splits/*.parquet"))
    pq.write_table(pq.read_table(split).slice(0, 1), split)
    failures = whole(damaged)[0]
    assert f"more than one row of: {WAVE}" in failures["index.parquet"]
    assert "other clips than in index.parquet" in failures[f"splits/{split.name}"]
    split.unlink()
    assert "missing" in whole(damaged)[0][f"splits/{split.name}"]


def test_a_subject_in_two_splits_is_found(damaged: Dataset) -> None:
    edit_json(damaged.paths.clip(WALK) / "clip.json", lambda r: r.update(split="test"))
    update_index(damaged.paths)
    ((place, why),) = whole(damaged)[0].items()
    assert place == "subject subject001"
    assert WALK in why
    assert WAVE in why


@pytest.mark.parametrize("name", ["model.osim", "body.npz", "appearance.json"])
def test_what_a_subject_lacks_is_named(damaged: Dataset, name: str) -> None:
    (damaged.paths.subject("subject001") / name).unlink()
    assert whole(damaged)[0] == {"subjects/subject001": f"{name} missing"}


def test_an_appearance_that_is_no_json_is_found(damaged: Dataset) -> None:
    (damaged.paths.subject("subject001") / "appearance.json").write_text("{")
    assert whole(damaged)[0] == {"subjects/subject001": "appearance.json is no JSON"}


def test_leftovers_orphans_strangers_and_twins_are_told_and_harm_nobody(damaged: Dataset) -> None:
    root = damaged.paths.root
    for name in ("clips/.subject009_walking.ab12cd34", "subjects/subject009", ".odah"):
        (root / name).mkdir(exist_ok=True)
    (damaged.paths.clip(WALK) / "mine.txt").write_text("")
    shutil.copytree(damaged.paths.clip(WALK), damaged.paths.clip("twin"))
    edit_json(damaged.paths.clip("twin") / "clip.json", lambda r: r.update(clip="twin"))
    update_index(damaged.paths)
    failures, notes = whole(damaged)
    assert failures == {}
    assert f"{WALK}: files that belong to no clip: mine.txt" in notes
    assert "left behind by runs that were stopped, or in the making: .subject009_walking.ab12cd34" in notes
    assert "subjects without a clip: subject009" in notes
    assert f"the same labels.npz in {WALK}, twin" in notes


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda i: i.update(views=["front", "front"]),
            "views: found 'front' 2 times, expected distinct names",
        ),
        (lambda i: i["coordinate_ranges"].pop(), "coordinate_ranges: found 38, expected 39"),
        (lambda i: i.update(rate="fast"), "rate: found 'fast', expected a valid number"),
        (lambda i: i.update(pictures=["sound"]), "pictures.0: found 'sound'"),
        (lambda i: i.pop("seed"), "seed: found nothing"),
        (lambda i: i.update(schema_version=99), "made by a newer odah"),
    ],
)
def test_a_wrong_description_stops_the_audit(damaged: Dataset, change: Callable, words: str) -> None:
    edit_json(damaged.paths.info, change)
    with pytest.raises(InputError, match=re.escape(words)):
        check_info(open_dataset(damaged.paths.root))


def test_a_folder_that_is_no_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"without dataset\.json"):
        open_dataset(tmp_path)
    (tmp_path / "dataset.json").write_text("[")
    with pytest.raises(InputError, match="no valid dataset description"):
        open_dataset(tmp_path)


def test_an_empty_dataset_is_not_valid(tmp_path: Path, tiny_config: GenerateConfig) -> None:
    start_dataset(tmp_path, tiny_config, full_body_model())
    with pytest.raises(OdahError, match="no finished clip"):
        audit_dataset(open_dataset(tmp_path))


@pytest.mark.parametrize("kind", ["jobs", "sample", "seed"])
def test_numbers_that_mean_nothing_are_refused(kind: str) -> None:
    with pytest.raises(InputError, match=f"--{kind}: found -1"):
        AuditOptions(**{kind: -1})
    with pytest.raises(InputError, match="--sample: found 3 beside --deep"):
        AuditOptions(is_deep=True, sample=3)


def test_the_sample_is_seeded_and_as_large_as_asked() -> None:
    ids = [f"c{k}" for k in range(1000)]
    samples = [audit_run._sample(ids, AuditOptions(seed=seed)) for seed in (0, 0, 1)]
    assert samples[0] == samples[1] != samples[2]
    assert len(samples[0]) == 50
    assert len(audit_run._sample(ids[:100], AuditOptions())) == 20
    assert len(audit_run._sample(ids[:7], AuditOptions())) == 7
    assert audit_run._sample(ids, AuditOptions(sample=0)) == set()
    assert len(audit_run._sample(ids, AuditOptions(sample=3))) == 3


def test_a_process_that_dies_costs_its_clip_only(painted: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def some_die(function, items, jobs):
        assert jobs == 3
        for k, (clip_id, _) in enumerate(items):
            yield k, Death("it died (SIGSEGV)") if clip_id == WALK else function(items[k])

    monkeypatch.setattr(audit_run, "in_processes", some_die)
    told: list[tuple[int, int]] = []
    audit = audit_dataset(painted, AuditOptions(jobs=3, sample=1), lambda *done: told.append(done))
    failures = {clip.clip_id: clip.failures for clip in audit.clips}
    assert failures == {WAVE: {}, WALK: {"audit": "it died (SIGSEGV)"}}
    assert audit.failures == {}
    assert not audit.is_valid
    assert told == [(0, 2), (1, 2), (2, 2)]


def failing(num_clips: int) -> DatasetAudit:
    clips = tuple(
        ClipAudit(f"c{k}", {"files": "[front.mp4] is missing"}, is_whole=k == 0) for k in range(num_clips)
    )
    return DatasetAudit(clips, 100, {"index.parquet": "missing"}, ("odd",))


def test_rows_are_few_and_the_rest_is_counted() -> None:
    lines = list(audit_lines(failing(40), is_terminal=False))
    assert lines[0] == "index.parquet dataset: missing"
    assert lines[1] == "c0 files: [front.mp4] is missing"
    assert len(lines) == MAX_ROWS + 4
    assert lines[MAX_ROWS:] == [
        "and 11 more failures; --json lists all",
        "note: odd",
        "every picture decoded in 1 of 40 clips, a few in the others; --deep decodes all",
        "0 of 40 clips are valid (100 in the dataset); the dataset as a whole is not",
    ]
    table, *rest = audit_lines(failing(40), is_terminal=True)
    screen = Console(width=100, record=True, file=io.StringIO())
    screen.print(table)
    text = screen.export_text()
    assert "c28" in text
    assert "c29" not in text
    assert "[front.mp4] is missing" in text
    assert rest == lines[MAX_ROWS:]


def test_the_command_tells_what_failed_and_leaves_with_1(odah, damaged: Dataset) -> None:
    (damaged.paths.clip(WALK) / "side.mp4").write_bytes(b"x")
    code, out, err = odah("validate", damaged.paths.root, "--jobs", 2, "--sample", 1)
    assert (code, out) == (1, "")
    assert f"{WALK} files: side.mp4 has changed since it was written" in err
    assert f"{WALK} frames: side.mp4: found unreadable data" in err
    assert "every picture decoded in 1 of 2 clips, a few in the others; --deep decodes all" in err
    assert "1 of 2 clips are valid" in err


def test_the_command_speaks_json_of_the_clips_asked_for(odah, painted: Dataset) -> None:
    code, out, _ = odah("validate", painted.paths.root, "--json", "--clips", "*_walking", "--jobs", 1)
    assert code == 0
    assert json.loads(out) == {
        "clips": 2, "audited": 1, "looked_at_wholly": 1, "valid": 1, "failed": {}, "dataset": {}, "notes": [],
    }  # fmt: skip


def test_a_pattern_that_no_clip_has_is_wrong_use(odah, painted: Dataset) -> None:
    code, out, err = odah("validate", painted.paths.root, "--clips", "nobody*")
    assert (code, out) == (2, "")
    assert f"--clips: found 'nobody*', expected a pattern of clips such as '{WAVE}'" in err
