"""Static pose and marker places: the tool's on real set-ups, and a person whose answer is known."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from odah.errors import InputError
from odah.motion.trc import read_trc, write_trc
from odah.osim.fk import ForwardKinematics
from odah.osim.ik import CoordinateTask
from odah.osim.parse import read_model
from odah.osim.scaling.marker_placer import Placement, place_markers
from odah.osim.scaling.marker_set_file import MarkedModel, fixed_markers
from odah.osim.scaling.scale_by_setup import scale_by_setup
from odah.osim.scaling.scale_setup import ScaleSetup, read_scale_setup
from odah.osim.scaling.static_pose import merged_tasks, static_cost
from odah.osim.scaling.static_trial import read_static_trial


def _place_on_tools_model(staged) -> tuple[ScaleSetup, MarkedModel, Placement]:
    """Our placement on the model that the tool scaled, so that nothing else differs."""
    setup = read_scale_setup(staged.setup)
    scaled = staged.setup.parent / "scaled.osim"
    marked = MarkedModel(read_model(scaled), fixed_markers(scaled))
    return setup, marked, place_markers(marked, setup)


def _cost(setup: ScaleSetup, marked: MarkedModel, pose: dict[str, float]) -> float:
    """What the tool minimises, on the frames that it averages."""
    placer = setup.placer
    trial = read_static_trial(placer.marker_file)
    within = trial.is_within(placer.tracking.time_range)
    frame = replace(trial.markers, positions=trial.markers.positions[within].mean(axis=0, keepdims=True))
    tasks = placer.tracking.tasks(marked.model, trial.time[within][:1])
    row = np.array([[pose[name] for name in marked.model.coordinate_names]])
    return float(static_cost(marked.model, frame, placer.tracking.weights, tasks, row)[0])


def _targets_by_hand_and_file(tool: ET.Element, folder: Path) -> None:
    """Two coordinates pulled by hand, one of them twice, one from a file that is in degrees."""
    rows = "\n".join(f"{k / 10}\t{10 - k}\t{k}" for k in range(12, 4, -1)[::-1])
    (folder / "pose.in.mot").write_text(
        f"pose\nnRows=8\nnColumns=3\ninDegrees=yes\nendheader\ntime\thip_flexion_r\thip_rotation_l\n{rows}\n"
    )
    tool.find("MarkerPlacer/coordinate_file").text = "pose.in.mot"
    tasks = tool.find("MarkerPlacer/IKTaskSet/objects")
    for name, kind, value in (
        ("knee_angle_l", "manual_value", "-0.2"),
        ("knee_angle_l", "manual_value", "-0.4"),
        ("hip_flexion_r", "from_file", "0"),
    ):
        task = ET.SubElement(tasks, "IKCoordinateTask", name=name)
        for tag, text in (("apply", "true"), ("weight", "0.02"), ("value_type", kind), ("value", value)):
            ET.SubElement(task, tag).text = text


@pytest.mark.shared
@pytest.mark.parametrize("edit", [None, _targets_by_hand_and_file])
def test_our_static_pose_costs_no_more_than_the_tools(stage, edit):
    staged = stage("gait", edit)
    assert staged.run_tool()
    setup, marked, placement = _place_on_tools_model(staged)
    ours, theirs = (_cost(setup, marked, pose) for pose in (placement.static_pose, staged.static_pose))
    assert ours <= theirs * (1 + 1e-9)
    assert ours > 0.9 * theirs  # the same problem
    told = ("pelvis_tx", "knee_angle_l", "hip_flexion_r", "subtalar_angle_r", "lumbar_extension")
    for name in told:
        assert placement.static_pose[name] == pytest.approx(staged.static_pose[name], abs=0.02), name
    for marker, expected in zip(placement.marked.model.markers, staged.placed.markers, strict=True):
        assert marker.name == expected.name
        print(marker.name, marker.body, np.abs(marker.offset - expected.offset).max())


@pytest.mark.shared
def test_markers_go_where_the_tool_puts_them_in_the_same_pose(stage, monkeypatch):
    """The time range ends between two frames: the tool's pose uses one frame, its places two."""
    staged = stage("gait")
    assert staged.run_tool()
    placed = staged.placed

    def tools_pose(model, *_):
        return np.array([staged.static_pose[name] for name in model.coordinate_names])

    monkeypatch.setattr("odah.osim.scaling.marker_placer.static_pose", tools_pose)
    _, _, placement = _place_on_tools_model(staged)
    for marker, expected in zip(placement.marked.model.markers, placed.markers, strict=True):
        np.testing.assert_allclose(marker.offset, expected.offset, atol=5e-7, err_msg=marker.name)


@pytest.mark.shared
def test_a_pose_that_only_a_good_start_finds(stage):
    """Arms folded in front: from rest, descent ends in a minimum ten times as costly."""
    first = stage("walk_scale_only")
    assert first.run_tool()
    second = stage("walk", model_file=first.setup.parent / "placed.osim")
    assert second.run_tool()
    setup, marked, placement = _place_on_tools_model(second)
    assert _cost(setup, marked, placement.static_pose) <= _cost(setup, marked, second.static_pose)


def test_a_known_person_stands_and_carries_markers_as_known(small_person):
    subject = scale_by_setup(small_person.setup)
    told = [name for name in small_person.pose if name.split("_")[0] in ("pelvis", "hip", "lumbar")]
    for name in (name for name in told if not name.endswith("_l")):
        assert subject.static_pose[name] == pytest.approx(small_person.pose[name], abs=1e-5), name
    assert max(subject.marker_residuals.values()) < 1e-6
    assert set(subject.marker_residuals) == set(small_person.truth.marker_names) - {"RTH1", "RTB1"}
    for marker, expected in zip(
        sorted(subject.model.markers, key=lambda m: m.name),
        sorted(small_person.truth.markers, key=lambda m: m.name),
        strict=True,
    ):
        np.testing.assert_allclose(marker.offset, expected.offset, atol=1e-6, err_msg=marker.name)
    for coordinate in subject.model.coordinates:  # as OpenSim: the pose does not become the default
        assert coordinate.default == (0.94 if coordinate.name == "pelvis_ty" else 0.0)


def test_fixed_markers_stay_and_others_reach_their_measured_place(small_person):
    trial = read_trc(small_person.folder / "static.trc")
    shifted = trial.positions + np.where(
        np.isin(trial.names, ["RLFC", "RTH1"])[:, None], [0.0, 0.03, 0.0], 0.0
    )
    write_trc(small_person.folder / "static.trc", replace(trial, positions=shifted))
    subject = scale_by_setup(small_person.setup)
    places = {marker.name: marker.offset for marker in subject.model.markers}
    truth = {marker.name: marker.offset for marker in small_person.truth.markers}
    scale = subject.scale_factors["femur_r"] / small_person.factors["femur_r"]
    np.testing.assert_allclose(places["RLFC"], truth["RLFC"] * scale, atol=1e-9)  # scaled, not moved
    pose = np.array([subject.static_pose[name] for name in subject.model.coordinate_names])
    modelled = ForwardKinematics(subject.model)(torch.from_numpy(pose)).markers.numpy()
    reached = modelled[subject.model.marker_names.index("RTH1")]
    np.testing.assert_allclose(reached, shifted[0, trial.names.index("RTH1")], atol=1e-8)


def test_markers_that_the_trial_lacks_are_dropped_and_told(small_person):
    trial = read_trc(small_person.folder / "static.trc")
    names = tuple("X" if name == "RTOE" else name for name in trial.names)
    positions = trial.positions.copy()
    positions[:, names.index("RTB1")] = np.nan
    write_trc(small_person.folder / "static.trc", replace(trial, names=names, positions=positions))
    small_person.edit("<max_marker_movement>-1", "<max_marker_movement>1e-5")
    subject = scale_by_setup(small_person.setup)
    assert "RTOE" not in subject.model.marker_names
    notes = "\n".join(subject.notes)
    assert "static.trc lacks, dropped: RTOE" in notes
    assert "marker tasks of markers that model or trial lacks: RTOE" in notes
    assert "markers unseen in the time range, left in place: RTB1" in notes


def test_restless_markers_are_told(small_person):
    trial = read_trc(small_person.folder / "static.trc")
    positions = trial.positions.copy()
    positions[3, trial.names.index("C7"), 2] += 0.006
    write_trc(small_person.folder / "static.trc", replace(trial, positions=positions))
    small_person.edit("<max_marker_movement>-1", "<max_marker_movement>5")
    notes = scale_by_setup(small_person.setup).notes
    assert notes[-1] == "markers that move more than 5 mm (max_marker_movement) while averaged: C7"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"subtalar_angle_r"',
            '"tail_angle"',
            r"IKCoordinateTask 'tail_angle': found no coordinate of the model",
        ),
        ("<IKMarkerTask", "<Foo", r"MarkerPlacer, IKTaskSet: found .*, expected tracked markers"),
    ],
)
def test_poses_that_cannot_be_solved_are_one_clear_error(small_person, old: str, new: str, message: str):
    text = (
        small_person.setup.read_text()
        .replace(old, new)
        .replace("</IKMarkerTask", "</Foo" if "Foo" in new else "</IKMarkerTask")
    )
    small_person.setup.write_text(text)
    with pytest.raises(InputError, match=message):
        scale_by_setup(small_person.setup)


def test_several_tasks_of_a_coordinate_pull_together():
    (task,) = merged_tasks([CoordinateTask("knee", 1.0, 0.2), CoordinateTask("knee", 3.0, 0.6)])
    assert (task.name, task.weight) == ("knee", 4.0)
    assert task.values == pytest.approx(0.5)
