"""Draws scenes: cameras, a room around them and the person, its furniture, its light."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from odah.errors import InputError
from odah.scene.config import SceneConfig
from odah.scene.lighting import sample_environment, sample_lights
from odah.scene.placement import PersonBounds, sample_cameras
from odah.scene.rooms import furnish, sample_room
from odah.scene.solids import solid_corners
from odah.scene.stress import stressed
from odah.scene.types import Furniture, Scene


def sample_scene(
    rng: np.random.Generator,
    config: SceneConfig,
    bounds: PersonBounds,
    rate: float = 60.0,
    props: Sequence[Furniture] = (),
) -> Scene:
    """A random scene around a moving person; the same generator state gives the same scene.

    Args:
        rate: frames per second of the videos.
        props: what stands somewhere already, such as the stool that the person sits on.

    Raises:
        InputError: a rate that is not positive, a motion no picture can hold.
    """
    if not rate > 0:
        raise InputError("scene rate", f"{rate}", "a positive number of frames per second")
    cameras = sample_cameras(rng, config.camera, bounds, config.picture_size)
    corners = [solid_corners(solid) for thing in props for solid in thing.solids]
    lenses = [camera.position[None] for camera in cameras]
    room = sample_room(rng, config.room, np.concatenate([bounds.points, *lenses, *corners]), bounds.heading)
    seed = int(rng.integers(2**31))
    furniture = furnish(rng, config.room, room, bounds.points, cameras, props)
    environment = sample_environment(rng, config.light, room, furniture)
    lights = sample_lights(rng, config.light, room, furniture)
    cameras, calibrated = stressed(rng, cameras, config.camera.stress)
    return Scene(
        cameras,
        lights,
        room,
        float(rate),
        seed=seed,
        furniture=furniture,
        environment=environment,
        calibrated=() if calibrated == cameras else calibrated,
    )
