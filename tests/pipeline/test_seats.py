"""Who sits, sits on something."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from odah.clothing.layers import Material, MeshLayer
from odah.config import GenerateConfig
from odah.dataset.plan import plan_clips
from odah.names import SMPLX_INDEX
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.clips import prepare_clip
from odah.pipeline.seats import stool_under


def test_the_stool_is_as_high_as_what_rests_on_it() -> None:
    """Two layers: a thigh that is lowest in the second frame, and a foot that is lower but does not sit."""
    thigh = np.array([[[0.1, 0.0, 0.9], [0.0, 0.1, 0.8]], [[0.1, 0.0, 0.55], [0.0, 0.1, 0.5]]], np.float32)
    owners = np.full(2, SMPLX_INDEX["left_hip"])
    faces = np.zeros((0, 3), int)
    layers = [
        MeshLayer("trousers", thigh, faces, Material("cloth"), owners=owners),
        MeshLayer("shoe", thigh - [0, 0, 0.4], faces, Material("leather"), owners=owners * 0 + 7),
        MeshLayer("far", thigh + np.array([1, 0, -0.3]), faces, Material("cloth"), owners=owners),
        MeshLayer("bag", thigh - [0, 0, 0.2], faces, Material("cloth")),
    ]
    seat = np.array([0.0, 0.02, 0.7])
    furniture = stool_under(layers, seat, np.array([0.0, 1.0]), np.random.default_rng(0))
    tops = [solid.position[2] + solid.size[2] / 2 for solid in furniture.solids]
    assert furniture.kind == "stool"
    assert max(tops) == pytest.approx(0.51, abs=1e-6)
    middle = np.mean([solid.position[:2] for solid in furniture.solids], axis=0)
    np.testing.assert_allclose(middle, seat[:2], atol=1e-6)
    nobody = stool_under(layers[3:], seat, np.array([0.0, 1.0]), np.random.default_rng(0))
    assert max(solid.position[2] + solid.size[2] / 2 for solid in nobody.solids) == pytest.approx(0.71)


def test_a_sitting_action_comes_with_a_stool_under_the_hips_and_a_standing_one_without(
    tiny_config: GenerateConfig,
) -> None:
    actions = ("crossing_legs_while_sitting", "hand_waving")
    motion = tiny_config.motion.model_copy(update={"actions": actions})
    clip = tiny_config.clip.model_copy(update={"duration": 2.0, "rate": 5.0})
    config = tiny_config.model_copy(update={"motion": motion, "clip": clip})
    plans = plan_clips(config, Path())
    maker = ClipMaker(config, plans)
    sitting, standing = (prepare_clip(plan, maker, maker.solve(plan)) for plan in plans)
    kinds = [[thing.kind for thing in clip.scene.furniture] for clip in (sitting, standing)]
    assert kinds[0].count("stool") == kinds[1].count("stool") + 1
    stool = next(thing for thing in reversed(sitting.scene.furniture) if thing.kind == "stool")
    place = np.mean([solid.position[:2] for solid in stool.solids], axis=0)
    lower = next(layer for layer in sitting.layers if layer.name == "lower")
    hips = lower.vertices[:, lower.owners == SMPLX_INDEX["pelvis"]].mean(axis=(0, 1))
    assert np.linalg.norm(place - hips[:2]) < 0.12
