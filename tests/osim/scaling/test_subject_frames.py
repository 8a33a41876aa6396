"""Which frames of which trials a fit uses."""

import numpy as np
import pytest

from odah.errors import InputError
from odah.motion.types import Frame, MarkerTrajectories, Source
from odah.osim.full_body import full_body_model
from odah.osim.scaling.subject_frames import chosen_frames, most_different, tracked_model

NAMES = ("A", "B", "C", "D")


def _trial(
    positions: np.ndarray, names: tuple[str, ...] = NAMES, frame: Frame = "ground"
) -> MarkerTrajectories:
    return MarkerTrajectories(names, positions, 100.0, frame, Source("made.trc", "trc"))


def _bending(angles: np.ndarray) -> np.ndarray:
    """Two rods that meet at a hinge, in frames that also turn and travel."""
    tips = np.column_stack([np.cos(angles), np.sin(angles), 0 * angles])
    points = np.stack([0 * tips + [-1, 0, 0], 0 * tips, tips, 0 * tips + [0, 0, 0.3]], axis=1)
    turn = np.linspace(0, 3, len(angles))
    rotmats = np.array([[[np.cos(t), 0, np.sin(t)], [0, 1, 0], [-np.sin(t), 0, np.cos(t)]] for t in turn])
    return np.einsum("tij,tmj->tmi", rotmats, points) + turn[:, None, None]


def test_most_different_frames_span_the_movement():
    angles = np.array([0.5, 0.5, 0.52, 0.5, 2.0, 0.5, 0.51, 0.1, 0.5])
    chosen = most_different(_bending(angles), 3)
    assert {4, 7} < set(chosen.tolist())
    assert len(most_different(_bending(angles), 50)) == 3  # the others tell the same


def test_turning_and_shifting_frames_changes_nothing():
    angles = np.random.default_rng(0).uniform(0, 2, 30)
    still = _bending(angles)
    rotmat = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(most_different(still, 8), most_different(still @ rotmat.T + 8.0, 8))


def test_every_trial_counts_though_it_shows_other_markers():
    first = _trial(_bending(np.linspace(0.2, 1, 40))[:, :3], NAMES[:3])
    second = _trial(_bending(np.linspace(1, 1.2, 10))[:, 1:], NAMES[1:])
    positions = chosen_frames([first, second], NAMES, 12)
    assert positions.shape == (12, 4, 3)
    lacking = np.isnan(positions[..., 0])
    assert lacking[:, 3].any()  # from the first
    assert lacking[:, 0].any()  # from the second
    assert not lacking[:, 1].any()


def test_a_varied_trial_leaves_room_for_a_quiet_one():
    varied = _trial(_bending(np.linspace(0.0, 2.5, 60)))
    quiet = _trial(_bending(np.linspace(1.0, 1.3, 20)) * 1.001)
    positions = chosen_frames([varied, quiet], NAMES, 16)
    is_quiet = [any(np.allclose(frame, other) for other in quiet.positions) for frame in positions]
    assert len(positions) == 16
    assert sum(is_quiet) >= 4


def test_frames_of_world_are_turned_to_ground():
    ground = _bending(np.array([1.0, 1.1]))
    world = ground @ np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]).T
    turned = chosen_frames([_trial(world, frame="world")], NAMES, 2)
    np.testing.assert_allclose(turned, chosen_frames([_trial(ground)], NAMES, 2), atol=1e-12)


def test_a_marker_seen_in_one_frame_brings_that_frame():
    positions = _bending(np.linspace(0.2, 1, 20))
    positions[np.arange(20) != 6, 3] = np.nan
    trial = _trial(
        np.concatenate([positions[:, :3], positions[:, :2] + [0, 0.1, 0], positions[:, 3:]], axis=1)
    )
    chosen = most_different(trial.positions, 2)
    assert 6 in chosen


def test_frames_that_show_too_little_are_left_out():
    positions = _bending(np.linspace(0.2, 1, 20))
    positions[5:9, 1:] = np.nan
    assert np.isfinite(chosen_frames([_trial(positions)], NAMES, 20)).all()


@pytest.mark.parametrize(
    ("positions", "found"),
    [
        (_bending(np.full(5, 0.0))[:, :3], "stray 0 mm from a line"),
        (_bending(np.full(5, 1.0))[:, :2], "stray 0 mm from a line"),
    ],
    ids=["collinear", "two"],
)
def test_markers_on_a_line_are_refused(positions: np.ndarray, found: str):
    names = NAMES[: positions.shape[1]]
    with pytest.raises(InputError, match=rf"made\.trc: found markers that {found}"):
        chosen_frames([_trial(positions, names)], names, 5)


def test_only_weighted_markers_seen_on_bodies_are_tracked():
    model = full_body_model()
    names = ("RASI", "LASI", "RPSI", "LPSI", "C7")
    positions = np.ones((2, 5, 3))
    positions[:, 3] = np.nan
    trial = _trial(positions, names)
    tracked = tracked_model(model, [trial], {"RASI": 1.0, "LASI": 2.0, "RPSI": 1.0, "LPSI": 1.0, "C7": 0.0})
    assert set(tracked.marker_names) == {"RASI", "LASI", "RPSI"}
    with pytest.raises(
        InputError, match=r"made\.trc: found 2 of the weighted markers on bodies of .*'full_b"
    ):
        tracked_model(model, [trial], {"RASI": 1.0, "LASI": 2.0})
    with pytest.raises(InputError, match=r"found 0 of the weighted markers .*there are none"):
        tracked_model(model, [], {})
