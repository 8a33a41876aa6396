"""What the skeleton does not know, head, face and fingers, comes from the recorded body motion."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from odah.config import GenerateConfig
from odah.dataset.plan import plan_clips
from odah.motion import Motion, Source, write_amass
from odah.names import SMPLX_INDEX
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.clips import PreparedClip, prepare_clip

TURN = 0.6
"""rad about the head's own upward axis: the first frame looks ahead, the next left, the last right."""
CURL = 0.5
PELVIS, HEAD, FINGER = (SMPLX_INDEX[name] for name in ("pelvis", "head", "left_index1"))


@pytest.fixture(scope="module")
def clip(
    tmp_path_factory: pytest.TempPathFactory, tiny_config: GenerateConfig
) -> tuple[ClipMaker, PreparedClip]:
    """The clip's maker, and the clip of someone who looks around with a bent finger."""
    path = tmp_path_factory.mktemp("motion") / "looking.npz"
    poses = np.zeros((3, len(SMPLX_INDEX), 3))
    poses[:, PELVIS] = [np.pi / 2, 0, 0]
    poses[:, HEAD, 1] = [0, TURN, -TURN]
    poses[:, FINGER, 2] = CURL
    write_amass(path, Motion(poses, np.tile([0.0, 0.0, 1.2], (3, 1)), 30.0, Source(str(path), "amass")))
    config = GenerateConfig.model_validate(
        tiny_config.model_dump() | {"motion": {"recordings": [{"path": str(path)}]}}
    )
    plans = plan_clips(config, path.parent)
    maker, plan = ClipMaker(config, plans), plans[0]
    return maker, prepare_clip(plan, maker, maker.solve(plan))


def test_the_fitted_head_turns_with_the_recorded_one(clip) -> None:
    maker, prepared = clip
    fit = prepared.fit
    betas, poses = (torch.as_tensor(a, dtype=maker.fitter.body.dtype) for a in (fit.betas, fit.poses))
    rotmats = maker.fitter.body.posed_joints(betas, poses)[1].numpy()
    leftward, ahead = rotmats[:, PELVIS, :, 0], rotmats[:, HEAD, :, 2]
    angles = np.arcsin((leftward * ahead).sum(axis=1))
    np.testing.assert_allclose(angles, [0, TURN, -TURN], atol=0.1)


def test_the_face_looks_left_in_the_picture_too(clip) -> None:
    """From the front, the person's left is on the picture's right."""
    maker, prepared = clip
    body = maker.fitter.body
    is_head = body.lbs_weights[:, HEAD] > 0.9
    nose = int(torch.where(is_head, body.v_template[:, 2], -torch.inf).argmax())
    skin = next(layer for layer in prepared.layers if layer.name == "skin")
    front = prepared.scene.cameras[0]
    across = front.project(skin.vertices[:, nose])[:, 0]
    assert across[1] - across[0] > 1
    assert across[2] - across[0] < -1


def test_recorded_fingers_are_kept(clip) -> None:
    np.testing.assert_allclose(clip[1].fit.poses[:, FINGER], np.tile([0, 0, CURL], (3, 1)), atol=1e-4)
