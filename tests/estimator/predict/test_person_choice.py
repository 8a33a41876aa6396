"""Who is taken when there are several people."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from odah.estimator.predict.person_choice import choices, meeting, steadiest
from odah.estimator.predict.segmenters import Person, box_of, most_overlapping, overlap
from odah.scene import Camera, look_at

CAMERAS = [
    Camera.from_lens("front", look_at([4.0, 0.3, 1.2], [0, 0, 1.0]), 320, 240),
    Camera.from_lens("side", look_at([0.2, -4.5, 1.4], [0, 0, 1.0]), 400, 300),
]


def seen(place: tuple[float, float, float], camera: Camera, size: float = 0.25) -> Person:
    """A ball of `size` m at a place."""
    mask = np.zeros((camera.height, camera.width), np.uint8)
    depth = camera.to_cam(place)[2]
    column, row = camera.project(place)
    cv2.circle(mask, (round(column), round(row)), round(size * camera.K[0, 0] / depth), 255, -1)
    box = box_of(mask)
    assert box is not None
    return Person(mask, box)


def test_only_those_whom_both_cameras_see_at_one_place_are_paired():
    subject, bystander = (0.1, 0.2, 1.0), (-1.0, 0.9, 1.3)
    people = [
        [seen(bystander, CAMERAS[0]), seen(subject, CAMERAS[0])],
        [seen(subject, CAMERAS[1]), seen(bystander, CAMERAS[1])],
    ]
    found = sorted(choices(people, CAMERAS), key=lambda choice: choice.score)
    assert len(found) == 2
    np.testing.assert_allclose(found[0].place, bystander, atol=0.05)
    np.testing.assert_allclose(found[1].place, subject, atol=0.05)
    assert found[1].people == (people[0][1], people[1][0])
    assert choices([people[0], []], CAMERAS) == []


def test_one_view_takes_the_larger_and_more_central_one():
    people = [
        [seen((0, 1.0, 1.0), CAMERAS[0]), seen((0, 0, 1.0), CAMERAS[0]), seen((0, 0, 1), CAMERAS[0], 0.1)]
    ]
    best = max(choices(people, CAMERAS[:1]), key=lambda choice: choice.score)
    assert best.people == (people[0][1],)


def test_the_person_stays_who_they_are_when_another_is_larger_for_a_moment():
    def at(place, size):
        return choices([[seen(place, camera, size)] for camera in CAMERAS], CAMERAS)

    times = [
        at((0.0, 0.0, 1.0), 0.3) + at((0.6, 0.9, 1.0), 0.2),
        at((0.6, 0.9, 1.0), 0.35) + at((0.1, 0.0, 1.0), 0.3),
        at((0.2, 0.0, 1.0), 0.3) + at((0.6, 0.9, 1.0), 0.2),
    ]
    picked = steadiest(times)
    np.testing.assert_allclose([choice.place[0] for choice in picked], [0.0, 0.1, 0.2], atol=0.04)
    np.testing.assert_allclose([choice.place[1] for choice in picked], 0, atol=0.04)


def test_rays_that_do_not_meet_before_the_cameras_are_no_place():
    x, y = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
    place = meeting([-2 * x, -3 * y + [0, 0, 0.1]], [x, y])
    np.testing.assert_allclose(place, [0, 0, 0.05], atol=1e-9)
    assert meeting([-2 * x, -3 * y], [x, -y]) is None  # behind the second
    assert meeting([-2 * x, -3 * y + [0, 0, 0.5]], [x, y]) is None
    assert meeting([-2 * x, -3 * x], [x, x]) is None


def test_overlap_of_boxes():
    assert overlap((0, 0, 4, 4), (2, 0, 6, 4)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 4, 4), (4, 0, 6, 4)) == 0
    near, far = seen((0, 0.1, 1), CAMERAS[0]), seen((0, 1, 1), CAMERAS[0])
    assert most_overlapping([far, near], seen((0, 0, 1), CAMERAS[0])) is near
    assert most_overlapping([far], seen((0, 0, 1), CAMERAS[0])) is None
    assert most_overlapping([], near) is None
