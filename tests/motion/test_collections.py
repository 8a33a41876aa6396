"""Folders of recordings as people keep them: who did what in which file; and folders of something else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from odah.errors import InputError
from odah.motion.collections import bmlmovi, cmu
from odah.motion.collections.scan import folder_files, natural_key
from odah.motion.collections.sources import collection_takes
from odah.names import BMLMOVI_ACTIONS

MOTIONS = (
    "walk", "talking on phone", "side gallop", "vertical jump", "cross legs, sitting", "cross arms", "Tango",
)  # fmt: skip


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def movi_list(path: Path, motions: tuple[str, ...] = MOTIONS) -> Path:
    """As MoVi's files are nested: Subject_N_F.move.motions_list, a cell array."""
    move = {"motions_list": np.array(motions, dtype=object), "flags30": np.ones((len(motions), 2))}
    savemat(path, {"Subject_11_F": {"subject": {"sex": "female"}, "move": move}})
    return path


@pytest.fixture
def amass(tmp_path: Path) -> Path:
    return touch(
        tmp_path,
        "Subject_11_F_MoSh/Subject_11_F_10_poses.npz",
        "Subject_11_F_MoSh/Subject_11_F_2_poses.npz",
        "Subject_11_F_MoSh/shape.npz",
        "Subject_2_F_MoSh/Subject_2_F_1_poses.npz",
        "Subject_2_F_MoSh/Subject_2_F_1_stageii.npz",
        "Subject_9_F_MoSh/Subject_9_F_1_stageii.npz",
        "Subject_9_F_MoSh/neutral_stagei.npz",
        ".cache/Subject_5_F_1_poses.npz",
        "LICENSE.txt",
    )


def test_bmlmovi_is_found_by_subject_and_number(amass: Path) -> None:
    takes = bmlmovi.find_takes(amass)
    assert [(take.subject, take.name, take.action) for take in takes] == [
        ("bmlmovi_02", "01", "take 01"),
        ("bmlmovi_09", "01", "take 01"),
        ("bmlmovi_11", "02", "take 02"),
        ("bmlmovi_11", "10", "take 10"),
    ]
    assert takes[0].path.name == "Subject_2_F_1_stageii.npz"
    assert "non-commercial" in (takes[0].licence or "")


def test_actions_of_bmlmovi_come_from_the_persons_own_list(amass: Path) -> None:
    movi_list(amass / "F_v3d_Subject_11.mat")
    touch(amass, *(f"Subject_11_F_{k}_poses.npz" for k in range(1, 8)))
    actions = {take.path.name: take.action for take in collection_takes("bmlmovi", amass, 9, 21)}
    assert [actions[f"Subject_11_F_{k}_poses.npz"] for k in range(1, 8)] == [
        "walking", "phone_talking", "sideways", "vertical_jumping", "crossing_legs_while_sitting",
        "crossing_arms", "Tango",
    ]  # fmt: skip
    assert actions["Subject_11_F_10_poses.npz"] == "take 10"
    assert actions["Subject_9_F_1_stageii.npz"] == "take 01"
    words = [name.replace("_", " ") for name in BMLMOVI_ACTIONS]
    assert [bmlmovi.action_name(word) for word in words] == list(BMLMOVI_ACTIONS)


def test_a_mat_file_that_kills_its_reader_is_one_sentence(tmp_path: Path) -> None:
    """The byte that is changed makes scipy's reader run into a segmentation fault."""
    path = movi_list(tmp_path / "F_v3d_Subject_2.mat")
    whole = path.read_bytes()
    path.write_bytes(whole[:540] + b"\7" + whole[541:])
    with pytest.raises(InputError, match=r"Subject_2\.mat: found no readable motions_list"):
        bmlmovi.read_motions_lists([path])


INDEX = """"CMU, full listing",,
MOTION,DESCRIPTION,SUBJECT
07_05,"walk, slow",Subject #7
7_12,,Subject #7
"""


def test_cmu_is_found_in_its_own_layout_and_as_bvh(tmp_path: Path) -> None:
    touch(tmp_path, "subjects/07/07.asf", "subjects/07/07_12.amc", "subjects/07/07_05.amc",
          "bvh/07_05.bvh", "bvh/131_03.bvh", "bvh/notes.txt")  # fmt: skip
    (tmp_path / "index.csv").write_text(INDEX)
    takes = cmu.find_takes(tmp_path)
    assert [(take.subject, take.name, take.action, take.path.suffix) for take in takes] == [
        ("cmu_07", "05", "walk, slow", ".amc"),
        ("cmu_07", "12", "take 12", ".amc"),
        ("cmu_131", "03", "take 03", ".bvh"),
    ]
    assert "free for all uses" in (takes[0].licence or "")


def test_an_amc_without_its_skeleton_is_told(tmp_path: Path) -> None:
    touch(tmp_path, "07_05.amc", "08.asf", "09.asf")
    with pytest.raises(InputError, match=r"07_05\.amc: found no skeleton, expected 07\.asf beside it"):
        cmu.find_takes(tmp_path)


def test_real_recordings_of_cmu(shared_data: Path) -> None:
    root = shared_data / "cmu_mocap"
    takes = {f"{take.subject}_{take.name}": take for take in collection_takes("cmu", root, 99, 99)}
    assert takes["cmu_07_05"].action == "slow walk"
    assert takes["cmu_07_05"].path == root / "asfamc" / "07_05.amc"
    assert takes["cmu_131_03"].path.suffix == ".bvh"
    assert takes["cmu_10_01"].action == "soccer - kick ball"
    assert all(take.path.is_file() for take in takes.values())


def test_people_with_most_takes_come_first_then_by_number(tmp_path: Path) -> None:
    for who, count in (("02", 2), ("10", 3), ("9", 2)):
        touch(tmp_path, *(f"{who}_{k:02d}.bvh" for k in range(count)))
    takes = collection_takes("cmu", tmp_path, 2, 2)
    assert [(take.subject, take.name) for take in takes] == [
        ("cmu_02", "00"), ("cmu_02", "01"), ("cmu_10", "00"), ("cmu_10", "01"),
    ]  # fmt: skip
    assert sorted(["a10", "a9", "b1"], key=natural_key) == ["a9", "a10", "b1"]


@pytest.mark.parametrize("source", ["bmlmovi", "cmu"])
def test_wrong_folders_are_one_sentence_with_the_layout(tmp_path: Path, source: str) -> None:
    words = {"bmlmovi": "Subject_11_F_MoSh/Subject_11_F_7_poses.npz", "cmu": "subjects/07/07_05.amc"}[source]
    touch(tmp_path, "file.txt", "empty/x/y.txt")
    for folder, found in (("none", "no such folder"), ("file.txt", "a file"), ("empty", "no take of")):
        with pytest.raises(InputError) as caught:
            collection_takes(source, tmp_path / folder, 1, 1)
        assert found in str(caught.value)
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)


def test_linked_folders_are_walked_once(tmp_path: Path) -> None:
    touch(tmp_path, "real/a.txt", ".hidden/b.txt")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "back").symlink_to(tmp_path / "root")
    assert [names for _, names in folder_files(tmp_path / "root", "anything")] == [[], ["a.txt"]]
    assert all("hidden" not in folder for folder, _ in folder_files(tmp_path, "anything"))
