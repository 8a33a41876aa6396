"""A person is the one of their first recording, whichever clip is made first and on whichever machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from odah.config import GenerateConfig
from odah.dataset.plan import ClipPlan, plan_clips
from odah.errors import InputError
from odah.motion import Motion, write_amass
from odah.motion.trc import write_trc
from odah.motion.types import MarkerTrajectories, Source
from odah.osim import ForwardKinematics, full_body_model, scale_model
from odah.pipeline.clip_maker import ClipMaker

NUM_FRAMES = 12


def write_trial(path: Path, size: float) -> None:
    """Markers of a person of `size` times the generic model's, who squats and lifts an arm."""
    model = scale_model(full_body_model(), np.full((22, 3), size))
    values = np.tile(model.default_coordinates, (NUM_FRAMES, 1))
    bend = np.sin(np.linspace(0, np.pi, NUM_FRAMES))
    for name, angle in (
        ("hip_flexion_r", 1.0),
        ("knee_angle_r", 1.2),
        ("arm_flex_l", 1.0),
        ("elbow_flex_r", 0.8),
    ):
        values[:, model.coordinate_names.index(name)] = angle * bend + 0.05
    with torch.no_grad():
        positions = ForwardKinematics(model)(torch.from_numpy(values)).markers.numpy()
    write_trc(
        path, MarkerTrajectories(model.marker_names, positions, 30.0, "ground", Source(str(path), "trc"))
    )


def config_for(tiny_config: GenerateConfig, *paths: Path) -> GenerateConfig:
    recordings = [{"path": str(path), "subject": "one", "action": path.stem} for path in paths]
    return GenerateConfig.model_validate(tiny_config.model_dump() | {"motion": {"recordings": recordings}})


@pytest.fixture(scope="module")
def trials(
    tmp_path_factory: pytest.TempPathFactory, tiny_config: GenerateConfig
) -> tuple[GenerateConfig, list[ClipPlan]]:
    folder = tmp_path_factory.mktemp("trials")
    for name, size in (("first", 1.0), ("second", 1.02)):
        write_trial(folder / f"{name}.trc", size)
    config = config_for(tiny_config, folder / "first.trc", folder / "second.trc")
    return config, plan_clips(config, folder)


def test_the_second_recording_moves_the_model_of_the_first(trials) -> None:
    config, plans = trials
    alone, in_order = ClipMaker(config, plans), ClipMaker(config, plans)
    second_alone = alone.solve(plans[1])
    first, second = in_order.solve(plans[0]), in_order.solve(plans[1])
    np.testing.assert_array_equal(second_alone.subject.scale_factors, first.subject.scale_factors)
    np.testing.assert_array_equal(second_alone.subject.betas, first.subject.betas)
    np.testing.assert_array_equal(second_alone.kinematics.coordinates, second.kinematics.coordinates)
    for ours, theirs in zip(second.kinematics.model.joints, first.kinematics.model.joints, strict=True):
        np.testing.assert_array_equal(ours.T_parent, theirs.T_parent)


def test_a_person_is_of_one_kind(trials, tiny_config: GenerateConfig, tmp_path: Path) -> None:
    config, plans = trials
    path = tmp_path / "body.npz"
    poses = np.zeros((NUM_FRAMES, 55, 3))
    poses[:, 0, 0] = np.pi / 2
    write_amass(path, Motion(poses, np.zeros((NUM_FRAMES, 3)), 30.0, Source(str(path), "amass")))
    mixed = plan_clips(config_for(tiny_config, Path(plans[0].recording.path), path), tmp_path)
    with pytest.raises(InputError, match=r"body\.npz: subject one: .*recordings of one kind"):
        ClipMaker(config, mixed).solve(mixed[1])
