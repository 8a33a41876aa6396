"""What is there already: finished, changed, missing, in another split, or of no plan."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fake_clips import FakeMaker, begin, fake_clip

from odah.config import GenerateConfig
from odah.dataset import resume
from odah.dataset.index import update_index
from odah.dataset.plan import ClipPlan, plan_clips
from odah.dataset.resume import drop_remains, find_clips, relabel
from odah.dataset.schema import DatasetPaths
from odah.files import atomic_folder, atomic_path
from odah.locks import take_lock
from odah.wording import some_of

CONFIG = GenerateConfig.model_validate(
    {
        "name": "d",
        "motion": {"actions": ["walking", "kicking", "jogging", "running"]},
        "subjects": {"count": 1},
    }
)


@pytest.fixture
def plans() -> list[ClipPlan]:
    return [replace(plan, inputs=f"{k:064x}") for k, plan in enumerate(plan_clips(CONFIG, Path()))]


@pytest.fixture
def paths(tmp_path: Path, plans: list[ClipPlan]) -> DatasetPaths:
    """A dataset with all clips of the plans."""
    paths = DatasetPaths(tmp_path / "d")
    begin(FakeMaker(CONFIG, plans), paths)
    paths.state.mkdir()
    for plan in plans:
        fake_clip(paths, plan)
    return paths


def ids(plans: tuple[ClipPlan, ...]) -> list[str]:
    return [plan.action for plan in plans]


def test_of_a_new_dataset_all_clips_are_missing(tmp_path: Path, plans: list[ClipPlan]) -> None:
    found = find_clips(DatasetPaths(tmp_path), plans, [])
    assert ids(found.missing) == ["walking", "kicking", "jogging", "running"]
    assert found.waiting == plans
    assert found.sentences() == []


def test_each_clip_is_found_as_what_it_is(paths: DatasetPaths, plans: list[ClipPlan]) -> None:
    walking, kicking, jogging, running = plans
    (paths.clip(jogging.clip_id) / "clip.json").write_text('{"clip": ')
    new = replace(running, clip_id="subject001_new", action="new")
    wanted = [replace(walking, split="val"), replace(kicking, inputs="f" * 64), jogging, new]
    found = find_clips(paths, wanted, {plan.clip_id for plan in wanted})
    assert ids(found.finished) == ids(found.relabelled) == ["walking"]
    assert ids(found.changed) == ["kicking", "jogging"]
    assert ids(found.missing) == ["new"]
    assert found.orphans == (running.clip_id,)
    assert found.sentences() == [
        "1 of 4 clips are finished already",
        f"2 clips made from other inputs, to be made again: {kicking.clip_id}, {jogging.clip_id}",
        f"1 clip now in another split or other subsets: {walking.clip_id}",
        f"1 clip that the config does not name, left as they are: {running.clip_id}",
    ]


def test_other_shards_do_not_clear_up_the_index_while_it_is_written(
    paths: DatasetPaths, plans: list[ClipPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    def update(where: DatasetPaths) -> None:
        assert take_lock(where.lock("describe")) is None  # `drop_remains` of another shard would wait
        update_index(where)

    monkeypatch.setattr(resume, "update_index", update)
    assert len(find_clips(paths, plans, {plan.clip_id for plan in plans}).finished) == len(plans)


def test_clips_of_other_shards_are_no_orphans(paths: DatasetPaths, plans: list[ClipPlan]) -> None:
    found = find_clips(paths, plans[:1], {plan.clip_id for plan in plans})
    assert found.orphans == ()
    assert len(found.finished) == 1


def test_another_split_is_written_into_the_record_and_nothing_else(
    paths: DatasetPaths, plans: list[ClipPlan]
) -> None:
    moved = replace(plans[0], split="test", subsets=("small",))
    folder = paths.clip(moved.clip_id)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    killed = atomic_path(folder / "clip.json")
    killed.__enter__()
    relabel(paths, find_clips(paths, [moved], [moved.clip_id]).relabelled)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    old, new = (json.loads(files.pop("clip.json")) for files in (before, after))
    assert before == after
    assert new == old | {"split": "test", "subsets": ["small"]}
    assert find_clips(paths, [moved], [moved.clip_id]).relabelled == ()


@pytest.mark.parametrize("is_whole", [True, False])
def test_remains_go_but_not_what_other_shards_are_making(
    paths: DatasetPaths, plans: list[ClipPlan], is_whole: bool
) -> None:
    folders = [paths.clip(plan.clip_id) for plan in plans[:2]] + [paths.subject("subject001")]
    being_written = [atomic_folder(folder) for folder in folders]
    being_written += [atomic_path(path) for path in (paths.info, paths.index, paths.card, paths.split("val"))]
    mine, theirs, *shared = (each.__enter__() for each in being_written)
    assert all(path.exists() for path in (mine, theirs, *shared))
    keepsake = paths.root / ".gitattributes"
    keepsake.touch()
    drop_remains(paths, None if is_whole else {plans[0].clip_id})
    assert not mine.exists()
    assert theirs.exists() is not is_whole
    assert not any(path.exists() for path in shared)
    assert keepsake.exists()
    assert paths.info.is_file()
    assert len([path for path in paths.clips.iterdir() if path.name[0] != "."]) == len(plans)


def test_only_the_first_names_are_told() -> None:
    assert some_of(list("abcde")) == "a, b, c, d, e"
    assert some_of(list("abcdefg")) == "a, b, c, d, e and 2 more"
