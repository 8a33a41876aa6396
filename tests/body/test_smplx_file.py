"""SMPL-X's file format: read, written, refused; and the `smplx` package as the reference engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.body.files import (
    pack_groups,
    pack_posedirs,
    read_arrays,
    unpack_groups,
    unpack_posedirs,
    write_arrays,
)
from odah.body.model import BodyModel, load_body
from odah.body.shape.bone_lengths import with_bone_lengths
from odah.body.smplx_export import exact_joint_regressor, write_smplx_npz
from odah.errors import InputError
from odah.names import SMPLX_PARENTS

NUM_VERTICES = 120


def synthetic_smplx(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A random body in exactly the format of SMPLX_NEUTRAL.npz, keys with Python objects included."""
    regressor = rng.dirichlet(np.ones(NUM_VERTICES), 55)
    return {
        "v_template": rng.normal(size=(NUM_VERTICES, 3)),
        "shapedirs": rng.normal(0, 0.02, (NUM_VERTICES, 3, 400)),
        "posedirs": rng.normal(0, 0.01, (NUM_VERTICES, 3, 486)),
        "J_regressor": regressor,
        "weights": rng.dirichlet(np.full(55, 0.1), NUM_VERTICES),
        "f": rng.integers(0, NUM_VERTICES, (200, 3)).astype(np.uint32),
        "kintree_table": np.array([[2**32 - 1, *SMPLX_PARENTS[1:]], range(55)], dtype=np.int64),
        "vt": rng.random((150, 2)),
        "ft": rng.integers(0, 150, (200, 3)).astype(np.uint32),
        "hands_meanl": rng.normal(0, 0.3, 45),
        "hands_meanr": rng.normal(0, 0.3, 45),
        "joint2num": np.array({"pelvis": 0}, dtype=object),
        "part2num": np.array({"global": 0}, dtype=object),
    }


@pytest.fixture
def smplx_file(tmp_path: Path) -> Path:
    path = tmp_path / "SMPLX_FEMALE.npz"
    np.savez(path, **synthetic_smplx(np.random.default_rng(0)))
    return path


def change(path: Path, **arrays: np.ndarray | None) -> None:
    """Rewrite the file with some arrays replaced, or left out where None."""
    everything = synthetic_smplx(np.random.default_rng(0)) | arrays
    np.savez(path, **{name: array for name, array in everything.items() if array is not None})


def test_reads_the_format_without_touching_pickled_keys(smplx_file: Path) -> None:
    body = load_body(smplx_file, num_betas=10, dtype=torch.float64)
    arrays = synthetic_smplx(np.random.default_rng(0))
    assert (body.num_vertices, body.num_betas, body.gender, body.is_open) == (
        NUM_VERTICES,
        10,
        "female",
        False,
    )
    betas = np.random.default_rng(1).normal(size=10)
    shaped = arrays["v_template"] + arrays["shapedirs"][..., :10] @ betas
    rest = body(torch.as_tensor(betas))
    np.testing.assert_allclose(rest.vertices.numpy(), shaped, atol=1e-12)
    np.testing.assert_array_equal(body.hand_mean.ravel()[45:], arrays["hands_meanr"])
    np.testing.assert_allclose(rest.joints.numpy(), arrays["J_regressor"] @ shaped, atol=1e-12)


def test_folder_means_the_file_of_that_gender(smplx_file: Path) -> None:
    assert load_body(smplx_file.parent, gender="female").name == "SMPLX_FEMALE"
    with pytest.raises(InputError, match=r"no SMPLX_MALE\.npz"):
        load_body(smplx_file.parent, gender="male")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"posedirs": None}, "no array 'posedirs'"),
        ({"weights": np.zeros((NUM_VERTICES, 24))}, "weights: found 120x24, expected Nx55"),
        ({"J_regressor": np.zeros((55, 77))}, "J_regressor: found 77 vertices, expected 120"),
        ({"v_template": np.full((NUM_VERTICES, 3), np.nan)}, "v_template: found numbers that are not finite"),
        ({"f": np.full((200, 3), NUM_VERTICES)}, "f: found vertex 120"),
        ({"weights": np.array([{"a": 1}], dtype=object)}, "weights: found pickled Python objects"),
        ({"kintree_table": np.zeros((2, 55), int)}, "kintree_table: found another joint tree"),
        (
            {"shapedirs": np.zeros((NUM_VERTICES, 3, 20))},
            "found 10 shape components, expected at least the 16",
        ),
    ],
)
def test_damaged_content_is_named(smplx_file: Path, changes: dict, message: str) -> None:
    change(smplx_file, **changes)
    with pytest.raises(InputError, match=message):
        load_body(smplx_file)


def test_wrong_files_are_refused_in_one_sentence(smplx_file: Path, tmp_path: Path) -> None:
    whole = smplx_file.read_bytes()
    smplx_file.write_bytes(whole[: len(whole) // 2])
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    (tmp_path / "SMPLX_NEUTRAL.pkl").write_bytes(b"\x80\x04.")
    (tmp_path / "empty.npz").touch()
    for name in ("SMPLX_FEMALE.npz", "array.npz", "SMPLX_NEUTRAL.pkl", "empty.npz", "none.npz"):
        with pytest.raises(InputError, match=name) as caught:
            load_body(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_damaged_array_inside_a_whole_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "body.npz"
    write_arrays(path, {"v_template": np.random.default_rng(0).normal(size=(500, 3))})
    data = bytearray(path.read_bytes())
    data[2000:2100] = bytes(100)
    path.write_bytes(data)
    with pytest.raises(InputError, match="v_template: found damaged data"):
        read_arrays(path, {"v_template": (None, 3)}, "a body")


def test_packing_is_undone_by_unpacking() -> None:
    rng = np.random.default_rng(0)
    dense = np.zeros((30, 3, 486), np.float32)
    dense[3, :, 9:18] = rng.normal(size=(3, 9))
    dense[29, :, 477:] = rng.normal(size=(3, 9))
    packed = pack_posedirs(dense)
    assert len(packed["posedirs_pairs"]) == 2
    unpacked = unpack_posedirs(packed["posedirs_pairs"], packed["posedirs_blocks"], 30)
    np.testing.assert_allclose(unpacked, dense, rtol=1e-3)
    groups = {"a": np.array([0, 7, 29]), "b": np.array([], int)}
    arrays = pack_groups(groups, 30)
    for name, members in unpack_groups(arrays["group_names"].tolist(), arrays["group_masks"], 30).items():
        np.testing.assert_array_equal(members, groups[name])


def test_writing_is_reproducible(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        write_arrays(tmp_path / name, {"x": np.arange(5), "y": np.eye(2)})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.fixture(scope="module")
def open_body() -> BodyModel:
    return load_body(dtype=torch.float64)


def random_inputs(frames: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(3)
    shapes = ((1.0, (frames, 16)), (0.3, (frames, 55, 3)), (1.0, (frames, 3)))
    betas, poses, transl = (torch.as_tensor(rng.normal(0, scale, shape)) for scale, shape in shapes)
    return betas, poses, transl


def test_export_reads_back_as_the_same_body(open_body: BodyModel, tmp_path: Path) -> None:
    every_tenth = open_body.restricted_to(np.arange(0, open_body.num_vertices, 10))
    part = replace(
        every_tenth, faces=np.array([[0, 1, 2]]), uv=np.zeros((3, 2)), uv_faces=np.array([[0, 1, 2]])
    )
    write_smplx_npz(part, tmp_path / "SMPLX_NEUTRAL.npz")
    again = load_body(tmp_path, dtype=torch.float64)
    inputs = random_inputs(2)
    torch.testing.assert_close(again(*inputs).vertices, part(*inputs).vertices, atol=1e-6, rtol=0)
    torch.testing.assert_close(again(*inputs).joints, part(*inputs).joints, atol=1e-6, rtol=0)


def test_exported_regressor_is_exact_for_every_shape(open_body: BodyModel) -> None:
    regressor = torch.as_tensor(exact_joint_regressor(open_body))
    vertices, joints = open_body.shaped(random_inputs(3)[0])
    torch.testing.assert_close(regressor @ vertices, joints, atol=1e-9, rtol=0)
    torch.testing.assert_close(regressor.sum(1), torch.ones(55, dtype=torch.float64))


def test_a_part_of_a_body_is_not_exported(open_body: BodyModel, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="without faces"):
        write_smplx_npz(open_body.restricted_to([0, 1]), tmp_path / "SMPLX_NEUTRAL.npz")
    assert not list(tmp_path.iterdir())


POSE_PARTS = {
    "global_orient": (0, 1), "body_pose": (1, 22), "jaw_pose": (22, 23), "leye_pose": (23, 24),
    "reye_pose": (24, 25), "left_hand_pose": (25, 40), "right_hand_pose": (40, 55),
}  # fmt: skip


@pytest.fixture(scope="module")
def exported(
    open_body: BodyModel, tmp_path_factory: pytest.TempPathFactory
) -> dict[bool, tuple[BodyModel, Any]]:
    """The open body, without and with bone lengths, and the `smplx` package's model of its export."""
    smplx = pytest.importorskip("smplx", reason="the smplx package (non-commercial licence) is not installed")
    bodies = {}
    for is_stretched, body in ((False, open_body), (True, with_bone_lengths(open_body))):
        folder = tmp_path_factory.mktemp("exported")
        write_smplx_npz(body, folder / "smplx" / "SMPLX_NEUTRAL.npz")
        bodies[is_stretched] = body, smplx.create(
            folder, "smplx", use_pca=False, flat_hand_mean=True, num_betas=body.num_betas, batch_size=2,
            dtype=torch.float64,
        )  # fmt: skip
    return bodies


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_smplx_package_agrees_to_a_hundredth_of_a_millimetre(
    exported: dict[bool, tuple[BodyModel, Any]], seed: int, is_stretched: bool
) -> None:
    body, reference = exported[is_stretched]
    rng = np.random.default_rng(seed)
    shapes = ((1.5, (2, body.num_betas)), (0.5, (2, 55, 3)), (2.0, (2, 3)))
    betas, poses, transl = (torch.as_tensor(rng.normal(0, scale, shape)) for scale, shape in shapes)
    pose_parts = {name: poses[:, a:b].reshape(2, -1) for name, (a, b) in POSE_PARTS.items()}
    expected = reference(betas=betas, transl=transl, **pose_parts)
    actual = body(betas, poses, transl)
    torch.testing.assert_close(actual.vertices, expected.vertices, atol=1e-5, rtol=0)
    torch.testing.assert_close(actual.joints, expected.joints[:, :55], atol=1e-5, rtol=0)
    nose = body.groups["landmark_nose"]
    torch.testing.assert_close(actual.vertices[:, nose], expected.joints[:, 55:56], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("num_joints", "found"), [(24, "an SMPL model of 24 joints"), (52, "an SMPL-H model of 52 joints")]
)
def test_models_of_the_same_makers_are_told_by_name(tmp_path: Path, num_joints: int, found: str) -> None:
    """Such files have fewer keys and pickled ones; what they are is said, not which key is missing."""
    arrays = {
        "v_template": np.zeros((NUM_VERTICES, 3)),
        "shapedirs": np.zeros((NUM_VERTICES, 3, 16)),
        "posedirs": np.zeros((NUM_VERTICES, 3, 9 * (num_joints - 1))),
        "weights": np.zeros((NUM_VERTICES, num_joints)),
        "kintree_table": np.zeros((2, num_joints), np.int64),
        "f": np.zeros((200, 3), np.uint32),
        "J_regressor": np.array({"sparse": 1}, dtype=object),
    }
    np.savez(tmp_path / "model.npz", **arrays)
    with pytest.raises(InputError, match=rf"model\.npz: found {found}, expected an SMPL-X model") as caught:
        load_body(tmp_path / "model.npz")
    assert "\n" not in str(caught.value)


def test_a_motion_or_a_folder_of_pickles_is_no_body(tmp_path: Path) -> None:
    np.savez(tmp_path / "walk_poses.npz", poses=np.zeros((5, 156)), trans=np.zeros((5, 3)))
    with pytest.raises(InputError, match=r"walk_poses\.npz: found no array 'kintree_table'"):
        load_body(tmp_path / "walk_poses.npz")
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "SMPLX_NEUTRAL.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(InputError, match=r"found no SMPLX_NEUTRAL\.npz but SMPLX_NEUTRAL\.pkl"):
        load_body(folder)
    (folder / "SMPLX_NEUTRAL.pkl").rename(folder / "SMPLX_NEUTRAL.npz")
    with pytest.raises(InputError, match="no readable npz archive"):
        load_body(folder)
