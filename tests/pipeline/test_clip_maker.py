"""A person is the one of their first recording, whichever clip is made first and on whichever machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from odah.body.checks import lowest_points, skeleton_soles
from odah.config import GenerateConfig
from odah.dataset.plan import ClipPlan, plan_clips
from odah.errors import InputError
from odah.motion import Motion, write_amass
from odah.motion.actions import plan_action
from odah.motion.trc import write_trc
from odah.motion.types import MarkerTrajectories, Source
from odah.osim import ForwardKinematics, full_body_model, scale_model, write_model
from odah.osim.grounding import ground_action
from odah.osim.kinematics import Kinematics
from odah.osim.storage import write_mot
from odah.pipeline import clip_maker
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.kinematics import read_recording

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


def test_a_recorded_walk_is_put_on_a_level_floor_with_bending_toes(
    tiny_config: GenerateConfig, tmp_path: Path
) -> None:
    """Down a slope of 1.1 degrees along +X, with straight toes; what is read stays as it was recorded."""
    model = full_body_model()
    walk = ground_action(model, plan_action("walking", 3, 4.0, 60.0))
    column = {name: i for i, name in enumerate(model.coordinate_names)}
    values = walk.values.copy()
    values[:, [column["mtp_angle_r"], column["mtp_angle_l"]]] = 0.0
    angles = [column[f"pelvis_{name}"] for name in ("tilt", "list", "rotation")]
    places = [column[f"pelvis_t{axis}"] for axis in "xyz"]
    turn = Rotation.from_euler("Z", -1.1, degrees=True)
    values[:, angles] = (turn * Rotation.from_euler("ZXY", values[:, angles])).as_euler("ZXY")
    values[:, places] = turn.apply(values[:, places] + [0.0, 0.3, 0.0])
    write_mot(tmp_path / "walk.mot", replace(walk, values=values), model)
    write_model(model, tmp_path / "model.osim")
    entry = {"path": str(tmp_path / "walk.mot"), "osim": str(tmp_path / "model.osim"), "licence": "CC-BY-4.0"}
    changes = {"motion": {"recordings": [entry]}, "clip": {"duration": 4.0, "rate": 60.0}}
    config = GenerateConfig.model_validate(tiny_config.model_dump() | changes)
    (plan,) = plan_clips(config, tmp_path)
    solved = ClipMaker(config, [plan]).solve(plan).kinematics
    assert "the recorded floor sloped 1.1 deg: levelled" in solved.notes
    assert "toes (mtp_angle) bent to stay above the floor, not measured" in solved.notes
    np.testing.assert_allclose(solved.coordinates[:, places[1]], walk.values[:, places[1]], atol=0.01)
    assert solved.coordinates[:, column["mtp_angle_l"]].min() < -0.1
    assert plan.recording is not None
    recorded = read_recording(plan.recording)
    assert isinstance(recorded, Kinematics)
    assert solved.source.licence == recorded.source.licence == "CC-BY-4.0"
    np.testing.assert_allclose(recorded.coordinates, values, atol=1e-6)


def test_a_real_walk_that_climbs_its_laboratory_stays_on_one_floor(
    tiny_config: GenerateConfig, shared_data: Path, tmp_path: Path
) -> None:
    """CMU 02_01: its feet rest 5 cm higher at one end of the path than at the other."""
    recording = {"path": str(shared_data / "cmu_mocap" / "asfamc" / "02_01.amc")}
    changes = {"motion": {"recordings": [recording]}, "clip": {"duration": 3.0, "rate": 60.0}}
    config = GenerateConfig.model_validate(tiny_config.model_dump() | changes)
    (plan,) = plan_clips(config, tmp_path)
    solved = ClipMaker(config, [plan]).solve(plan).kinematics
    lowest = lowest_points([skeleton_soles(solved)], solved.rate)
    heights = lowest.heights[lowest.is_standing]
    assert np.abs(np.median(heights)) < 0.005
    assert np.ptp(np.percentile(heights, [5, 95])) < 0.02
    assert any(note.endswith("deg: levelled") for note in solved.notes), solved.notes


def test_people_who_were_forgotten_come_back_as_they_were(
    tiny_config: GenerateConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_maker, "_PEOPLE_KEPT", 1)
    subjects = tiny_config.subjects.model_copy(update={"count": 2})
    config = tiny_config.model_copy(update={"subjects": subjects})
    first, _, second, _ = plans = plan_clips(config, Path())
    maker = ClipMaker(config, plans)
    before, other, again = (maker.solve(plan) for plan in (first, second, first))
    assert before.subject is not again.subject
    assert before.outfit.appearance == again.outfit.appearance
    np.testing.assert_array_equal(before.subject.betas, again.subject.betas)
    np.testing.assert_array_equal(before.kinematics.coordinates, again.kinematics.coordinates)
    assert other.outfit.appearance != before.outfit.appearance
