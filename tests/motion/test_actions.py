"""Built-in actions: all 21 by name, inside the model's ranges, the same for the same seed and no other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.errors import InputError
from odah.motion.actions import CONTACT_PARTS, builtin_action, coordinate_limits, plan_action
from odah.motion.actions.gait import (
    gait_programmes,
    gait_styles,
    periodic_curve,
    style_weights,
    window_weight,
)
from odah.motion.actions.keyframes import keyframed_actions
from odah.motion.actions.performer import Performer
from odah.motion.actions.poses import compose_pose, mirrored, named_poses
from odah.motion.actions.ranges import COLUMN, JOINT_ANGLE_RANGES_DEG, press_inside
from odah.names import BMLMOVI_ACTIONS, OPENSIM_COORDINATES

SEEDS = (0, 1, 7)
RIGHT_HANDED = next(seed for seed in range(50) if not Performer.from_seed(seed).is_left_handed)
LEFT_HANDED = next(seed for seed in range(50) if Performer.from_seed(seed).is_left_handed)
ANGLES = [i for i, name in enumerate(OPENSIM_COORDINATES) if name in JOINT_ANGLE_RANGES_DEG]


def degrees(trajectory, name: str) -> np.ndarray:
    return np.degrees(trajectory.values[:, COLUMN[name]])


@pytest.mark.parametrize("name", BMLMOVI_ACTIONS)
@pytest.mark.parametrize("seed", SEEDS)
def test_inside_ranges_and_smooth(name: str, seed: int) -> None:
    trajectory = builtin_action(name, seed, duration=7.0, rate=60)
    low, high = coordinate_limits()
    assert trajectory.values.shape == (420, 39)
    assert trajectory.names == OPENSIM_COORDINATES
    assert (trajectory.values >= low).all()
    assert (trajectory.values <= high).all()
    speed = np.abs(np.diff(trajectory.values[:, ANGLES], axis=0)) * 60
    assert speed.max() < 20
    assert speed.max() > 0.5, "nothing moves"


@pytest.mark.parametrize("name", BMLMOVI_ACTIONS)
def test_every_pose_of_the_tables_is_allowed(name: str) -> None:
    """The tables themselves, not only what is left of them after limiting."""
    if name in keyframed_actions():
        action = keyframed_actions()[name]
        poses = [
            key.pose for section in (action.start, *action.phrases, action.finish) for key in section.keys
        ]
    else:
        phase = np.linspace(0, 1, 40, endpoint=False)
        poses = [pose for style, _ in gait_programmes()[name] for pose in gait_styles()[style].pose(phase)]
    for coordinate, (low, high) in JOINT_ANGLE_RANGES_DEG.items():
        angles = np.degrees([pose[COLUMN[coordinate]] for pose in poses])
        assert low <= angles.min(), coordinate
        assert angles.max() <= high, coordinate


@pytest.mark.parametrize("name", BMLMOVI_ACTIONS)
def test_same_seed_same_motion_other_seed_other_motion(name: str) -> None:
    first, again = plan_action(name, 3, 4.0, 30), plan_action(name, 3, 4.0, 30)
    other = plan_action(name, 4, 4.0, 30)
    np.testing.assert_array_equal(first.trajectory.values, again.trajectory.values)
    assert all((first.contacts[part] == again.contacts[part]).all() for part in CONTACT_PARTS)
    assert np.degrees(np.abs(first.trajectory.values - other.trajectory.values)[:, ANGLES]).max() > 5


@pytest.mark.parametrize("name", BMLMOVI_ACTIONS)
def test_patella_follows_knee(name: str) -> None:
    values = builtin_action(name, 5, 2.0, 30).values
    for side in "rl":
        np.testing.assert_array_equal(
            values[:, COLUMN[f"knee_angle_{side}_beta"]], values[:, COLUMN[f"knee_angle_{side}"]]
        )


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(BMLMOVI_ACTIONS),
    seed=st.integers(0, 2**31),
    duration=st.floats(0.02, 30),
    rate=st.sampled_from([24, 30, 60, 100, 120]),
)
def test_any_length_and_rate(name: str, seed: int, duration: float, rate: float) -> None:
    action = plan_action(name, seed, duration, rate)
    low, high = coordinate_limits()
    assert action.trajectory.num_frames == max(round(duration * rate), 1)
    assert (action.trajectory.values >= low).all()
    assert (action.trajectory.values <= high).all()
    for weights in action.contacts.values():
        assert weights.shape == (action.trajectory.num_frames,)
        assert weights.min() >= 0
        assert weights.max() <= 1 + 1e-9


@pytest.mark.parametrize("spelling", ["Sit Down", "sit_down", "SIT-DOWN", " sit  down "])
def test_name_spellings(spelling: str) -> None:
    assert plan_action(spelling, 0, 1.0, 30).name == "sit_down"


def test_unknown_action_lists_all_names() -> None:
    with pytest.raises(InputError) as caught:
        builtin_action("moonwalk", 0, 1.0, 30)
    assert "moonwalk" in str(caught.value)
    assert all(name in str(caught.value) for name in BMLMOVI_ACTIONS)


@pytest.mark.parametrize(
    ("seed", "duration", "rate"),
    [(-1, 1.0, 30), (0, 0.0, 30), (0, -2.0, 30), (0, 1.0, 0), (0, float("nan"), 30)],
)
def test_bad_numbers(seed: int, duration: float, rate: float) -> None:
    with pytest.raises(InputError):
        builtin_action("walking", seed, duration, rate)


def test_handedness_decides_the_waving_arm() -> None:
    right = builtin_action("hand_waving", RIGHT_HANDED, 6.0, 30)
    left = builtin_action("hand_waving", LEFT_HANDED, 6.0, 30)
    for trajectory, busy, idle in ((right, "r", "l"), (left, "l", "r")):
        assert degrees(trajectory, f"elbow_flex_{busy}").max() > 90
        assert degrees(trajectory, f"elbow_flex_{idle}").max() < 50


@pytest.mark.parametrize("seed", [RIGHT_HANDED, LEFT_HANDED])
def test_the_standing_leg_carries_a_kick(seed: int) -> None:
    action = plan_action("kicking", seed, 6.0, 60)
    kicking, standing = ("r", "l") if seed == RIGHT_HANDED else ("l", "r")
    top = int(action.trajectory.values[:, COLUMN[f"hip_flexion_{kicking}"]].argmax())
    assert action.contacts[f"heel_{kicking}"][top] < 0.01
    assert action.contacts[f"heel_{standing}"][top] > 0.99


def test_walking_arms_swing_against_the_legs() -> None:
    walk = gait_styles()["walk"].pose(np.linspace(0, 1, 100, endpoint=False))
    for side, other in ("rl", "lr"):
        leg, arm = walk[:, COLUMN[f"hip_flexion_{side}"]], walk[:, COLUMN[f"arm_flex_{side}"]]
        assert np.corrcoef(leg, arm)[0, 1] < -0.7
        assert np.corrcoef(leg, walk[:, COLUMN[f"arm_flex_{other}"]])[0, 1] > 0.7


@pytest.mark.parametrize("style", ["walk", "run", "jog", "walk_in_place", "run_in_place"])
def test_gaits_are_symmetric(style: str) -> None:
    """Half a cycle later the body is its own mirror image."""
    phase = np.linspace(0, 1, 60, endpoint=False)
    pose = gait_styles()[style].pose
    np.testing.assert_allclose(mirrored(pose(phase)), pose(phase + 0.5), atol=np.radians(2.5))


def test_running_flies_and_walking_does_not() -> None:
    assert plan_action("running", 0, 6.0, 60).is_airborne.mean() > 0.05
    assert not plan_action("walking", 0, 6.0, 60).is_airborne.any()


def test_sitting_down_ends_seated() -> None:
    for seed in SEEDS:
        action = plan_action("sit down", seed, 8.0, 30)
        assert not action.is_seated[0]
        assert action.is_seated[-1]
        assert abs(degrees(action.trajectory, "knee_angle_r")[-1] - 90) < 18
        assert abs(degrees(action.trajectory, "hip_flexion_r")[-1] - 80) < 18


def test_mirroring_twice_changes_nothing() -> None:
    pose = compose_pose(["stand", "kick_ahead"])
    assert not np.allclose(mirrored(pose), pose)
    np.testing.assert_array_equal(mirrored(mirrored(pose)), pose)


def test_mirrored_pose_expression() -> None:
    ours, theirs = compose_pose("point_right"), compose_pose("point_right mirrored")
    assert ours[COLUMN["arm_add_r"]] == theirs[COLUMN["arm_add_l"]]
    assert theirs[COLUMN["arm_add_r"]] == compose_pose("stand")[COLUMN["arm_add_r"]]


def test_named_poses_name_real_angles() -> None:
    for angles in named_poses().values():
        for name in angles:
            assert name in JOINT_ANGLE_RANGES_DEG or f"{name}_r" in JOINT_ANGLE_RANGES_DEG


@given(st.floats(-4, 4), st.floats(-1, 0.5), st.floats(0.1, 2))
def test_press_inside_keeps_order_and_bounds(value: float, low: float, width: float) -> None:
    low_bound, high_bound = np.array([low]), np.array([low + width])
    pressed = press_inside(np.array([[value], [value + 1e-3]]), low_bound, high_bound)[:, 0]
    assert low <= pressed[0] <= pressed[1] <= low + width
    middle = low + width / 2
    np.testing.assert_allclose(press_inside(np.array([[middle]]), low_bound, high_bound), middle)


@given(st.floats(-3, 3))
def test_periodic_curve_repeats_and_meets_its_knots(phase: float) -> None:
    curve = periodic_curve({0: 10, 30: -5, 62: 3, 90: 8})
    np.testing.assert_allclose(curve(np.array([phase])), curve(np.array([phase + 1])), atol=1e-6)
    np.testing.assert_allclose(curve(np.array([0.0, 0.3, 0.62, 0.9])), [10, -5, 3, 8], atol=1e-9)


def test_window_wraps_around_the_cycle() -> None:
    weight = window_weight((0.9, 1.2), np.array([0.0, 0.1, 0.5, 0.85, 0.95, 1.9]))
    np.testing.assert_allclose(weight, [1, 1, 0, 0, 1, 0.5], atol=1e-9)


def test_style_weights_sum_to_one() -> None:
    time = np.arange(900) / 60
    weights = style_weights(gait_programmes()["jogging"], time, np.random.default_rng(0))
    np.testing.assert_allclose(sum(weights.values()), 1.0)
    assert all((weight > 0.99).any() for weight in weights.values())
