"""Left is left, from coordinate to pixel: one known arm is raised and looked for in the rendered pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from odah.clothing.clothing_config import ClothingConfig
from odah.config import GenerateConfig
from odah.dataset.plan import plan_clips
from odah.motion.types import Source
from odah.osim import full_body_model
from odah.osim.kinematics import Kinematics
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.clips import facing_directions, prepare_clip
from odah.pipeline.labels import clip_labels, skeleton_pose
from odah.render import Renderer, RenderSettings, read_frames, read_masks
from odah.scene import RoomConfig

WIDTH, HEIGHT = 192, 128


def raised_arm(side: str) -> np.ndarray:
    """(3, 39): arms hanging, the named arm out to its side at shoulder height, arms hanging."""
    names = full_body_model().coordinate_names
    values = np.tile(full_body_model().default_coordinates, (3, 1))
    values[:, names.index("pelvis_ty")] = 0.93
    values[1, names.index(f"arm_add_{side}")] = np.deg2rad(-85)
    return values


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, blender: None, tiny_config: GenerateConfig):
    """For each side: labels, front masks (T, H, W), front and side frames (T, H, W, 3) of the raised arm."""
    config = tiny_config.model_copy(
        update={
            "video": tiny_config.video.model_copy(update={"width": WIDTH, "height": HEIGHT}),
            "room": RoomConfig(kinds=("plain",)),
            "clothing": ClothingConfig(uppers=("vest",), lowers=("trousers",), textures=("plain",)),
        }
    )
    plans = plan_clips(config, Path())
    maker, plan = ClipMaker(config, plans), plans[0]
    walking = maker.solve(plan)
    model, factors = walking.kinematics.model, walking.kinematics.scale_factors
    found = {}
    with Renderer(RenderSettings(engine="cycles", samples=1)) as renderer:
        for side in ("r", "l"):
            solved = Kinematics(model, raised_arm(side), 30.0, Source("arm", "test"), 0.0, factors)
            clip = prepare_clip(plan, maker, replace(walking, kinematics=solved))
            result = renderer.render(clip.scene, clip.layers, tmp_path_factory.mktemp(side))
            labels = clip_labels(solved, skeleton_pose(solved), clip.fit, clip.scene, clip.T_world_ground)
            frames = [np.stack(list(read_frames(result.videos[view]))) for view in ("front", "side")]
            found[side] = labels, read_masks(result.masks["front"]), *frames
    return found


@pytest.mark.blender
@pytest.mark.parametrize(("side", "sign"), [("r", -1), ("l", 1)])
def test_the_raised_arm_is_where_the_label_says(pictures, side: str, sign: int) -> None:
    labels, masks, frames, _ = pictures[side]
    joints = full_body_model().joint_names
    wrist = labels["keypoints"][0, 1, joints.index(f"radius_hand_{side}")]
    pelvis = labels["keypoints"][0, 1, joints.index("ground_pelvis")]
    assert sign * (wrist[0] - pelvis[0]) > 8, "from the front, the person's right is on the picture's left"
    assert masks[1, round(wrist[1]), round(wrist[0])]
    assert not masks[0, round(wrist[1]), round(wrist[0])]
    change = np.abs(frames[1].astype(float) - frames[0]).max(axis=-1)
    near = change[round(wrist[1]) - 2 : round(wrist[1]) + 3, round(wrist[0]) - 2 : round(wrist[0]) + 3]
    assert near.max() > 25, "Blender's own pixels change where the wrist is"


@pytest.mark.blender
def test_the_side_view_sees_the_right_arm_and_not_the_left(pictures) -> None:
    """From the person's right, the right hand hangs before the trousers, until it is raised; the left one is
    hidden by them in both frames."""
    change = {}
    for side in ("r", "l"):
        labels, _, _, frames = pictures[side]
        joints = full_body_model().joint_names
        wrist = labels["keypoints"][1, 0, joints.index(f"radius_hand_{side}")]
        row, column = round(wrist[1]), round(wrist[0])
        near = (slice(row, row + 6), slice(column - 2, column + 3))
        change[side] = np.abs(frames[1].astype(float) - frames[0])[near].max(axis=-1).mean()
    assert change["r"] > 25
    assert change["r"] > 3 * change["l"]


@pytest.mark.blender
def test_blenders_picture_and_the_hosts_mask_agree(pictures) -> None:
    """What changes in the picture when the arm goes up is what changes in the mask, within its shadow."""
    _, masks, frames, _ = pictures["r"]
    appeared = masks[1] & ~masks[0]
    change = np.abs(frames[1].astype(float) - frames[0]).max(axis=-1)
    assert np.median(change[appeared]) > 4 * np.median(change[~masks[0] & ~masks[1]]) + 8


@pytest.mark.blender
def test_only_the_named_arm_moves(pictures) -> None:
    labels, _, _, _ = pictures["r"]
    joints = full_body_model().joint_names
    moved = np.linalg.norm(labels["joints"][1] - labels["joints"][0], axis=-1)
    assert moved[joints.index("elbow_r")] > 0.2
    assert moved[joints.index("elbow_l")] < 1e-9


@pytest.mark.parametrize("pitch_deg", [0, 80, 90, 100, -90])
def test_facing_survives_bending_over(pitch_deg: float) -> None:
    """Upright, on all fours or on the back: someone who heads for world X faces it."""
    upright = Rotation.from_matrix([[0, 0, 1], [1, 0, 0], [0, 1, 0]])  # left to Y, up to Z, front to X
    pelvis = Rotation.from_euler("y", pitch_deg, degrees=True) * upright
    direction = facing_directions(pelvis.as_matrix()[None])[0]
    assert direction[0] / np.linalg.norm(direction[:2]) == pytest.approx(1)
