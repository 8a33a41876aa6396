"""The picture of a trial: what is where, in which colour, and the same bytes each time."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from odah.motion.types import Source
from odah.osim.full_body import full_body_model
from odah.osim.kinematics import Kinematics
from odah.osim.plot import LEFT, RIGHT, kinematics_figure, write_plot

MODEL = full_body_model()
NAMES = MODEL.coordinate_names
NUM_FRAMES = 60


@pytest.fixture
def solved() -> Kinematics:
    """Everything moves but the toes; the right knee bends beyond its range, frames 20 to 29 are flagged."""
    phase = np.linspace(0, 6, NUM_FRAMES)[:, None] + np.arange(len(NAMES))
    values = MODEL.coordinate_ranges.mean(axis=1) + 0.1 * np.sin(phase)
    for side in "rl":
        values[:, NAMES.index(f"mtp_angle_{side}")] = 0.0
    values[40:, NAMES.index("knee_angle_r")] = np.deg2rad(140.0)
    return Kinematics(
        model=MODEL,
        coordinates=values,
        rate=30.0,
        source=Source("folder/jump.c3d", "c3d"),
        start_time=1.0,
        scale_factors=np.ones((len(MODEL.bodies), 3)),
        marker_errors=np.full(NUM_FRAMES, 0.01),
        tracked_markers=("A", "B"),
        marker_distances=np.tile([0.01, 0.03], (NUM_FRAMES, 1)),
        frame_flags=tuple("not converged" if 20 <= k < 30 else "" for k in range(NUM_FRAMES)),
    )


def panels(solved: Kinematics) -> dict[str, Axes]:
    return {axes.get_title(loc="left").split("  ")[0]: axes for axes in kinematics_figure(solved).axes}


def test_sides_share_a_panel_right_orange_left_blue(solved: Kinematics) -> None:
    found = panels(solved)
    assert "knee_angle" in found
    assert "knee_angle_r" not in found
    assert "knee_angle_r_beta" not in found
    for side, color in (("r", RIGHT), ("l", LEFT)):
        line = next(line for line in found["elbow_flex"].lines if to_hex(line.get_color()) == color)
        expected = np.rad2deg(solved.coordinates[:, NAMES.index(f"elbow_flex_{side}")])
        np.testing.assert_allclose(np.asarray(line.get_ydata(), float), expected)
        np.testing.assert_allclose(np.asarray(line.get_xdata(), float), solved.time)
    assert len(found["position"].lines) == 3


def test_coordinates_at_rest_are_named_instead_of_drawn(solved: Kinematics) -> None:
    assert "mtp_angle" not in panels(solved)
    told = [text.get_text() for text in kinematics_figure(solved).texts]
    assert "constant, so held by the model or told by no marker: mtp_angle" in told
    still = replace(solved, coordinates=np.tile(MODEL.default_coordinates, (NUM_FRAMES, 1)))
    assert "mtp_angle" in panels(still)  # rather than an empty picture


def test_ranges_are_shaded_and_what_is_beyond_is_marked(solved: Kinematics) -> None:
    knee, elbow = panels(solved)["knee_angle"], panels(solved)["elbow_flex"]
    assert len(knee.lines) == len(elbow.lines) + 1
    beyond = np.asarray(knee.lines[-1].get_ydata(), float)
    np.testing.assert_array_equal(np.flatnonzero(np.isfinite(beyond)), np.arange(40, NUM_FRAMES))
    boxes = [patch.get_extents().transformed(knee.transData.inverted()) for patch in knee.patches]
    low, high = np.rad2deg(MODEL.coordinates[NAMES.index("knee_angle_r")].range)
    assert any((box.y0, box.y1) == pytest.approx((low, high), abs=0.1) for box in boxes)


def test_flagged_frames_are_marked_in_every_panel_where_they_are(solved: Kinematics) -> None:
    for axes in panels(solved).values():
        boxes = [patch.get_extents().transformed(axes.transData.inverted()) for patch in axes.patches]
        expected = (1.0 + 19.5 / 30, 1.0 + 29.5 / 30)
        assert any((box.x0, box.x1) == pytest.approx(expected, abs=1e-6) for box in boxes)
    texts = [text.get_text() for text in kinematics_figure(solved).texts]
    assert texts[0] == "jump.c3d"
    assert "10 frames flagged" in texts[1]


def test_errors_are_drawn_where_there_are_any(solved: Kinematics) -> None:
    axes = panels(solved)["measured to model markers"]
    assert [float(np.asarray(line.get_ydata(), float)[0]) for line in axes.lines] == pytest.approx([10, 30])
    bare = replace(solved, marker_errors=None, marker_distances=None, frame_flags=None)
    assert "measured to model markers" not in panels(bare)


def test_the_same_trial_is_the_same_file(solved: Kinematics, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        write_plot(solved, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
