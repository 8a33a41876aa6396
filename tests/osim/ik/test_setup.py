"""InverseKinematicsTool set-ups: what they say, and what is wrong with those that cannot be used."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odah.errors import InputError
from odah.motion.types import CoordinateTrajectory, Source
from odah.osim.ik.setup import read_ik_setup
from odah.osim.storage import write_mot

TASKS = """
<IKMarkerTask name="RASI"><apply>true</apply><weight>10</weight></IKMarkerTask>
<IKMarkerTask name="LASI"><weight>2.5</weight></IKMarkerTask>
<IKMarkerTask name="off"><apply>false</apply><weight>1</weight></IKMarkerTask>
<IKMarkerTask name="light"><apply>true</apply><weight>0</weight></IKMarkerTask>
<IKCoordinateTask name="knee_angle_r"><apply>true</apply><weight>3</weight>
  <value_type>manual_value</value_type><value>0.4</value></IKCoordinateTask>
<IKCoordinateTask name="hip_flexion_l"><weight>1</weight></IKCoordinateTask>
"""


def setup_text(tasks: str = TASKS, rest: str = "<time_range>0.5 2.25</time_range>") -> str:
    return (
        '<OpenSimDocument Version="30000"><InverseKinematicsTool name="ik">'
        f"<IKTaskSet><objects>{tasks}</objects></IKTaskSet>{rest}</InverseKinematicsTool></OpenSimDocument>"
    )


def read(folder: Path, *text: str):
    path = folder / "setup.xml"
    path.write_text(setup_text(*text))
    return read_ik_setup(path)


def test_what_applies_is_read(tmp_path, person):
    setup = read(tmp_path)
    assert setup.weights == {"RASI": 10.0, "LASI": 2.5}
    assert setup.time_range == (0.5, 2.25)
    tasks = setup.tasks(replace(person), np.zeros(3))
    assert [(t.name, t.weight, t.values) for t in tasks] == [
        ("knee_angle_r", 3.0, 0.4),
        ("hip_flexion_l", 1.0, 0.0),
    ]


@pytest.mark.parametrize("rest", ["", "<time_range>-1 -1</time_range>", "<time_range>-inf inf</time_range>"])
def test_no_time_range_is_all_of_it(tmp_path, rest):
    assert read(tmp_path, TASKS, rest).time_range == (-np.inf, np.inf)


def from_file(name: str) -> str:
    return TASKS + (
        f'<IKCoordinateTask name="{name}"><weight>1</weight><value_type>from_file</value_type>'
        "</IKCoordinateTask>"
    )


def test_targets_from_a_file_are_in_radians_at_the_trials_times(tmp_path, person):
    time = np.arange(20) / 50.0
    values = np.tile(person.default_coordinates, (20, 1))
    column = person.coordinate_names.index("elbow_flex_r")
    values[:, column] = np.sin(time)
    source = Source("made", "test")
    write_mot(
        tmp_path / "pull.mot", CoordinateTrajectory(person.coordinate_names, values, 50.0, source), person
    )
    setup = read(tmp_path, from_file("elbow_flex_r"), "<coordinate_file>pull.mot</coordinate_file>")
    between = np.arange(30) / 100.0 + 0.005
    *_, task = setup.tasks(person, between)
    np.testing.assert_allclose(task.values, np.sin(between), atol=1e-7)
    with pytest.raises(InputError, match=r"pull\.mot, time.*found -0\.01 to 0\.39 s, expected 0 to 2 s"):
        setup.tasks(person, np.array([0.0, 2.0]))
    (tmp_path / "pull.mot").write_text("nRows=2\nnColumns=2\nendheader\ntime\tknee_angle_r\n0\t0\n1\t0\n")
    with pytest.raises(InputError, match=r"pull\.mot: found no column 'elbow_flex_r', expected what"):
        setup.tasks(person, between)
    with pytest.raises(InputError, match=r"coordinate_file.*found nothing"):
        read(tmp_path, from_file("elbow_flex_r"), "").tasks(person, between)


@pytest.mark.parametrize(
    ("tasks", "rest", "message"),
    [
        ("", "", r"IKTaskSet.*no marker task that applies"),
        (
            '<IKMarkerTask name="a"><weight>heavy</weight></IKMarkerTask>',
            "",
            r"'a', weight.*'heavy'.*a number",
        ),
        ('<IKMarkerTask name="a"><weight>-1</weight></IKMarkerTask>', "", r"'a', weight.*-1.*0 or more"),
        ('<IKMarkerTask name="a"><weight>nan</weight></IKMarkerTask>', "", r"'a', weight.*finite"),
        (TASKS + '<IKMarkerTask name=" RASI "/>', "", r"IKMarkerTask 'RASI': found a second one"),
        (TASKS + '<IKCoordinateTask name="hip_flexion_l"/>', "", r"'hip_flexion_l': found a second one"),
        (TASKS, "<time_range>0 1 2</time_range>", r"time_range.*'0 1 2'.*two times"),
        (TASKS, "<time_range>3 1</time_range>", r"time_range.*3 to 1 s.*after the beginning"),
        (TASKS, "<time_range>now later</time_range>", r"time_range.*'now'"),
        (TASKS.replace("manual_value", "as_you_like"), "", r"'knee_angle_r', value_type.*'as_you_like'"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, tasks, rest, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, tasks, rest)


def test_a_target_that_is_no_coordinate_is_named(tmp_path, person):
    setup = read(tmp_path, TASKS.replace("knee_angle_r", "knee_angel_r"))
    with pytest.raises(InputError, match=r"IKCoordinateTask 'knee_angel_r'.*no coordinate of the model"):
        setup.tasks(person, np.zeros(1))


@given(st.data())
def test_damaged_setups_are_read_or_refused(tmp_path_factory, data):
    text = setup_text()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    path = tmp_path_factory.getbasetemp() / "damaged.xml"
    path.write_text(text[:start] + data.draw(st.text("<>/a1.- \"'", max_size=8)) + text[end:])
    try:
        setup = read_ik_setup(path)
    except InputError:
        return
    assert all(weight > 0 for weight in setup.weights.values())
