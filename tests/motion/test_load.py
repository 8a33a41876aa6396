"""One door for every motion file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from odah.errors import InputError
from odah.motion import SUFFIXES, MarkerTrajectories, Motion, load_motion

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def amass_file(folder: Path, name: str = "walk.npz") -> Path:
    path = folder / name
    with path.open("wb") as file:
        np.savez(file, poses=np.zeros((4, 156)), trans=np.zeros((4, 3)), mocap_framerate=60.0)
    return path


def test_the_suffix_decides_and_its_case_does_not_matter(tmp_path):
    for name in ("walk.npz", "WALK.NPZ"):
        motion = load_motion(amass_file(tmp_path, name))
        assert isinstance(motion, Motion)
        assert motion.rate == 60.0


def test_options_go_to_the_reader(tmp_path):
    assert load_motion(amass_file(tmp_path), rate=30.0).rate == 30.0
    with pytest.raises(InputError, match="option up"):
        load_motion(amass_file(tmp_path), up="y")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_absent_empty_and_foreign_files(tmp_path, suffix):
    path = tmp_path / f"motion{suffix}"
    with pytest.raises(InputError, match="no such file"):
        load_motion(path)
    path.touch()
    with pytest.raises(InputError, match="empty"):
        load_motion(path)
    (tmp_path / "motion.asf").write_text("hello")
    for content in (b"hello", b"\x89PNG\r\n\x1a\n" + bytes(2000)):
        path.write_bytes(content)
        with pytest.raises(InputError, match="motion"):
            load_motion(path)


@pytest.mark.parametrize("name", ["walk.fbx", "walk", "walk.txt"])
def test_unknown_types_list_the_known_ones(tmp_path, name):
    with pytest.raises(InputError, match=r"\.npz, \.amc, \.bvh, \.c3d, \.trc"):
        load_motion(tmp_path / name)


@pytest.mark.parametrize("name", ["ik.mot", "ik.sto"])
def test_coordinates_need_their_model(tmp_path, name):
    with pytest.raises(InputError, match=r"\.osim"):
        load_motion(tmp_path / name)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("cmu_mocap/asfamc/02_01.amc", Motion),
        ("cmu_mocap/bvh_from_fbx/13_07.bvh", Motion),
        ("cmu_mocap/c3d/85_02.c3d", MarkerTrajectories),
        ("opensim_models/Pipelines/Gait2354_Simbody/subject01_walk1.trc", MarkerTrajectories),
    ],
)
def test_real_files(name, kind):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the project")
    assert isinstance(load_motion(path), kind)
