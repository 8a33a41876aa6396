"""What is written of solved kinematics: per-frame and per-marker errors, ranges, and never a NaN."""

import csv
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from odah.errors import OdahError
from odah.motion.types import Source
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model
from odah.osim.kinematics import Kinematics
from odah.osim.report import FILES, marker_rms, num_flagged, write_kinematics
from odah.osim.storage import read_storage

MODEL = full_body_model()
NAMES = MODEL.coordinate_names
FLAGS = ("", "not converged", "", "interpolated, too few markers")
MARKERS = ("R.Heel", "L Toe", "never seen")
DISTANCES = np.array([[0.003, 0.004, np.nan], [0.001, np.nan, np.nan], [0.006, 0.008, np.nan], [np.nan] * 3])


@pytest.fixture
def solved() -> Kinematics:
    """Four frames; the right knee beyond its range in one, the left one at its bound in three."""
    values = np.tile(MODEL.default_coordinates, (4, 1))
    values[2, NAMES.index("knee_angle_r")] = np.deg2rad(150.0)
    values[1:, NAMES.index("knee_angle_l")] = np.deg2rad(120.0)
    values = ForwardKinematics(MODEL).couple(torch.from_numpy(values)).numpy()
    rms = np.sqrt(np.nanmean(DISTANCES[:3] ** 2, axis=1))
    return Kinematics(
        model=MODEL,
        coordinates=values,
        rate=50.0,
        source=Source("made.trc", "trc"),
        start_time=0.5,
        scale_factors=np.ones((len(MODEL.bodies), 3)),
        marker_errors=np.append(rms, np.nan),
        tracked_markers=MARKERS,
        marker_distances=DISTANCES,
        frame_flags=FLAGS,
    )


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_frame_has_its_error_its_worst_marker_and_its_flag(solved: Kinematics, tmp_path: Path) -> None:
    files = write_kinematics(solved, tmp_path / "out")
    assert sorted(files) == sorted(FILES)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FILES)
    frames = rows(files["errors.csv"])
    assert [frame["flag"] for frame in frames] == list(FLAGS)
    assert [frame["time"] for frame in frames] == ["0.500000", "0.520000", "0.540000", "0.560000"]
    assert [frame["rms_mm"] for frame in frames] == ["3.536", "1.000", "7.071", ""]
    assert [frame["worst_marker"] for frame in frames] == ["L Toe", "R.Heel", "L Toe", ""]
    assert [frame["max_mm"] for frame in frames] == ["4.000", "1.000", "8.000", ""]
    assert [frame["num_markers"] for frame in frames] == ["2", "1", "2", "0"]
    assert num_flagged(solved) == 2


def test_a_marker_that_was_never_seen_has_no_error(solved: Kinematics, tmp_path: Path) -> None:
    markers = rows(write_kinematics(solved, tmp_path)["marker_errors.csv"])
    assert [marker["marker"] for marker in markers] == ["L Toe", "R.Heel"]
    assert markers[0] == {"marker": "L Toe", "rms_mm": "6.325", "max_mm": "8.000"}
    assert marker_rms(solved)["R.Heel"] == pytest.approx(np.sqrt((9 + 1 + 36) / 3) / 1e3)


def test_opensim_loads_marker_errors_by_frame(solved: Kinematics, tmp_path: Path) -> None:
    path = write_kinematics(solved, tmp_path)["marker_errors_by_frame.sto"]
    own = read_storage(path)
    assert own.columns == ("R.Heel", "L_Toe", "never_seen")
    np.testing.assert_allclose(own.values, DISTANCES)
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("Off")
    table = opensim.TimeSeriesTable(str(path))
    assert table.getColumnLabels() == own.columns
    np.testing.assert_allclose(table.getMatrix().to_numpy(), DISTANCES)
    np.testing.assert_allclose(table.getIndependentColumn(), solved.time)
    plotted = opensim.Storage(str(path))  # what the GUI's plotter reads
    assert [plotted.getColumnLabels().get(k) for k in range(4)] == ["time", *own.columns]


def test_ranges_are_in_the_units_of_the_motion_file(solved: Kinematics, tmp_path: Path) -> None:
    found = {row["coordinate"]: row for row in rows(write_kinematics(solved, tmp_path)["ranges.csv"])}
    assert list(found) == list(NAMES)
    right, left = found["knee_angle_r"], found["knee_angle_l"]
    assert (right["unit"], right["max"], right["range_high"]) == ("deg", "150", "120")
    assert (right["frames_outside"], right["at_bound"]) == ("1", "0.7500")  # at rest the knee is straight: 0
    assert (left["frames_outside"], left["at_bound"]) == ("0", "1.0000")
    assert found["pelvis_ty"]["unit"] == "m"
    assert found["knee_angle_r_beta"]["unit"] == "rad"


def test_coordinates_without_markers_are_written_without_error_files(
    solved: Kinematics, tmp_path: Path
) -> None:
    bare = replace(solved, marker_errors=None, marker_distances=None, tracked_markers=(), frame_flags=None)
    files = write_kinematics(bare, tmp_path, plot=False)
    assert sorted(files) == ["kinematics.mot", "markers.trc", "model.osim", "ranges.csv"]


def test_virtual_markers_have_errors_by_frame_only(solved: Kinematics, tmp_path: Path) -> None:
    files = write_kinematics(replace(solved, marker_distances=None, tracked_markers=()), tmp_path, plot=False)
    assert "marker_errors.csv" not in files
    frame = rows(files["errors.csv"])[1]
    assert (frame["rms_mm"], frame["max_mm"], frame["flag"]) == ("1.000", "", "not converged")


def _broken(solved: Kinematics, place: str) -> Kinematics:
    if place == "coordinate":
        values = solved.coordinates.copy()
        values[2, NAMES.index("hip_flexion_l")] = np.nan
        return replace(solved, coordinates=values)
    if place == "marker":
        marker = replace(MODEL.markers[1], offset=np.array([0.0, np.nan, 0.0]))
        return replace(solved, model=MODEL.with_markers((MODEL.markers[0], marker)))
    if place == "body":
        body = replace(MODEL.bodies[3], mass=np.inf)
        return replace(solved, model=replace(MODEL, bodies=(*MODEL.bodies[:3], body, *MODEL.bodies[4:])))
    return replace(solved, model_xml="<A><name>Nan</name><max_force>nan</max_force></A>")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("coordinate", "made.trc: the coordinate hip_flexion_l came out as nan in frame 3"),
        ("marker", f"made.trc: the scaled model's marker {MODEL.markers[1].name} is not a finite number"),
        ("body", f"the scaled model's body {MODEL.bodies[3].name} is not"),
        ("muscle", "the scaled model's <max_force> is not"),
    ],
)
def test_a_nan_is_named_and_nothing_is_written(
    solved: Kinematics, tmp_path: Path, place: str, words: str
) -> None:
    with pytest.raises(OdahError) as caught:
        write_kinematics(_broken(solved, place), tmp_path / "out")
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_there_is_no_plot_and_no_failure(tmp_path: Path) -> None:
    """In a Python whose matplotlib is hidden, since the import of the package must survive it too."""
    script = (
        "import sys, importlib.util as u; real = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'matplotlib' else real(name, *rest)\n"
        "sys.modules['matplotlib'] = None\n"
        "from odah.osim import report; print(report.can_plot())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
