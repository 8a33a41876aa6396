"""A floor that slopes is found under the feet and brought level; one that does not is left alone."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from odah.motion.actions import plan_action
from odah.motion.types import Source
from odah.osim import ForwardKinematics, full_body_model
from odah.osim.grounding import ground_action
from odah.osim.kinematics import Kinematics
from odah.osim.level_floor import FloorPlane, find_floor, fit_plane, levelled

MODEL = full_body_model()
COLUMN = {name: i for i, name in enumerate(MODEL.coordinate_names)}
ANGLES = [COLUMN[f"pelvis_{name}"] for name in ("tilt", "list", "rotation")]
PLACES = [COLUMN[f"pelvis_t{axis}"] for axis in "xyz"]


def moving(values: np.ndarray) -> Kinematics:
    return Kinematics(MODEL, values, 60.0, Source("made", "test"), 0.0, np.ones((22, 3)))


@cache
def action(name: str) -> Kinematics:
    return moving(ground_action(MODEL, plan_action(name, 3, 4.0, 60.0)).values)


def turned(kinematics: Kinematics, turn: Rotation, shift: tuple[float, float, float]) -> Kinematics:
    """The whole motion about ground's origin; the root turns about z, x and y of what it turned before."""
    values = kinematics.coordinates.copy()
    own = Rotation.from_euler("ZXY", values[:, ANGLES])
    values[:, ANGLES] = np.unwrap((turn * own).as_euler("ZXY"), axis=0)
    values[:, PLACES] = turn.apply(values[:, PLACES]) + shift
    return replace(kinematics, coordinates=values)


def floor_of(kinematics: Kinematics) -> FloorPlane:
    floor = find_floor(kinematics)
    assert floor is not None
    return floor


def markers_of(kinematics: Kinematics) -> np.ndarray:
    with torch.no_grad():
        return ForwardKinematics(MODEL)(torch.from_numpy(kinematics.coordinates)).markers.numpy()


@pytest.mark.parametrize("heading_deg", [0.0, 200.0])
@pytest.mark.parametrize("slope_deg", [-1.2, 0.8])
def test_a_walk_up_or_down_a_slope_comes_back_level(slope_deg: float, heading_deg: float) -> None:
    walk = turned(action("walking"), Rotation.from_euler("Y", heading_deg, degrees=True), (0.3, 0.0, -0.7))
    along = Rotation.from_euler("Y", heading_deg, degrees=True).apply([0.0, 0.0, 1.0])
    sloping = turned(walk, Rotation.from_rotvec(np.deg2rad(slope_deg) * along), (0.1, 0.4, 0.2))
    floor = floor_of(sloping)
    assert np.rad2deg(floor.angle) == pytest.approx(abs(slope_deg), abs=0.15)
    level = levelled(sloping, floor)
    lift = markers_of(level)[..., 1] - markers_of(walk)[..., 1]
    assert np.abs(lift).max() < 0.008, "0.1 degrees, or 2 mm a metre, remain"
    found = f"the recorded floor sloped {np.rad2deg(floor.angle):.1f} deg: levelled"
    assert level.notes == (found,)
    others = np.setdiff1d(np.arange(len(COLUMN)), [*ANGLES, *PLACES])
    np.testing.assert_array_equal(level.coordinates[:, others], walk.coordinates[:, others])


def test_a_motion_is_turned_as_a_whole() -> None:
    """Distances between markers of any two frames stay; the path keeps its heading."""
    sloping = turned(action("walking"), Rotation.from_rotvec([0.006, 0.0, 0.018]), (0.0, 1.0, 0.0))
    floor = floor_of(sloping)
    assert floor.angle > 0
    before, after = (
        markers_of(motion)[[0, 60, 200]].reshape(-1, 3) for motion in (sloping, levelled(sloping, floor))
    )
    for k in (3, 70, 120):
        np.testing.assert_allclose(
            np.linalg.norm(after - after[k], axis=1), np.linalg.norm(before - before[k], axis=1), atol=1e-9
        )
    assert np.abs(after - before)[:, [0, 2]].max() < 0.06


def test_a_level_motion_stays_as_it_is() -> None:
    walk = action("walking")
    floor = floor_of(walk)
    assert floor.angle == 0.0
    level = levelled(walk, floor)
    assert level.notes == ()
    np.testing.assert_allclose(level.coordinates, walk.coordinates, atol=0.002)


def test_someone_on_the_spot_tells_a_height_but_no_slope() -> None:
    tilted = turned(action("hand_waving"), Rotation.from_rotvec([0.01, 0.0, 0.02]), (0.0, -0.5, 0.0))
    floor = floor_of(tilted)
    assert floor.angle == 0.0
    assert floor.height == pytest.approx(-0.5, abs=0.015)


def test_a_straight_walk_tells_nothing_across_its_path() -> None:
    leaning = turned(action("walking"), Rotation.from_rotvec([0.02, 0.0, 0.0]), (0.0, 0.0, 0.0))
    floor = floor_of(leaning)
    assert floor.angle < np.deg2rad(0.4)


@pytest.mark.parametrize("slope_deg", [4.0, 20.0])
def test_ramps_are_not_levelled(slope_deg: float) -> None:
    ramp = turned(action("walking"), Rotation.from_euler("Z", slope_deg, degrees=True), (0.0, 0.0, 0.0))
    floor = find_floor(ramp)
    assert floor is None or floor.angle == 0.0


@pytest.mark.parametrize("step", [0.08, 0.3])
def test_a_step_is_no_slope(step: float) -> None:
    values = action("walking").coordinates.copy()
    middle = len(values) / 2
    values[:, COLUMN["pelvis_ty"]] += step * np.clip((np.arange(len(values)) - middle) / 6, 0, 1)
    assert find_floor(moving(values)) is None


def test_someone_who_lies_has_no_floor_under_the_feet() -> None:
    lying = turned(action("hand_waving"), Rotation.from_euler("Z", 90, degrees=True), (0.0, 0.2, 0.0))
    assert find_floor(lying) is None
    assert find_floor(moving(action("walking").coordinates[:2])) is None


@given(
    slope=st.tuples(st.floats(-0.03, 0.03), st.floats(-0.03, 0.03)),
    height=st.floats(-2, 2),
    outlier=st.floats(-0.3, 0.3),
    seed=st.integers(0, 1000),
)
def test_a_plane_through_points_and_one_that_is_off(
    slope: tuple[float, float], height: float, outlier: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    ground = rng.uniform(-3, 3, (30, 2))
    points = np.column_stack([ground[:, 0], height + ground @ slope, ground[:, 1]])
    points[0, 1] += outlier
    plane = fit_plane(points, rng.uniform(0.5, 1.0, 30))
    np.testing.assert_allclose(plane.slope, slope, atol=0.004)
    np.testing.assert_allclose(plane.heights(points)[1:], points[1:, 1], atol=0.01)
    assert np.tan(plane.angle) == pytest.approx(np.hypot(*plane.slope))
