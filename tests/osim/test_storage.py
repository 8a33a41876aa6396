"""Storage files: units, state paths, files that lack or add columns, OpenSim as the other reader."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from odah.errors import InputError
from odah.motion.types import CoordinateTrajectory, Source
from odah.osim.full_body import full_body_model
from odah.osim.parse import read_model
from odah.osim.storage import Storage, read_coordinates, read_storage, write_mot, write_storage

DATA = Path(__file__).parents[2].parent / "shared" / "data"
REFERENCE = DATA / "opensim_models/reference_ik_opensim_4.6"
NEEDS_DATA = pytest.mark.skipif(not DATA.exists(), reason="the shared recordings are not beside the project")
MODEL = full_body_model()
HEADER = "Coordinates\nversion=1\nnRows=2\nnColumns=4\ninDegrees=yes\n\nendheader\n"
ROWS = "time\tpelvis_tilt\tpelvis_tx\tknee_angle_r_beta\n0.0\t90\t1.5\t0.25\n0.01\t45\t1.6\t0.5\n"


def _write(folder: Path, text: str, name: str = "a.mot") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def _column(trajectory: CoordinateTrajectory, name: str) -> np.ndarray:
    return trajectory.values[:, trajectory.names.index(name)]


def test_only_rotational_coordinates_are_in_degrees(tmp_path: Path):
    trajectory = read_coordinates(_write(tmp_path, HEADER + ROWS), MODEL)
    assert trajectory.names == MODEL.coordinate_names
    assert trajectory.rate == pytest.approx(100.0)
    np.testing.assert_allclose(_column(trajectory, "pelvis_tilt"), [np.pi / 2, np.pi / 4])
    np.testing.assert_allclose(_column(trajectory, "pelvis_tx"), [1.5, 1.6])
    np.testing.assert_allclose(_column(trajectory, "knee_angle_r_beta"), [0.25, 0.5])
    in_radians = read_coordinates(_write(tmp_path, (HEADER + ROWS).replace("=yes", "=no")), MODEL)
    np.testing.assert_allclose(_column(in_radians, "pelvis_tilt"), [90, 45])


def test_absent_coordinates_take_defaults_and_couplers(tmp_path: Path):
    text = (HEADER + ROWS).replace("knee_angle_r_beta", "knee_angle_r").replace("pelvis_tx", "frobnicator")
    trajectory = read_coordinates(_write(tmp_path, text), MODEL)
    knee = _column(trajectory, "knee_angle_r")
    np.testing.assert_allclose(knee, np.deg2rad([0.25, 0.5]))
    np.testing.assert_allclose(_column(trajectory, "knee_angle_r_beta"), knee)
    np.testing.assert_allclose(_column(trajectory, "pelvis_ty"), MODEL.default_coordinates[4])
    assert "pelvis_ty" in trajectory.notes[0]
    assert "frobnicator" in trajectory.notes[1]


def test_state_paths_are_coordinates_and_speeds_are_not(tmp_path: Path):
    paths = "/jointset/ground_pelvis/pelvis_tilt/value\t/jointset/ground_pelvis/pelvis_tilt/speed"
    text = (HEADER + ROWS).replace("pelvis_tilt\tpelvis_tx", paths)
    np.testing.assert_allclose(
        _column(read_coordinates(_write(tmp_path, text), MODEL), "pelvis_tilt"), [np.pi / 2, np.pi / 4]
    )


def test_uneven_times_are_resampled_and_said(tmp_path: Path):
    text = HEADER.replace("nRows=2", "nRows=4").replace("nColumns=4", "nColumns=2").replace("yes", "no")
    rows = "".join(f"{t}\t{2 * t}\n" for t in (0.0, 0.01, 0.025, 0.03))
    trajectory = read_coordinates(_write(tmp_path, text + "time\tpelvis_tilt\n" + rows), MODEL)
    assert trajectory.rate == pytest.approx(100.0)
    np.testing.assert_allclose(_column(trajectory, "pelvis_tilt"), 2 * trajectory.time, atol=1e-9)
    assert any("resampled" in note for note in trajectory.notes)


@settings(max_examples=20, deadline=None)
@given(arrays(float, (3, 39), elements=st.floats(-4, 4)), st.booleans(), st.floats(20, 250))
def test_written_coordinates_are_read_back(tmp_path_factory, values, in_degrees, rate):
    trajectory = CoordinateTrajectory(MODEL.coordinate_names, values, rate, Source("made", "test"), 0.25)
    path = tmp_path_factory.mktemp("mot") / "a.mot"
    write_mot(path, trajectory, MODEL, in_degrees=in_degrees)
    back = read_coordinates(path, MODEL)
    np.testing.assert_allclose(back.values, values, atol=1e-10)
    np.testing.assert_allclose(back.time, trajectory.time, atol=1e-9)
    assert back.notes == ()


def test_opensim_reads_what_we_write(tmp_path: Path):
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("Off")
    values = np.random.default_rng(0).normal(size=(4, 39))
    trajectory = CoordinateTrajectory(MODEL.coordinate_names, values, 50.0, Source("made", "test"))
    write_mot(tmp_path / "a.mot", trajectory, MODEL)
    storage = opensim.Storage(str(tmp_path / "a.mot"))
    assert storage.isInDegrees()
    assert storage.getSize() == 4
    labels = [storage.getColumnLabels().get(k) for k in range(40)]
    assert labels == ["time", *MODEL.coordinate_names]
    row = storage.getStateVector(2)
    data = row.getData()
    read = [data.get(k) for k in range(39)]
    is_angle = np.array([c.motion_type == "rotational" for c in MODEL.coordinates])
    np.testing.assert_allclose(read, np.where(is_angle, np.rad2deg(values[2]), values[2]))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("endheader", "end", "no line 'endheader'"),
        ("nRows=2", "nRows=9", "found 2 rows, expected the 9 rows"),
        ("\t90\t", "\tninety\t", "line 9, column pelvis_tilt: found 'ninety'"),
        ("\t90\t", "\tnan\t", "pelvis_tilt, frame 1: found nan"),
        ("\t90\t", "\t", "line 9: found 3 numbers, expected 4"),
        ("pelvis_tx", "pelvis_tilt", "'pelvis_tilt' more than once"),
        ("time\t", "frame\t", "'frame' as its first column"),
        ("0.01\t", "0.0\t", "increasing times"),
        ("version=1", "DataType=Vec3", "DataType=Vec3"),
        ("pelvis_tilt\tpelvis_tx\tknee_angle_r_beta", "a\tb\tc", "coordinates of the model 'full_body'"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, old: str, new: str, message: str):
    text = HEADER + ROWS
    assert old in text
    with pytest.raises(InputError, match=message):
        read_coordinates(_write(tmp_path, text.replace(old, new)), MODEL)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30), st.integers(0, len(HEADER + ROWS)))
def test_any_text_is_read_or_refused(tmp_path_factory, noise, where):
    path = tmp_path_factory.mktemp("sto") / "noise.sto"
    text = HEADER + ROWS
    path.write_bytes((text[:where] + noise + text[where:]).encode("utf-8", "replace"))
    try:
        table = read_storage(path)
    except InputError:
        return
    assert table.values.shape == (len(table.time), len(table.columns))


def test_refuses_to_write_foreign_or_infinite_coordinates(tmp_path: Path):
    foreign = CoordinateTrajectory(("tail_wag",), np.zeros((2, 1)), 10.0, Source("made", "test"))
    with pytest.raises(InputError, match="tail_wag"):
        write_mot(tmp_path / "a.mot", foreign, MODEL)
    infinite = replace(foreign, names=("pelvis_tx",), values=np.array([[0.0], [np.inf]]))
    with pytest.raises(InputError, match="pelvis_tx, frame 2"):
        write_mot(tmp_path / "a.mot", infinite, MODEL)
    assert not (tmp_path / "a.mot").exists()


def test_any_table_round_trip(tmp_path: Path):
    table = Storage(("a", "b"), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.0, 0.5]), False)
    write_storage(tmp_path / "t.sto", table, title="errors")
    back = read_storage(tmp_path / "t.sto")
    assert (back.columns, back.in_degrees) == (("a", "b"), False)
    np.testing.assert_array_equal(back.values, table.values)


@NEEDS_DATA
def test_reference_motion_of_opensim():
    trajectory = read_coordinates(
        REFERENCE / "ik_output_walk.mot", read_model(REFERENCE / "subject_scaled_walk.osim")
    )
    assert (trajectory.num_frames, trajectory.notes) == (238, ())
    np.testing.assert_allclose(
        _column(trajectory, "knee_angle_r_beta"), _column(trajectory, "knee_angle_r"), atol=1e-6
    )


@NEEDS_DATA
def test_states_of_a_moco_solution():
    model = read_model(DATA / "opensim_core/moco3dwalking/subject_walk_scaled.osim")
    trajectory = read_coordinates(DATA / "opensim_core/moco3dwalking/coordinates.sto", model)
    assert trajectory.rate == pytest.approx(1000.0, rel=1e-6)
    assert _column(trajectory, "pelvis_tilt")[0] == pytest.approx(0.001606593553352076)
