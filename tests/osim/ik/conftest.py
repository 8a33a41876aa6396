"""Small marker trials whose coordinates are known."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from odah.motion.types import MarkerTrajectories, Source
from odah.osim import Coupler, ForwardKinematics, Model, full_body_model
from odah.osim.functions import SimmSpline


@pytest.fixture(scope="session")
def person() -> Model:
    return full_body_model()


@pytest.fixture(scope="session")
def coupled_leg(person: Model) -> Model:
    """Pelvis and right leg; the ankle, which moves markers, follows the knee through a spline."""
    function = SimmSpline((0.2, 0.8, 1.5, 2.0), (0.1, 0.4, 0.2, -0.3))
    bodies = person.bodies[:6]
    names = {body.name for body in bodies}
    return replace(
        person,
        bodies=bodies,
        joints=tuple(joint for joint in person.joints if joint.child in names),
        couplers=(Coupler("ankle", "ankle_angle_r", ("knee_angle_r",), function, 0.9),),
        markers=tuple(marker for marker in person.markers if marker.body in names),
    )


@pytest.fixture(scope="session")
def drawn() -> Callable[..., np.ndarray]:
    def draw(model: Model, count: int, seed: int = 0) -> np.ndarray:
        """(count, C) inside the ranges, locked ones at their defaults, couplers satisfied."""
        low, high = np.clip(model.coordinate_ranges, -1.4, 1.4).T
        margin = 0.05 * (high - low)
        values = np.random.default_rng(seed).uniform(low + margin, high - margin, (count, len(low)))
        locked = np.array([coordinate.locked for coordinate in model.coordinates])
        values[:, locked] = model.default_coordinates[locked]
        return ForwardKinematics(model).couple(torch.from_numpy(values)).numpy()

    return draw


@pytest.fixture(scope="session")
def recorded() -> Callable[[Model, np.ndarray], MarkerTrajectories]:
    def record(model: Model, coordinates: np.ndarray) -> MarkerTrajectories:
        """The model's own markers, exactly."""
        positions = ForwardKinematics(model)(torch.from_numpy(coordinates)).markers.numpy()
        return MarkerTrajectories(model.marker_names, positions, 100.0, "ground", Source("made", "test"))

    return record
