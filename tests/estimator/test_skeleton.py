"""Keypoints are those of the scaled model, and follow angles and scales smoothly."""

import numpy as np
import pytest
import torch

from odah.dataset.reader import Dataset
from odah.estimator.skeleton import ANGLE_PLACES, ANGLES, CONSTRAINED_ANGLES, FREE_ANGLES, KEYPOINTS, Skeleton
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model
from odah.osim.scale import scale_model


@pytest.fixture(scope="module")
def skeleton() -> Skeleton:
    return Skeleton()


def test_angles_are_the_papers(skeleton: Skeleton) -> None:
    assert (len(ANGLES), len(FREE_ANGLES), len(CONSTRAINED_ANGLES), len(KEYPOINTS)) == (36, 9, 27, 44)
    assert [ANGLES[k] for k in skeleton.free] == list(FREE_ANGLES)
    assert [ANGLES[k] for k in skeleton.constrained] == list(CONSTRAINED_ANGLES)
    ranges = dict(zip(ANGLES, np.rad2deg(skeleton.ranges.numpy()), strict=True))
    assert ranges["elbow_flex_l"] == pytest.approx([0, 150])
    assert ranges["hip_flexion_r"] == pytest.approx([-30, 120])


def test_keypoints_are_those_of_the_model_scaled_on_its_own(skeleton: Skeleton) -> None:
    rng = np.random.default_rng(5)
    coordinates, scales = rng.uniform(-1.2, 1.2, 39), rng.uniform(0.8, 1.25, (22, 3))
    pose = ForwardKinematics(scale_model(full_body_model(), scales))(torch.tensor(coordinates))
    points = torch.cat([pose.joints, pose.body_coms]) - pose.joints[0]
    angles = torch.tensor(coordinates[ANGLE_PLACES], dtype=torch.float32)
    found = skeleton(angles, torch.tensor(scales, dtype=torch.float32))
    np.testing.assert_allclose(found, points, atol=2e-6)


def test_keypoints_are_a_datasets_labels(skeleton: Skeleton, tiny_dataset: Dataset) -> None:
    for clip in tiny_dataset:
        labels = clip.labels
        angles = torch.tensor(labels.coordinates[:, ANGLE_PLACES], dtype=torch.float32)
        found = skeleton(angles, torch.tensor(labels.scale_factors, dtype=torch.float32))
        true = np.concatenate([labels.joints, labels.body_coms], axis=1)
        np.testing.assert_allclose(found, true - true[:, :1], atol=1e-5)


def test_one_set_of_scales_serves_all_frames(skeleton: Skeleton) -> None:
    angles, scales = torch.zeros(2, 3, 36), torch.linspace(0.8, 1.2, 132).reshape(2, 1, 22, 3)
    assert torch.equal(skeleton(angles, scales), skeleton(angles, scales.expand(2, 3, 22, 3)))


def test_gradients_by_angles_and_scales() -> None:
    skeleton = Skeleton().double()
    generator = torch.Generator().manual_seed(3)
    angles = torch.randn(2, 1, 36, generator=generator, dtype=torch.float64).mul_(0.5).requires_grad_()
    scales = torch.rand(2, 1, 22, 3, generator=generator, dtype=torch.float64).add_(0.5).requires_grad_()
    assert torch.autograd.gradcheck(skeleton, (angles, scales), fast_mode=True)


def test_differences_of_free_angles_forget_whole_turns(skeleton: Skeleton) -> None:
    angles, others = torch.full((36,), 3.0), torch.full((36,), -3.0)
    differences = skeleton.angle_differences(angles, others)
    expected = {name: 6.0 - 2 * np.pi if name in FREE_ANGLES else 6.0 for name in ANGLES}
    np.testing.assert_allclose(differences, list(expected.values()), atol=1e-6)
