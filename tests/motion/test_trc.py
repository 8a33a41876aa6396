"""TRC files: round trip, OpenSim as the other reader, files that contradict themselves."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from odah.errors import InputError
from odah.motion.trc import read_trc, write_trc
from odah.motion.types import R_WORLD_GROUND, MarkerTrajectories, Source

DATA = Path(__file__).parents[2].parent / "shared" / "data"
WALK = DATA / "opensim_models/Pipelines/Rajagopal/ExpData/motion_capture_walk.trc"
TRC = """PathFileType\t4\t(X/Y/Z)\tsmall.trc
DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames
100\t100\t2\t2\tmm\t100\t1\t2
Frame#\tTime\tR.ASIS\t\t\tL.ASIS\t\t
\t\tX1\tY1\tZ1\tX2\tY2\tZ2

1\t0.00\t1000\t2000\t3000\t4000\t5000\t6000
2\t0.01\t1001\t2001\t3001\t4001\t5001\t6001
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "markers.trc"
    path.write_text(text)
    return path


def _markers(positions: np.ndarray, rate: float = 120.0, start: float = 0.5) -> MarkerTrajectories:
    names = tuple(f"M.{k}" for k in range(positions.shape[1]))
    return MarkerTrajectories(names, positions, rate, "ground", Source("made", "test"), start)


@pytest.mark.parametrize(("unit", "metres"), [("mm", 1e-3), ("cm", 1e-2), ("m", 1.0)])
def test_units_become_metres(tmp_path: Path, unit: str, metres: float):
    markers = read_trc(_write(tmp_path, TRC.replace("\tmm\t", f"\t{unit}\t")))
    assert markers.names == ("R.ASIS", "L.ASIS")
    assert (markers.rate, markers.frame) == (100.0, "ground")
    np.testing.assert_allclose(markers.positions[1, 1], np.array([4001, 5001, 6001]) * metres)


def test_repeated_tabs_separate_and_single_empty_fields_are_unseen(tmp_path: Path):
    doubled = TRC.replace("\t1000\t", "\t\t1000\t\t").replace("\t4000\t", "\t\t4000\t\t")
    np.testing.assert_allclose(read_trc(_write(tmp_path, doubled)).positions[0, 0], [1, 2, 3])
    gap = TRC.replace("4000\t5000\t6000", "\t\t").replace("\t2001\t", "\tNaN\t")
    positions = read_trc(_write(tmp_path, gap)).positions
    assert np.isnan(positions[0, 1]).all()
    assert np.isnan(positions[1, 0]).all()
    assert np.isfinite(positions[0, 0]).all()


@settings(max_examples=30, deadline=None)
@given(arrays(float, (4, 3, 3), elements=st.floats(-50, 50)), st.integers(0, 11), st.floats(20, 400))
def test_written_markers_are_read_back(tmp_path_factory, positions, hidden, rate):
    positions[hidden // 3, hidden % 3] = np.nan
    markers = _markers(positions, rate)
    path = tmp_path_factory.mktemp("trc") / "a.trc"
    write_trc(path, markers)
    back = read_trc(path)
    assert back.names == markers.names
    assert back.rate == pytest.approx(rate, rel=1e-9)
    assert back.start_time == pytest.approx(markers.start_time)
    np.testing.assert_allclose(back.positions, positions, atol=1e-9)


def test_world_markers_are_written_y_up(tmp_path: Path):
    ground = np.random.default_rng(0).normal(size=(3, 2, 3))
    world = MarkerTrajectories(("A", "B"), ground @ R_WORLD_GROUND.T, 50.0, "world", Source("made", "test"))
    write_trc(tmp_path / "a.trc", world)
    np.testing.assert_allclose(read_trc(tmp_path / "a.trc").positions, ground, atol=1e-9)
    assert read_trc(tmp_path / "a.trc", frame="world").frame == "world"


def test_opensim_reads_what_we_write(tmp_path: Path):
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("Off")
    positions = np.random.default_rng(1).normal(size=(5, 4, 3))
    positions[2, 1] = positions[4, 3] = np.nan
    write_trc(tmp_path / "a.trc", _markers(positions))
    table = opensim.TimeSeriesTableVec3(str(tmp_path / "a.trc"))
    assert table.getColumnLabels() == ("M.0", "M.1", "M.2", "M.3")
    flat = table.flatten()  # each object of a chain kept alive: OpenSim lends views
    matrix = flat.getMatrix()
    np.testing.assert_allclose(matrix.to_numpy() / 1000, positions.reshape(5, 12), atol=1e-9)
    data = opensim.MarkerData(str(tmp_path / "a.trc"))
    assert (data.getNumFrames(), data.getNumMarkers(), data.getDataRate()) == (5, 4, 120.0)
    for frame_index in range(5):
        frame = data.getFrame(frame_index)
        for marker_index in range(4):
            point = frame.getMarker(marker_index)
            read = [point.get(axis) for axis in range(3)]
            np.testing.assert_allclose(np.array(read) / 1000, positions[frame_index, marker_index], atol=1e-9)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("100\t100\t2\t", "100\t100\t7\t", r"found 2 frames, expected the 7 frames"),
        ("100\t100\t2\t2", "0\t100\t2\t2", r"DataRate 0"),
        ("100\t100\t2\t2", "nan\t100\t2\t2", r"DataRate 'nan'"),
        ("\tmm\t", "\tfurlong\t", r"Units 'furlong'"),
        ("L.ASIS", "R.ASIS", r"'R.ASIS' more than once"),
        ("2\t2\tmm", "2\t3\tmm", r"found 2 marker names, expected the 3"),
        ("\t4001\t", "\tfour\t", r"line 8, marker L.ASIS: found 'four'"),
        ("2\t0.01", "2\t0.00", r"frame 2, Time: found 0 s"),
        ("2\t0.01", "2\t0.05", r"DataRate 100 but a Time column at 20 Hz"),
        ("\t6001", "\t6001\t1\t2\t3", r"line 8: found 11 fields, expected 8"),
        ("PathFileType", "Coordinates", r"no TRC header"),
        ("Frame#", "Index", r"line 4"),
    ],
)
def test_a_file_that_contradicts_itself_is_named(tmp_path: Path, old: str, new: str, message: str):
    assert old in TRC
    with pytest.raises(InputError, match=message):
        read_trc(_write(tmp_path, TRC.replace(old, new)))


def test_truncated_file_on_request(tmp_path: Path):
    path = _write(tmp_path, TRC.replace("100\t100\t2\t", "100\t100\t7\t"))
    assert read_trc(path, allow_truncated=True).num_frames == 2


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.integers(0, len(TRC)))
def test_any_text_is_read_or_refused(tmp_path_factory, noise, where):
    path = tmp_path_factory.mktemp("trc") / "noise.trc"
    path.write_bytes((TRC[:where] + noise + TRC[where:]).encode("utf-8", "replace"))
    try:
        markers = read_trc(path, allow_truncated=True)
    except InputError:
        return
    assert markers.positions.shape == (markers.num_frames, len(markers.names), 3)


def test_refuses_names_the_format_cannot_carry(tmp_path: Path):
    markers = MarkerTrajectories(("a\tb",), np.zeros((2, 1, 3)), 100.0, "ground", Source("made", "test"))
    with pytest.raises(InputError, match="without tabs"):
        write_trc(tmp_path / "a.trc", markers)
    assert not (tmp_path / "a.trc").exists()


@pytest.mark.skipif(not WALK.exists(), reason="the shared recordings are not beside the project")
def test_real_walk():
    markers = read_trc(WALK)
    assert (markers.num_frames, len(markers.names), markers.rate) == (238, 41, 100.0)
    np.testing.assert_allclose(markers.positions[0, 0], [-0.65263, 1.529542, -0.09452])
