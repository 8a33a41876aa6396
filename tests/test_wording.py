from odah.wording import clips_told, some_of


def test_the_first_names_and_how_many_more() -> None:
    assert some_of(["a", "b"], 2) == "a, b"
    assert some_of({"a": 1, "b": 2, "c": 3}, 2) == "a, b and 1 more"


def test_one_clip_is_no_plural() -> None:
    assert (clips_told(1), clips_told(2)) == ("1 clip", "2 clips")
