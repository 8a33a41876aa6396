import re
from typing import Any

import pytest
import yaml

from odah.dataset.describe import describe_dataset
from odah.dataset.label_conventions import LABEL_UNITS, POSITIVE, coordinate_rows, coordinate_unit
from odah.dataset.reader import Dataset
from odah.dataset.schema import LABEL_SHAPES
from odah.names import OPENSIM_COORDINATES, ROOT_TRANSLATIONS


def card_of(dataset: Any) -> tuple[dict[str, Any], str]:
    """Front matter and text, written anew."""
    describe_dataset(dataset.paths)
    _, head, text = dataset.paths.card.read_text().split("---\n", 2)
    return yaml.safe_load(head), text


def test_an_open_dataset(made_up) -> None:
    dataset = made_up()
    dataset.add("ann_walking", subsets=["small", "large"])
    dataset.add("ann_running", subsets=["large"], flags=["knee beyond its range"])
    dataset.add(
        "bob_walking", split="test", body={"gender": "male", "age": 63.0, "height": 1.85, "bmi": 25.0}
    )
    head, text = card_of(dataset)
    assert head["license"] == ["apache-2.0", "cc0-1.0"]
    assert head["size_categories"] == ["n<1K"]
    assert head["configs"][0]["data_files"] == [
        {"split": "train", "path": "splits/train.parquet"},
        {"split": "test", "path": "splits/test.parquet"},
    ]
    for words in (
        "| clips | 3 (270 frames, 9 s) |",
        "front, side; 192x128 px, 30 frames/s",
        "| train | 2 | 1 | 180 | 0.1 |",
        "| test | 1 | 1 | 90 | 0.1 |",
        "small (1), large (2) clips",
        "walking (2), running (1)",
        "female (1), male (1); age 41 to 63 years, median 52; height 1.7 to 1.85 m",
        "1 of 3 clips are flagged (column `flags` says why): ann_running",
        "- Motion: builtin: Apache-2.0 (3).",
    ):
        assert words in text
    assert "NOT FOR COMMERCIAL USE" not in text
    assert "Pavlakos" not in text


def test_an_empty_dataset(made_up) -> None:
    head, text = card_of(made_up())
    assert "configs" not in head
    assert head["license"] == "other"
    assert "| clips | 0 (0 frames, 0 s) |" in text
    assert "No clip is finished yet" in text
    assert "load_dataset" not in text


def test_a_licensed_body_is_said_loudly(made_up) -> None:
    dataset = made_up()
    dataset.add("ann_walking")
    dataset.add("bob_walking", body={"kind": "SMPLX_MALE.npz", "licence": "SMPL-X (user's own)"})
    head, text = card_of(dataset)
    assert head["license"] == "other"
    assert text.index("NOT FOR COMMERCIAL USE: the body in 1 clip is SMPL-X (SMPLX_MALE.npz)") < text.index(
        "Videos of"
    )
    assert "SMPLX_MALE.npz: SMPL-X (user's own) (1)" in text
    assert "Pavlakos" in text


def test_terms_of_motion_and_garments_are_said(made_up) -> None:
    dataset = made_up()
    dataset.add(
        "ann_walking", source={"path": "a.npz", "format": "amass", "licence": "AMASS, non-commercial"}
    )
    dataset.add("bob_walking", source={"path": "b.c3d", "format": "c3d", "licence": "unknown"})
    dataset.add("cy_walking", textures={"licence": "Apache-2.0, procedural; user's own: coat"})
    _, text = card_of(dataset)
    assert "the licence of the motion of 1 clip: AMASS, non-commercial" in text
    assert "The licence of the motion of 1 clip is unknown" in text
    assert "1 clip with garments or pictures of the maker's own" in text


def test_crops_and_other_views(made_up) -> None:
    dataset = made_up(views=("cam3",), video={"crop": {"size": 64}})
    dataset.add("ann_walking")
    _, text = card_of(dataset)
    assert "1 view each" in text
    assert "| pictures | cam3; crops of 64x64 px" in text
    assert "(u + 0.5 - left) x 64 / side - 0.5" in text
    assert "video_cam3" in text
    assert "front" not in text


def test_text_of_others_does_not_break_the_card(made_up) -> None:
    dataset = made_up()
    dataset.add("ann_walking", source={"path": "x", "format": "bvh", "licence": "a | b\n---\n# <script>"})
    head, text = card_of(dataset)
    assert head["license"] == "other"
    assert "bvh: a \\| b --- # &lt;script> (1)" in text


def test_the_worst_clip_is_named(made_up) -> None:
    dataset = made_up()
    dataset.add("ann_walking", error_budget={"mesh_joint_mean_mm": 2.0, "joints_inside_mask": 0.9})
    dataset.add("bob_walking", error_budget={"mesh_joint_mean_mm": 7.0, "joints_inside_mask": 1.0})
    _, text = card_of(dataset)
    assert re.search(r"`mesh_joint_mean_mm`.*\| 4.5 \| 6.75 \| 7 \| bob_walking \|", text)
    assert re.search(r"`joints_inside_mask`.*\| 0.95 \| 0.905 \| 0.9 \| ann_walking \|", text)
    assert "marker_rms_mm" not in text  # no clip has it


def test_a_damaged_clip_is_told_and_the_rest_described(made_up, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = made_up()
    dataset.add("ann_walking")
    dataset.write("bob_walking", "{")
    assert describe_dataset(dataset.paths) == 1
    told = capsys.readouterr()
    assert "bob_walking" in " ".join((told.out + told.err).split())
    assert "| clips | 1 " in dataset.paths.card.read_text()


def test_every_coordinate_and_label_is_told_in_words() -> None:
    rows = coordinate_rows(OPENSIM_COORDINATES, [(-1.0, 1.0)] * len(OPENSIM_COORDINATES))
    assert {row.positive for row in rows} == set(POSITIVE.values())
    assert [name for row in rows for name in row.names.split(", ")] != []
    assert {name for row in rows for name in row.names.split(", ")} == set(OPENSIM_COORDINATES)
    assert LABEL_UNITS.keys() == LABEL_SHAPES.keys()
    assert {name for name in OPENSIM_COORDINATES if coordinate_unit(name) == "m"} == set(ROOT_TRANSLATIONS)


def test_sides_of_different_range_have_rows_of_their_own() -> None:
    rows = coordinate_rows(["knee_angle_r", "knee_angle_l"], [(0.0, 2.0), (0.0, 1.0)])
    assert [(row.names, round(row.high, 1)) for row in rows] == [
        ("knee_angle_r", 114.6),
        ("knee_angle_l", 57.3),
    ]


@pytest.mark.blender
def test_the_card_of_a_real_dataset(tiny_dataset: Dataset) -> None:
    card = tiny_dataset.paths.card.read_text()
    for words in ("| clips | 2 (6 frames", "hand_waving (1), walking (1)", "CC0-1.0 (2)", "cycles: CPU: 4.5"):
        assert words in card


def test_the_description_in_dataset_json(made_up) -> None:
    info = made_up().info
    assert len(info["coordinate_units"]) == len(info["coordinate_names"])
    assert info["label_units"]["joints"] == "m, ground"
    assert info["splits"].keys() == {"train", "val", "test"}
