"""Which of several people a prediction is about: the same one in all views and at all times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from jaxtyping import Float

from odah.errors import InputError
from odah.estimator.predict.segmenters import Person
from odah.scene.camera import Camera
from odah.scene.distortion import undistort

MEETING = 0.3
"""m; rays from two cameras to the middle of the same body pass each other no further away."""
_FARTHEST = 100.0
_STEADY = 2.0
"""Of what someone further away must be larger by, in natural logarithms a m."""


@dataclass(frozen=True, eq=False)
class Choice:
    """One person in each view at one time.

    place: of their middle, world, m; where there is one view, along the picture, in heights of the person.
    score: log of how large and how central they are, in all views.
    """

    people: tuple[Person, ...]
    place: Float[np.ndarray, " D"]
    score: float


def choices(people: Sequence[Sequence[Person]], cameras: Sequence[Camera]) -> list[Choice]:
    """All sets of one person a view who can be the same one, for the people found in each view."""
    found = []
    for together in product(*people):
        place = _place(together, cameras)
        if place is not None:
            scores = [_prominence(person) for person in together]
            found.append(Choice(together, place, sum(scores)))
    return found


def steadiest(times: Sequence[Sequence[Choice]]) -> list[Choice]:
    """One choice at each time, so that the person is prominent and does not jump between places."""
    best = np.array([choice.score for choice in times[0]])
    came_from: list[np.ndarray] = []
    for before, after in pairwise(times):
        ways = np.array([[np.linalg.norm(b.place - a.place) for b in before] for a in after])
        total = best[None] - _STEADY * ways
        came_from.append(total.argmax(axis=1))
        best = total.max(axis=1) + [choice.score for choice in after]
    index = int(best.argmax())
    picked = [times[-1][index]]
    for choice, origin in zip(reversed(times[:-1]), reversed(came_from), strict=True):
        index = int(origin[index])
        picked.append(choice[index])
    return picked[::-1]


def _prominence(person: Person) -> float:
    """Log of the height, less what is lost by standing at the picture's edge."""
    height, width = person.mask.shape
    left, top, right, bottom = person.box
    off = np.array([(left + right) / width - 1, (top + bottom) / height - 1])
    return float(np.log(person.height / height) - off @ off)


def _place(people: Sequence[Person], cameras: Sequence[Camera]) -> np.ndarray | None:
    if len(people) == 1:
        left, top, right, bottom = people[0].box
        return np.array([left + right, top + bottom]) / 2 / people[0].height
    rays = [_ray(person, camera) for person, camera in zip(people, cameras, strict=True)]
    return None if None in rays else meeting(*zip(*rays, strict=True))  # pyright: ignore[reportArgumentType]


def _ray(person: Person, camera: Camera) -> tuple[np.ndarray, np.ndarray] | None:
    """From where, and the unit direction towards the middle of a mask, world; None beyond the lens' reach."""
    rows, columns = np.nonzero(person.mask)
    pixel = np.array([columns.mean(), rows.mean()])
    point = (pixel - camera.K[:2, 2]) / np.diag(camera.K)[:2]
    if camera.is_distorted:
        try:
            point = undistort(point[None], camera.distortion)[0]
        except InputError:
            return None
    direction = camera.T_world_cam[:3, :3] @ np.append(point, 1.0)
    return camera.position, direction / np.linalg.norm(direction)


def meeting(origins: Sequence[np.ndarray], directions: Sequence[np.ndarray]) -> np.ndarray | None:
    """(3,) where rays pass each other closest, m; None where that is not near or not before the cameras."""
    across = [np.eye(3) - np.outer(d, d) for d in directions]
    system = np.sum(across, axis=0)
    if np.linalg.cond(system) > 1e6:
        return None
    place = np.linalg.solve(system, np.sum([p @ o for p, o in zip(across, origins, strict=True)], axis=0))
    reaches = [(place - o) @ d for o, d in zip(origins, directions, strict=True)]
    gaps = [np.linalg.norm(p @ (place - o)) for p, o in zip(across, origins, strict=True)]
    is_near = sum(gaps) <= MEETING and min(reaches) > 0 and max(reaches) < _FARTHEST
    return place if is_near else None
