"""The paper's dataset as planned, and subsets in general."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odah.assets import asset_path
from odah.config import GenerateConfig, SubsetConfig, load_config
from odah.dataset.plan import ClipPlan, choose_subset, plan_clips, smaller_subsets
from odah.dataset.subsets import subset_members
from odah.errors import InputError


@pytest.fixture(scope="module")
def odah() -> GenerateConfig:
    return load_config(asset_path("configs/generate") / "odah.yaml")


@pytest.fixture(scope="module")
def plans(odah: GenerateConfig) -> list[ClipPlan]:
    return plan_clips(odah, Path())


def test_the_papers_subjects_actions_and_splits(plans: list[ClipPlan]) -> None:
    assert len(plans) == 56 * 21
    split_of = {plan.subject: plan.split for plan in plans}
    assert Counter(split_of.values()) == {"train": 42, "val": 6, "test": 8}
    assert len({plan.action for plan in plans}) == 21


def test_every_clip_is_of_one_of_five_builds(plans: list[ClipPlan]) -> None:
    counts = Counter(plan.variant for plan in plans)
    assert set(counts) == {-4, -2, 0, 2, 4}
    assert min(counts.values()) > len(plans) / 5 * 0.8
    heavy = next(plan for plan in plans if plan.variant == 4)
    assert heavy.person == f"{heavy.subject}_bmi4"
    assert {plan.person for plan in plans if plan.variant == 0} <= {plan.subject for plan in plans}


def test_the_papers_subsets_hold_one_another(odah: GenerateConfig, plans: list[ClipPlan]) -> None:
    train = {
        name: [p for p in choose_subset(plans, odah, name) if p.split == "train"] for name in odah.subsets
    }
    assert [len(train[name]) for name in ("small", "medium", "large")] == [195, 397, 841]
    assert [len({p.subject for p in train[name]}) for name in ("small", "medium", "large")] == [10, 20, 42]
    ids = [{p.clip_id for p in train[name]} for name in ("small", "medium", "large")]
    assert ids[0] < ids[1] < ids[2]
    others = [p for p in plans if p.split != "train"]
    assert all(p.subsets == ("small", "medium", "large") for p in others)
    assert len(choose_subset(plans, odah, "large")) == 841 + len(others)
    assert not smaller_subsets(plans, odah)


def test_another_seed_plans_other_subsets_and_builds(odah: GenerateConfig, plans: list[ClipPlan]) -> None:
    again = plan_clips(odah, Path())
    assert again == plans
    other = plan_clips(odah.model_copy(update={"seed": odah.seed + 1}), Path())
    assert [p.clip_id for p in other] == [p.clip_id for p in plans]
    assert [p.subsets for p in other] != [p.subsets for p in plans]
    assert [p.variant for p in other] != [p.variant for p in plans]


def test_a_subset_of_too_few_clips_is_told(odah: GenerateConfig) -> None:
    motion = odah.motion.model_copy(update={"actions": ("walking", "kicking")})
    config = odah.model_copy(update={"motion": motion})
    assert smaller_subsets(plan_clips(config, Path()), config)[0] == (
        "subset small has 20 train clips instead of 195: there are no more"
    )


def test_an_unknown_subset_is_one_sentence(odah: GenerateConfig, plans: list[ClipPlan]) -> None:
    assert choose_subset(plans, odah, None) == plans
    with pytest.raises(InputError, match="--subset: found 'smal', expected one of small, medium, large"):
        choose_subset(plans, odah, "smal")
    with pytest.raises(InputError, match="a config with subsets"):
        choose_subset(plans, odah.model_copy(update={"subsets": {}}), "small")


@given(
    clips=st.lists(st.sampled_from("abcde"), min_size=1, max_size=40),
    sizes=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 40)), min_size=1, max_size=4),
    seed=st.integers(0, 99),
)
def test_subsets_nest_and_keep_to_their_sizes(
    clips: list[str], sizes: list[tuple[int, int]], seed: int
) -> None:
    train = {f"clip{k}": subject for k, subject in enumerate(clips)}
    counts, limits = (sorted(values) for values in zip(*sizes, strict=True))
    subsets = {
        f"s{k}": SubsetConfig(subjects=n, clips=m)
        for k, (n, m) in enumerate(zip(counts, limits, strict=True))
    }
    members = subset_members(train, subsets, seed)
    before: frozenset[str] = frozenset()
    for name, subset in subsets.items():
        chosen = members[name]
        assert before <= chosen
        assert len(chosen) <= subset.clips
        assert len({train[clip] for clip in chosen}) <= subset.subjects
        before = chosen
    everything = subset_members(train, {"all": SubsetConfig(subjects=9, clips=99)}, seed)
    assert everything["all"] == set(train)
