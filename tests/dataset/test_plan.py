from pathlib import Path

import pytest

from odah.config import GenerateConfig
from odah.dataset.plan import plan_clips, shard
from odah.errors import InputError
from odah.names import BMLMOVI_ACTIONS


def config(**update: object) -> GenerateConfig:
    return GenerateConfig.model_validate(
        {"name": "x", "motion": {"actions": ["walking", "jumping"]}, **update}
    )


def test_every_subject_performs_every_action() -> None:
    plans = plan_clips(config(subjects={"count": 3}), Path())
    assert [plan.clip_id for plan in plans[:3]] == [
        "subject001_walking",
        "subject001_jumping",
        "subject002_walking",
    ]
    assert len(plans) == 6


def test_the_papers_split_of_56_subjects() -> None:
    plans = plan_clips(config(subjects={"count": 56}, motion={"actions": ["walking"]}), Path())
    counts = [sum(plan.split == split for plan in plans) for split in ("train", "val", "test")]
    assert counts == [42, 6, 8]


def test_a_subject_is_in_one_split_only() -> None:
    splits: dict[str, set[str]] = {}
    for plan in plan_clips(config(subjects={"count": 9}), Path()):
        splits.setdefault(plan.subject, set()).add(plan.split)
    assert all(len(found) == 1 for found in splits.values())


def test_shards_partition_the_clips() -> None:
    plans = plan_clips(config(subjects={"count": 5}), Path())
    parts = [shard(plans, f"{k}/3") for k in (1, 2, 3)]
    assert sorted(plan.clip_id for part in parts for plan in part) == sorted(plan.clip_id for plan in plans)


@pytest.mark.parametrize("text", ["5/4", "0/2", "1", "a/b", "1/0"])
def test_bad_shards_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="--shard"):
        shard([], text)


def test_recordings_become_subjects_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "07_05.amc").write_text("x")
    (tmp_path / "07_05.bvh").write_text("x")
    motion = {"recordings": ["07_05.amc", {"path": "07_05.bvh", "subject": "Seven", "action": "slow walk"}]}
    plans = plan_clips(config(motion=motion), tmp_path)
    assert [plan.clip_id for plan in plans] == ["07_05_amc", "seven_slow_walk"]


def test_duplicates_and_missing_recordings_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.bvh").write_text("x")
    with pytest.raises(InputError, match="two clips called 'a_bvh'"):
        plan_clips(config(motion={"recordings": ["a.bvh", "a.bvh"]}), tmp_path)
    with pytest.raises(InputError, match=r"b\.bvh: found no such file"):
        plan_clips(config(motion={"recordings": ["b.bvh"]}), tmp_path)


def test_all_built_in_actions_with_one_word() -> None:
    plans = plan_clips(config(motion={"source": "builtin"}, subjects={"count": 1}), Path())
    assert [plan.action for plan in plans] == list(BMLMOVI_ACTIONS)
    fewer = {"source": "builtin", "actions": ["kicking"]}
    assert [p.action for p in plan_clips(config(motion=fewer, subjects={"count": 1}), Path())] == ["kicking"]


def test_a_collection_beside_actions_and_recordings(tmp_path: Path) -> None:
    for name in ("cmu/07_05.bvh", "cmu/07_12.bvh", "cmu/08_01.bvh", "cmu/own.bvh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    motion = {"source": "cmu", "root": "cmu", "takes": 2, "actions": ["walking"], "recordings": ["own.bvh"]}
    plans = plan_clips(config(motion=motion, subjects={"count": 1}), tmp_path)
    assert [plan.clip_id for plan in plans] == ["subject001_walking", "cmu_07_05", "cmu_07_12", "own_bvh"]
    assert plans[1].recording is not None
    assert plans[1].recording.path == str(tmp_path / "cmu" / "07_05.bvh")
    assert "free for all uses" in (plans[1].recording.licence or "")
    assert (plans[1].subject, plans[1].action) == ("cmu_07", "take_05")


def test_a_subject_who_is_called_as_anothers_variant_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.bvh").write_text("x")
    motion = {"recordings": [{"path": "a.bvh", "subject": name} for name in ("tom", "tom_bmi4")]}
    people = {"bmi_variants": [4, 0]}
    with pytest.raises(InputError, match="a subject and a variant of another who are both called 'tom_bmi4'"):
        plan_clips(config(motion=motion, subjects=people, seed=1), tmp_path)
