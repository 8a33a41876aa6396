"""Datasets that are not the paper's pair: rings, crops, stressed cameras, and cameras of a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from odah.config import GenerateConfig
from odah.dataset.audit import audit_clip
from odah.dataset.plan import plan_clips
from odah.dataset.reader import Dataset, open_dataset
from odah.errors import InputError
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.generate import generate_dataset
from odah.render import read_frames
from odah.scene import Camera, look_at
from odah.scene.calibration import save_cameras

pytestmark = pytest.mark.blender

BASE = {
    "name": "views",
    "motion": {"actions": ["hand_waving"]},
    "subjects": {"count": 1},
    "clip": {"duration": 0.1, "rate": 30},
    "video": {"width": 96, "height": 64},
    "room": {"kinds": ["plain"]},
    "render": {"engine": "cycles", "samples": 1, "workers": 1},
}


def made(out: Path, folder: Path = Path(), **sections: object) -> Dataset:
    config = GenerateConfig.model_validate({**BASE, **sections})
    _, failures = generate_dataset(config, folder, out)
    assert not failures
    return open_dataset(out)


def test_a_ring_of_crops_is_valid_and_shows_the_person(blender: None, tmp_path: Path) -> None:
    dataset = made(
        tmp_path / "d",
        cameras={"layout": "ring", "ring": {"count": 3}},
        video={"width": 192, "height": 128, "crop": {"size": 64}},
        render={**BASE["render"], "labels": ["parts", "depth"]},
    )
    (clip,) = dataset.clips
    assert dataset.views == ("view0", "view1", "view2")
    assert audit_clip(clip, dataset).failures == {}
    labels = clip.labels
    assert labels["crops"].shape == (3, 3, 3)
    for v, view in enumerate(dataset.views):
        pixels = clip.video_keypoints(v, dataset.crop_size)
        assert ((pixels > 0) & (pixels < 64)).all()
        for kind in ("mask", "parts", "depth"):
            frames = list(read_frames(clip.picture(view, kind), "gray"))
            assert [frame.shape for frame in frames] == [(64, 64)] * 3
        mask = next(read_frames(clip.picture(view, "mask"), "gray")) > 127
        assert 0.05 < mask.mean() < 0.6
    assert labels["is_in_picture"].all()
    assert 0.5 < labels["is_visible"].mean() < 1.0


def test_stressed_cameras_are_valid_and_their_calibration_is_not_the_truth(
    blender: None, tmp_path: Path
) -> None:
    stress = {
        "sync_offset": 1,
        "calibration_rotation_deg": 2.0,
        "calibration_position": 0.05,
        "distortion": [-0.1, -0.05],
        "rolling_shutter": 0.02,
        "exposure": 0.5,
        "crf": [30, 40],
    }
    dataset = made(tmp_path / "d", cameras={"stress": stress})
    (clip,) = dataset.clips
    assert audit_clip(clip, dataset).failures == {}
    labels = clip.labels
    assert (labels["distortion"][:, 0] < 0).all()
    shift = np.abs(labels["T_cam_world"] - labels["T_cam_world_calibrated"]).max((1, 2))
    assert (shift > 1e-3).all()
    assert (shift < 0.5).all()


def test_cameras_of_a_file_are_found_from_the_configs_folder(blender: None, tmp_path: Path) -> None:
    """One looks at the person, one past them: the clip is made, and says so."""
    towards = look_at([4.0, 0.5, 1.2], [0.0, 0.0, 1.0])
    away = look_at([4.0, 0.5, 1.2], [8.0, 0.0, 1.0])
    cameras = [Camera.from_lens(name, T, 96, 64) for name, T in (("good", towards), ("lost", away))]
    save_cameras(tmp_path / "cameras.json", cameras)
    layout = {"layout": "file", "calibration": "cameras.json"}
    dataset = made(tmp_path / "d", tmp_path, cameras=layout)
    (clip,) = dataset.clips
    assert dataset.views == ("good", "lost")
    assert audit_clip(clip, dataset).failures == {}
    assert any("lost 100%" in flag for flag in clip.record["flags"])
    assert np.isnan(clip.labels["keypoints"][1]).all()
    assert clip.record["error_budget"]["share_outside_views"] == 0
    (tmp_path / "cameras.json").write_text(json.dumps({"cameras": []}))
    config = GenerateConfig.model_validate({**BASE, "cameras": layout})
    with pytest.raises(InputError, match=r"cameras\.json"):
        ClipMaker(config, plan_clips(config, tmp_path), tmp_path)
