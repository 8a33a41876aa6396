"""What is known of a pose before the first marker."""

import numpy as np
import pytest
import torch

from odah.body.fitting.pose_prior import body_pose_prior
from odah.body.fitting.pose_prior_fit import LEARNED, learned_covariances
from odah.names import SMPLX_INDEX


def cost(joint: str, rotvec: tuple[float, float, float], is_head_seen: bool = False) -> float:
    rotvecs = torch.zeros(1, 22, 3, dtype=torch.float64)
    rotvecs[0, SMPLX_INDEX[joint]] = torch.tensor(rotvec, dtype=torch.float64)
    return float(body_pose_prior(is_head_seen).costs(rotvecs, torch.zeros_like(rotvecs))[0])


@pytest.mark.parametrize(
    ("joint", "flexed"),
    [("left_knee", (1.5, 0, 0)), ("right_knee", (1.5, 0, 0)), ("left_elbow", (0, -1.5, 0)),
     ("right_elbow", (0, 1.5, 0))],
)  # fmt: skip
def test_hinges_bend_one_way(joint, flexed):
    backwards = tuple(-0.3 * x for x in flexed)
    assert cost(joint, flexed) == 0
    assert cost(joint, backwards) > 20


def test_neck_keeps_to_what_it_is_told_unless_the_head_is_seen():
    assert cost("neck", (0.2, 0, 0)) > 5
    assert cost("neck", (0.2, 0, 0), is_head_seen=True) < 1


def test_learned_covariances_are_of_the_poses_and_their_mirror_images():
    poses = np.zeros((4000, 55, 3))
    poses[:, SMPLX_INDEX["spine1"]] = np.random.default_rng(0).normal(
        [0.1, 0.2, 0], [0.3, 0.1, 0.2], (4000, 3)
    )
    found = learned_covariances(poses)
    assert set(found) == set(LEARNED)
    np.testing.assert_allclose(found["spine1"], np.diag([0.1025, 0.0525, 0.0425]), atol=0.006)
    np.testing.assert_allclose(found["head"], 0.05**2 * np.eye(3), atol=1e-9)
