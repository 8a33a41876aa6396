from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from odah.body.model import load_body
from odah.clothing import dress, sample_appearance
from odah.clothing.rest_body import RestBody
from odah.names import SMPLX_INDEX

torch.set_num_threads(1)


def pose_of(**rotvecs):
    """(55, 3) of the named joints' rotation vectors, rad."""
    pose = np.zeros((55, 3), np.float32)
    for name, rotvec in rotvecs.items():
        pose[SMPLX_INDEX[name]] = rotvec
    return pose


def mirrored(joint, rotvec):
    x, y, z = rotvec
    return {f"left_{joint}": (x, y, z), f"right_{joint}": (x, -y, -z)}


ARMS_DOWN = {**mirrored("shoulder", (0, -0.15, -1.05)), **mirrored("collar", (0, -0.05, -0.2))}
POSES = {
    "rest": pose_of(),
    "arms_down": pose_of(**ARMS_DOWN),
    "walk": pose_of(
        **ARMS_DOWN, left_hip=(-0.5, 0, 0.03), right_hip=(0.35, 0, -0.03), left_knee=(0.25, 0, 0),
        right_knee=(0.6, 0, 0),
    ),
    "squat": pose_of(
        **mirrored("hip", (-1.7, 0, 0.25)), **mirrored("knee", (2.1, 0, 0)),
        **mirrored("shoulder", (0, -1.2, -0.3)), spine1=(0.35, 0, 0),
    ),
    "arms_up": pose_of(**mirrored("shoulder", (0, -0.2, 1.0)), **mirrored("collar", (0, 0, 0.35))),
    "bend": pose_of(spine1=(0.6, 0, 0), spine2=(0.4, 0, 0), **mirrored("hip", (-0.5, 0, 0)), **ARMS_DOWN),
    "elbow_130": pose_of(**ARMS_DOWN, **mirrored("elbow", (0, -2.27, 0))),
}  # fmt: skip


@pytest.fixture(scope="session")
def body():
    return load_body()


@pytest.fixture(scope="session")
def rest(body):
    return RestBody.of(body, np.zeros(body.num_betas))


@pytest.fixture(scope="session")
def outfit(body):
    look = sample_appearance(np.random.default_rng(0), "male")
    look = replace(look, upper="tshirt", lower="shorts", has_glasses=False)
    return dress(body, body.betas_from_attributes(1.78, 24, "male"), look)


@pytest.fixture(scope="session")
def poses():
    return POSES
