"""A person who moves as the full-body model does, before two cameras, without pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filmed_person import true_coordinates

from odah.benchmark.model_motion import motion_of
from odah.benchmark.recording import Recording, View
from odah.motion.types import R_WORLD_GROUND
from odah.osim import full_body_model, scale_model, write_model
from odah.osim.scaling.subject_priors import SubjectPriors, scale_effects
from odah.scene.camera import Camera, look_at

RATE = 30.0
POSITIONS = {"front": (4.2, -2.0, 1.2), "side": (1.2, 4.5, 1.0), "back": (-3.4, -2.2, 1.6)}
LENS = (-0.12, 0.05, 0.002, -0.001)


def person_factors(seed: int) -> np.ndarray:
    """(K, 3) of a person whose bodies, and their axes, differ by 5 % each."""
    effects = scale_effects(full_body_model(), SubjectPriors(size=0.08, segment=0.05, axis=0.05))
    return np.exp(effects @ np.random.default_rng(seed).standard_normal(effects.shape[-1]))


@pytest.fixture(scope="session")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Recording]:
    """Makes recordings of some frames of an asymmetric motion of all coordinates."""

    def make(num_frames: int = 12, step: int = 3, name: str = "sub1_moving") -> Recording:
        coordinates = true_coordinates(num_frames * step, RATE)[::step]
        factors = person_factors(7)
        path = tmp_path_factory.mktemp("truth") / "truth.osim"
        model = scale_model(full_body_model(), factors)
        write_model(model, path)
        times = np.arange(num_frames) / RATE
        cameras = {
            name: Camera.from_lens(name, look_at(place, (0.0, -0.1, 0.9)), 1280, 960)
            for name, place in POSITIONS.items()
        }
        cameras["side"] = replace(cameras["side"], distortion=LENS)
        views = {
            name: View(camera, Path(f"{name}.mp4"), np.arange(num_frames)) for name, camera in cameras.items()
        }
        T_world_ground = np.eye(4)
        T_world_ground[:3, :3], T_world_ground[:3, 3] = R_WORLD_GROUND, (0.1, -0.2, 0.03)
        return Recording(
            "synthetic", name, "sub1", "moving", RATE, num_frames, views, T_world_ground,
            lambda: motion_of(model, coordinates, times, path, factors),
        )  # fmt: skip

    return make
