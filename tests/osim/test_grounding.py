"""Grounded actions: what carries does not slide, nothing sinks, flights fall freely, at any body size."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest
import torch

from odah.body.fitting.body_fitter import BodyFitter
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.clothing import dress, sample_appearance
from odah.config import SubjectsConfig
from odah.errors import InputError
from odah.motion.actions import Action, coordinate_limits, plan_action
from odah.motion.actions.performer import Performer
from odah.motion.types import CoordinateTrajectory
from odah.names import BMLMOVI_ACTIONS, OPENSIM_COORDINATES
from odah.osim import ForwardKinematics, Model, full_body_model, scale_model
from odah.osim.bending import bending_force, solve_bending
from odah.osim.contact_points import contact_points, with_contact_markers
from odah.osim.grounding import ground_action
from odah.osim.seat import seat_of
from odah.osim.travel import GRAVITY, ballistic_path, carried_path, runs
from odah.pipeline.kinematics import builtin_kinematics
from odah.pipeline.subjects import synthetic_subject

RATE = 60
LEFT_HANDED = next(seed for seed in range(50) if Performer.from_seed(seed).is_left_handed)
COLUMN = {name: i for i, name in enumerate(OPENSIM_COORDINATES)}


@functools.cache
def grounded(name: str, seed: int = 1) -> tuple[Action, CoordinateTrajectory]:
    action = plan_action(name, seed, 3.0, RATE)
    return action, ground_action(full_body_model(), action)


def contacts_of(
    model: Model, action: Action, trajectory: CoordinateTrajectory
) -> tuple[np.ndarray, np.ndarray]:
    """Contact points (T, P, 3) in ground and their weights (T, P)."""
    skeleton = ForwardKinematics(with_contact_markers(model), torch.float64)
    places = skeleton(torch.as_tensor(trajectory.values)).markers.numpy()
    weights = np.stack([action.contacts[point.part] for point in contact_points(model)], axis=1)
    return places, weights


def slides(places: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Horizontal motion (T - 1, P) of points that carry in both frames, m a frame."""
    carries = np.minimum(weights[1:], weights[:-1]) > 0.95
    return np.linalg.norm(np.diff(places[..., (0, 2)], axis=0), axis=-1) * carries


@pytest.mark.parametrize("name", BMLMOVI_ACTIONS)
def test_on_the_floor_inside_ranges_and_smooth(name: str) -> None:
    action, trajectory = grounded(name)
    places, weights = contacts_of(full_body_model(), action, trajectory)
    assert slides(places, weights).max() < 0.002
    assert places[..., 1].min() > -0.005
    assert np.abs(places[..., 1][weights > 0.95]).max() < 0.006
    low, high = coordinate_limits()
    assert (trajectory.values >= low - 1e-9).all()
    assert (trajectory.values <= high + 1e-9).all()
    angles = [i for name, i in COLUMN.items() if name not in ("pelvis_tx", "pelvis_ty", "pelvis_tz")]
    assert (np.abs(np.diff(trajectory.values[:, angles], axis=0)) * RATE).max() < 20


@pytest.mark.parametrize("name", ["walking", "running", "sideways", "crawling", "vertical_jumping"])
def test_contacts_come_and_go_without_a_jerk(name: str) -> None:
    """Third differences of the legs' angles stay near those of the action in the air."""
    action, trajectory = grounded(name)
    legs = [i for n, i in COLUMN.items() if n.startswith(("hip_", "knee_", "ankle_", "subtalar_", "mtp_"))]
    free, bound = (
        np.degrees(np.abs(np.diff(values[:, legs], n=3, axis=0)).max())
        for values in (action.trajectory.values, trajectory.values)
    )
    assert bound < max(5 * free, 1.5)


def test_visible_soles_stand_on_the_floor() -> None:
    """A dressed body whose model stands: its shoes touch the floor from heel to ball."""
    fitter = BodyFitter(load_body(), load_registration())
    for seed in (0, 2):
        subject = synthetic_subject("s", fitter, SubjectsConfig(count=1), np.random.default_rng(seed))
        solved, _ = builtin_kinematics(subject, "hand_waving", 0, 10.0, 0.2)
        fit = fitter.fit_pose(solved, subject.body)
        look = sample_appearance(np.random.default_rng(seed), subject.gender)
        outfit = dress(fitter.body, subject.betas, replace(look, shoe_kind="sneaker"))
        layers = outfit.layers(fit.poses, fit.transl)
        shoes = next(layer for layer in layers if "shoe" in layer.name).vertices[0]
        for shoe in np.split(shoes, 2):
            lengthwise = shoe[:, 0] - shoe[:, 0].min()
            for part in (lengthwise < 0.06, (lengthwise > 0.14) & (lengthwise < 0.22)):
                assert shoe[part, 2].min() == pytest.approx(0, abs=0.006)


def test_bending_solver_against_a_dense_one() -> None:
    generator = torch.Generator().manual_seed(0)
    num_frames, size = 9, 4
    root = torch.randn(num_frames, size, size, dtype=torch.float64, generator=generator)
    blocks = root @ root.mT + torch.eye(size, dtype=torch.float64)
    right = torch.randn(num_frames, size, dtype=torch.float64, generator=generator)
    stiffness = torch.tensor([0.1, 1.0, 5.0, 20.0], dtype=torch.float64)
    is_free = torch.ones_like(right)
    is_free[3, 1] = is_free[4, 1] = 0
    blocks[3, 1, [0, 2, 3]] = blocks[3, [0, 2, 3], 1] = blocks[4, 1, [0, 2, 3]] = blocks[4, [0, 2, 3], 1] = 0
    found = solve_bending(blocks, stiffness, right, is_free)
    torch.testing.assert_close(found * (1 - is_free), torch.zeros_like(found))
    pull = (blocks @ found[..., None])[..., 0] + stiffness * bending_force(found)
    torch.testing.assert_close(pull * is_free, right * is_free)


@pytest.mark.parametrize("factor", [0.85, 1.12])
def test_any_size_of_subject(factor: float) -> None:
    generic = full_body_model()
    model = scale_model(generic, np.full((len(generic.bodies), 3), factor))
    action = plan_action("walking", 4, 2.5, RATE)
    trajectory = ground_action(model, action)
    places, weights = contacts_of(model, action, trajectory)
    assert slides(places, weights).max() < 0.002
    assert places[..., 1].min() > -0.005
    walked = np.ptp(trajectory.values[:, COLUMN["pelvis_tx"]])
    assert walked == pytest.approx(factor * np.ptp(ground_action(generic, action).values[:, 3]), rel=0.08)


def test_walking_goes_forward_at_a_walk() -> None:
    action = plan_action("walking", 1, 2.4, RATE)
    path = ground_action(full_body_model(), action).values[:, COLUMN["pelvis_tx"]]
    assert 0.8 < (path[-1] - path[0]) / 2.4 < 1.7
    assert path[-1] == pytest.approx(-path[0], abs=1e-6)


def test_gallop_goes_sideways_both_ways() -> None:
    action = plan_action("sideways", 1, 5.5, RATE)
    path = ground_action(full_body_model(), action).values[:, COLUMN["pelvis_tz"]]
    velocity = np.diff(path) * RATE
    assert velocity.max() > 0.5
    assert velocity.min() < -0.5


def test_jump_falls_freely() -> None:
    """In the air the centre of mass is a parabola with the acceleration of gravity."""
    model = full_body_model()
    action, trajectory = grounded("vertical_jumping")
    pose = ForwardKinematics(model, torch.float64)(torch.as_tensor(trajectory.values))
    masses = np.array([body.mass for body in model.bodies])
    height = np.einsum("k,tk->t", masses / masses.sum(), pose.body_coms[..., 1].numpy())
    flights = [(a, b) for a, b in runs(action.is_airborne) if b - a > 10]
    assert flights, "nobody jumped"
    for first, landing in flights:
        time = np.arange(landing - first) / RATE
        acceleration = 2 * np.polyfit(time, height[first:landing], 2)[0]
        assert acceleration == pytest.approx(-GRAVITY, rel=0.15)
        assert height[first:landing].max() - height[0] > 0.08


def test_ballistic_path_meets_gravity_and_both_ends() -> None:
    path = np.zeros((60, 3))
    path[:, 0] = np.linspace(0, 1, 60)
    is_airborne = np.zeros(60, dtype=bool)
    is_airborne[25:40] = True
    flown = ballistic_path(path, np.zeros((60, 3)), is_airborne, 50.0)
    np.testing.assert_allclose(np.diff(flown[24:41, 1], n=2) * 50**2, -GRAVITY, rtol=1e-9)
    np.testing.assert_allclose(flown[[0, 24, 40, 59]], path[[0, 24, 40, 59]], atol=1e-12)
    assert np.abs(np.diff(flown[:, 1], n=2)).max() * 50**2 < 4 * GRAVITY, "take-off has a kink"


def test_carried_path_undoes_the_feet() -> None:
    """A foot that moves back under the body at constant speed carries it forward at that speed."""
    time = np.arange(100) / 50
    points = np.zeros((100, 1, 3))
    points[:, 0, 0], points[:, 0, 1] = -1.3 * time, -0.9
    path = carried_path(points, np.ones((100, 1)), 50.0)
    np.testing.assert_allclose(path[:, 0], 1.3 * time, atol=1e-9)
    np.testing.assert_allclose(path[:, 1], 0.9, atol=1e-9)


def test_raising_the_right_arm_raises_the_right_hand() -> None:
    """Coordinates and handedness mean what they say in the model."""
    model = full_body_model()
    hands = [model.body_names.index(name) for name in ("hand_r", "hand_l")]
    for seed in (0, 1, 2, LEFT_HANDED):
        action, trajectory = grounded("hand_waving", seed)
        height = ForwardKinematics(model, torch.float64)(torch.as_tensor(trajectory.values)).body_positions
        top_right, top_left = height[:, hands, 1].max(dim=0).values.tolist()
        waves_right = np.degrees(action.trajectory.values[:, COLUMN["elbow_flex_r"]].max()) > 60
        assert (top_right > 1.3) == waves_right
        assert (top_left > 1.3) != waves_right


def test_seat_is_under_the_sitter_at_chair_height() -> None:
    model = full_body_model()
    action = plan_action("sit_down", 1, 5.0, 30)
    trajectory = ground_action(model, action)
    seat = seat_of(model, action, trajectory)
    assert seat is not None
    assert 0.3 < seat.height < 0.5
    standing, walk = grounded("hand_waving")
    assert seat_of(model, standing, walk) is None


def test_one_frame_in_the_air() -> None:
    action = plan_action("jumping", 0, 1 / RATE, RATE)
    airborne = Action(
        "jumping", 0, action.trajectory, dict.fromkeys(action.contacts, np.zeros(1)), np.zeros(1, bool)
    )
    model = full_body_model()
    places, _ = contacts_of(model, airborne, ground_action(model, airborne))
    assert places[..., 1].min() == pytest.approx(0, abs=0.02)


def test_other_models_are_refused() -> None:
    model = full_body_model()
    shorter = Model(
        model.name, model.bodies, model.joints, model.coordinates[:-1], model.markers, model.couplers
    )
    with pytest.raises(InputError, match="38 coordinates"):
        ground_action(shorter, plan_action("walking", 0, 1.0, 30))
