"""What stands in Config.toml."""

from __future__ import annotations

from dataclasses import replace

import pytest
from benchmark.known_motions import recording

from odah.benchmark.methods.pose2sim.settings import chosen_settings, pose_model, trial_config
from odah.errors import InputError

SHIPPED = {
    "project": {"frame_rate": "auto"},
    "triangulation": {"min_chunk_size": 10, "make_c3d": True},
    "filtering": {"type": "butterworth", "display_figures": True, "butterworth": {"order": 4, "cut": 6}},
    "kinematics": {"use_augmentation": True, "use_simple_model": False},
}


def test_the_users_values_replace_shipped_ones_and_windows_stay_shut():
    wanted = {"filtering": {"butterworth": {"cut": 12}}, "kinematics": {"use_simple_model": True}}
    chosen = chosen_settings(SHIPPED, wanted, augment=False)
    assert chosen["filtering"]["butterworth"] == {"order": 4, "cut": 12}
    assert chosen["kinematics"] == {"use_augmentation": False, "use_simple_model": True}
    assert chosen["filtering"]["display_figures"] is False
    assert chosen["triangulation"] == {"min_chunk_size": 10, "make_c3d": False, "undistort_points": False}
    assert "project" not in chosen
    assert SHIPPED["filtering"]["butterworth"] == {"order": 4, "cut": 6}
    assert chosen_settings(SHIPPED, {}, augment=True)["kinematics"]["use_augmentation"] is True


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"project": {"frame_rate": 30}}, "settings.project: found a setting unknown to Pose2Sim"),
        ({"filtering": {"butterworth": {"cutt": 1}}}, r"settings.filtering.butterworth.cutt: .*order, cut"),
        ({"filtering": {"butterworth": 3}}, "settings.filtering.butterworth: found 3, expected a mapping"),
        ({"kinematics": {"use_simple_model": {}}}, "use_simple_model: found {}, expected a value"),
    ],
)
def test_mistakes_are_told_with_their_field(wanted, told):
    with pytest.raises(InputError, match=told):
        chosen_settings(SHIPPED, wanted, augment=False)


def test_a_trial_tells_who_it_is_of():
    settings = chosen_settings(SHIPPED, {}, augment=True)
    config = trial_config(settings, replace(recording(rate=20.0), mass=61.5), "BODY_25")
    assert config["project"]["participant_height"] == 1.75
    assert config["project"]["participant_mass"] == 61.5
    assert isinstance(config["project"]["frame_rate"], int)
    assert config["pose"] == {"pose_model": "BODY_25"}
    nobody = replace(recording(rate=59.94), height=None)
    project = trial_config(settings, nobody, "BODY_25")["project"]
    assert (project["participant_height"], project["participant_mass"]) == ("auto", 70.0)
    assert project["frame_rate"] == 59.94


def test_keypoint_sets_have_other_names_there():
    assert pose_model("coco_133") == "COCO_133_WRIST"
    with pytest.raises(InputError, match="'anatomical', expected one of body_25"):
        pose_model("anatomical")
