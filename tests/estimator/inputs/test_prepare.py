"""What the network sees and should answer belongs together, however pictures are changed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dataset.synthetic import Synthetic
from estimator.solids import generator, made_sample
from torch import Tensor

from odah.dataset.sequences import SequenceDataset
from odah.estimator.batch import Pictures, Targets
from odah.estimator.config import AugmentationConfig, DataConfig
from odah.estimator.inputs.points import project
from odah.estimator.inputs.prepare import Prepared, prepare
from odah.estimator.skeleton import PELVIS, Skeleton
from odah.names import OPENSIM_JOINTS

DATA = DataConfig(size=32, points=40, reference="camera", recrop=True)
EVERYTHING = AugmentationConfig(
    shift=0.1, zoom=0.1, roll_deg=20, brightness=0.3, contrast=0.3, saturation=0.5, blur=0.5, noise=0.1,
    occlusion=0.5, mask=0.5, camera_deg=0.5, camera_px=1, view_dropout=0.3, mirror=0.5, any_pair=True,
)  # fmt: skip
GEOMETRY = AugmentationConfig(shift=0.05, zoom=0.1, roll_deg=20, mirror=0.5, any_pair=True)


def tensors(prepared: Prepared) -> dict[str, Tensor]:
    parts = (prepared.pictures, prepared.targets, prepared.reference)
    named = {name: value for part in parts if part is not None for name, value in vars(part).items()}
    return named | {name: getattr(prepared, name) for name in ("masks", "K", "T_cam_world", "T_world_ground")}


def world_of(points: Tensor, prepared: Prepared) -> Tensor:
    """Points about the centres, in ref, in the world."""
    ground = points @ prepared.reference.rotmats[:, None].mT + prepared.reference.centres[:, :, None]
    T = prepared.T_world_ground[:, None]
    return ground @ T[..., :3, :3].mT + T[..., None, :3, 3]


def joints_of(prepared: Prepared) -> Tensor:
    """The targets' joints in the final pictures, px."""
    targets = prepared.targets
    assert targets is not None
    joints = (targets.keypoints + targets.pelvis[:, :, None])[:, :, : len(OPENSIM_JOINTS)]
    return project(world_of(joints, prepared), prepared.K, prepared.T_cam_world)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    """A batch of one sequence in three views, of pictures whose masks are the hulls of the joints."""
    made = Synthetic({"a_b": 4}, views=("front", "side", "back"), crop_size=96)
    dataset = made.write(tmp_path_factory.mktemp("prepare") / "dataset")
    sample = SequenceDataset(dataset, length=4, size=96)[0]
    return {name: value[None] for name, value in sample.items() if isinstance(value, Tensor)}


@pytest.mark.parametrize("reference", ["ground", "camera"])
@pytest.mark.parametrize("augmentation", [None, GEOMETRY])
def test_the_targets_joints_are_on_the_person(
    drawn: dict[str, Tensor], reference: str, augmentation: AugmentationConfig | None
) -> None:
    data = DataConfig(size=64, points=32, reference=reference, recrop=True)  # type: ignore[arg-type]
    for seed in range(4):
        prepared = prepare(drawn, data, generator=generator(seed), augmentation=augmentation)
        wide = torch.nn.functional.max_pool2d(prepared.masks.flatten(0, 2).float(), 3, 1, 1)
        pixels = joints_of(prepared).flatten(0, 2).round().long()
        is_inside = ((pixels >= 0) & (pixels < 64)).all(-1)
        assert is_inside.float().mean() > 0.9
        column, row = pixels.clamp(0, 63).unbind(-1)
        assert wide.flatten(1).gather(1, row * 64 + column)[is_inside].all()


def test_without_changes_the_joints_are_where_the_dataset_says(drawn: dict[str, Tensor]) -> None:
    data = DataConfig(size=96, points=32)
    prepared = prepare(drawn, data, generator=generator())
    torch.testing.assert_close(joints_of(prepared), drawn["keypoints"][:, :2], atol=5e-3, rtol=0)
    assert torch.equal(prepared.masks, drawn["masks"][:, :2])
    shown = prepared.pictures.images * torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    shown = (shown + torch.tensor([0.485, 0.456, 0.406])[:, None, None]) * 255
    expected = drawn["images"][:, :2].float()
    on_person = prepared.masks[:, :, :, None].expand_as(expected)
    torch.testing.assert_close(shown[on_person], expected[on_person], atol=1e-3, rtol=0)


@pytest.mark.parametrize("augmentation", [None, EVERYTHING])
def test_pictures_and_points_belong_together(augmentation: AugmentationConfig | None) -> None:
    sample = made_sample(sequences=6, angles_deg=(-90.0, -30.0, 40.0), labels=True)
    given = {name: value.clone() for name, value in sample.items()}
    prepared = prepare(sample, DATA, generator=generator(), augmentation=augmentation)
    pictures = prepared.pictures
    assert pictures.images.shape == (6, 2, 3, 3, 32, 32)
    assert all(value.isfinite().all() for value in tensors(prepared).values())
    assert not pictures.images[~prepared.masks[:, :, :, None].expand_as(pictures.images)].any()
    assert pictures.images[prepared.masks[:, :, :, None].expand_as(pictures.images)].count_nonzero() > 1000
    torch.testing.assert_close(pictures.points.mean(2), torch.zeros(6, 3, 3), atol=1e-5, rtol=0)
    pixels = project(world_of(pictures.points, prepared), prepared.K, prepared.T_cam_world)
    is_view = pictures.is_view
    torch.testing.assert_close(pictures.pixels[is_view], pixels[is_view], atol=2e-3, rtol=0)
    assert not pictures.pixels[~is_view].any()
    assert not prepared.masks[~is_view].any()
    for name, value in given.items():
        assert torch.equal(sample[name], value)


@pytest.mark.parametrize("reference", ["ground", "camera"])
@pytest.mark.parametrize("mirror", [0.0, 1.0])
def test_the_targets_angles_put_the_skeleton_where_its_keypoints_are(reference: str, mirror: float) -> None:
    sample = made_sample(sequences=3, labels=True)
    data = DataConfig(size=32, points=16, reference=reference)  # type: ignore[arg-type]
    targets = prepare(
        sample, data, generator=generator(), augmentation=AugmentationConfig(mirror=mirror)
    ).targets
    assert targets is not None
    keypoints = Skeleton()(targets.angles, targets.scales[:, None])
    torch.testing.assert_close(targets.keypoints, keypoints, atol=1e-4, rtol=0)
    assert not targets.keypoints[:, :, PELVIS].any()


def test_the_reference_does_not_depend_on_the_worlds_axes() -> None:
    """With "camera"; ground and world are turned about the vertical, each by an angle of its own."""
    sample = made_sample(labels=True)
    turned = dict(sample)
    c, s = np.cos(0.7), np.sin(0.7)
    about_z = torch.tensor([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=torch.float32)
    about_y = torch.tensor([[s, 0, c, 0], [0, 1, 0, 0], [-c, 0, s, 0], [0, 0, 0, 1]], dtype=torch.float32)
    turned["T_cam_world"] = sample["T_cam_world"] @ about_z
    turned["T_world_ground"] = about_z.T @ sample["T_world_ground"] @ about_y
    for name in ("joints", "body_coms"):
        turned[name] = sample[name] @ about_y[:3, :3]
    one, other = (prepare(each, DATA, generator=generator()) for each in (sample, turned))
    assert one.targets is not None
    assert other.targets is not None
    torch.testing.assert_close(other.targets.keypoints, one.targets.keypoints, atol=2e-3, rtol=0)
    torch.testing.assert_close(other.targets.pelvis, one.targets.pelvis, atol=2e-2, rtol=0)
    assert not torch.allclose(other.reference.rotmats, one.reference.rotmats, atol=0.1)


def test_no_augmentation_is_an_augmentation_of_zeros() -> None:
    sample = made_sample(labels=True)
    states = generator(), generator()
    none, zeros = (
        tensors(prepare(sample, DATA, generator=state, augmentation=augmentation))
        for state, augmentation in zip(states, (None, AugmentationConfig()), strict=True)
    )
    assert all(torch.equal(none[name], zeros[name]) for name in none)
    assert torch.equal(states[0].get_state(), states[1].get_state())


def test_the_generators_state_decides_everything() -> None:
    sample = made_sample(sequences=4, angles_deg=(-90.0, -30.0, 40.0), labels=True)
    first, again, other = (
        tensors(prepare(sample, DATA, generator=generator(seed), augmentation=EVERYTHING))
        for seed in (5, 5, 6)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["images"], other["images"])
    assert not torch.equal(first["points"], other["points"])


def test_one_view_without_labels() -> None:
    sample = made_sample(angles_deg=(-60.0,))
    prepared = prepare(sample, DATA, generator=generator())
    assert prepared.targets is None
    assert prepared.pictures.is_view.tolist() == [[True, False]] * 2
    assert prepared.pictures.images[:, 0].any()
    assert not prepared.pictures.images[:, 1].any()
    assert all(value.isfinite().all() for value in tensors(prepared).values())


def test_frames_without_anybody_and_frames_that_are_none() -> None:
    sample = made_sample(labels=True)
    sample["masks"][0, 0, 1] = False
    sample["masks"][1, :, 2] = False
    sample["is_frame"][1, 2] = False
    prepared = prepare(sample, DATA, generator=generator(), augmentation=EVERYTHING)
    assert all(value.isfinite().all() for value in tensors(prepared).values())
    assert isinstance(prepared.targets, Targets)
    assert isinstance(prepared.pictures, Pictures)
    assert torch.equal(prepared.targets.is_frame, sample["is_frame"])
