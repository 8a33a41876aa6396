from dataclasses import dataclass, field

import numpy as np
import pytest

from odah.dataset.report.choose import kind_of, kinds_of, spread_over, worst_clips


@dataclass
class Stub:
    """As much of a clip's facts as choosing needs."""

    clip_id: str
    record: dict
    value: float | None = None
    seen: list = field(default_factory=list)

    def residual(self, key: str) -> float | None:
        self.seen.append(key)
        return self.value


def grid(subjects: int, actions: int) -> list[Stub]:
    return [
        Stub(f"s{s}_a{a}", {"subject": f"s{s}", "action": f"a{a}"})
        for s in range(subjects)
        for a in range(actions)
    ]


def test_a_sheet_shows_every_subject_and_action_before_it_repeats_one(rng: np.random.Generator) -> None:
    chosen = spread_over(grid(6, 4), 6, rng)
    assert len({clip.record["subject"] for clip in chosen}) == 6
    assert len({clip.record["action"] for clip in chosen}) == 4


def test_a_sheet_follows_from_its_seed_and_takes_no_clip_twice() -> None:
    names = [
        [clip.clip_id for clip in spread_over(grid(5, 5), 12, np.random.default_rng(seed))]
        for seed in (1, 1, 2)
    ]
    assert names[0] == names[1] != names[2]
    assert len(set(names[0])) == 12
    assert len(spread_over(grid(2, 2), 9, np.random.default_rng(0))) == 4


def test_the_worst_are_the_largest_or_lowest_and_those_without_a_value_are_left_out() -> None:
    clips = [Stub(f"c{k}", {}, value) for k, value in enumerate([3.0, None, 9.0, 1.0, 4.0, 8.0, 2.0])]
    assert [c.clip_id for c, _ in worst_clips(clips, "x", lowest=False)] == ["c2", "c5", "c4", "c0", "c6"]
    assert [c.clip_id for c, _ in worst_clips(clips, "x", lowest=True)] == ["c3", "c6", "c0", "c4", "c5"]


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("5 mm below the floor in 5 % of frames (its skeleton 3 mm)", "… mm below the floor in … of frames"),
        ("feet slide 2.4 mm a frame more", "feet slide … mm a frame more"),
        ("knee_angle_r outside its range in 3 of 40 frames", "knee_angle_r outside its range in … frames"),
        ("no camera sees the person in 12% of frames", "no camera sees the person in … of frames"),
    ],
)
def test_sentences_that_differ_in_numbers_are_of_one_kind(sentence: str, kind: str) -> None:
    assert kind_of(sentence) == kind


def test_kinds_are_counted_once_a_clip_the_most_frequent_first() -> None:
    kinds = kinds_of([("a", ["slides 1 mm"]), ("b", ["slides 2 mm", "slides 3 mm", "floats 1 mm"])])
    assert [(kind.sentence, kind.clips) for kind in kinds] == [
        ("slides … mm", ("a", "b")),
        ("floats … mm", ("b",)),
    ]
