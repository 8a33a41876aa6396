"""One person out of several."""

from __future__ import annotations

import numpy as np

from odah.benchmark.methods.multi_step.people import one_person
from odah.scene.camera import Camera, look_at

CAMERAS = [
    Camera.from_lens(name, look_at(place, (0, 0, 0.9)), 1280, 960)
    for name, place in (("a", (5.0, -2.0, 1.2)), ("b", (1.2, 5.5, 1.0)))
]
BODY = np.random.default_rng(0).uniform([-0.3, -0.3, 0.0], [0.3, 0.3, 1.8], (12, 3))


def seen(places: np.ndarray, camera: Camera) -> np.ndarray:
    """(T, M, 2) of a body that stands at places (T, 2)."""
    shifts = np.pad(places, ((0, 0), (0, 1)))
    return camera.project(BODY * np.array([1, 1, 1]) + shifts[:, None])


def test_the_one_is_found_though_the_order_changes():
    frames = 9
    walk = np.stack([np.linspace(-0.4, 0.4, frames), np.zeros(frames)], axis=-1)
    behind = np.tile([-2.0, -2.0], (frames, 1))
    rng = np.random.default_rng(1)
    pixels, confidence, order = [], [], []
    for camera in CAMERAS:
        both = np.stack([seen(walk, camera), seen(behind, camera)], axis=1)
        turns = rng.integers(0, 2, frames)
        pixels.append(np.stack([both[t, [turns[t], 1 - turns[t]]] for t in range(frames)]))
        confidence.append(np.full((frames, 2, len(BODY)), 0.9))
        order.append(turns)
    assert len({tuple(turns) for turns in order}) == 2
    chosen, sure = one_person(CAMERAS, pixels, confidence)
    for v, camera in enumerate(CAMERAS):
        np.testing.assert_allclose(chosen[v], seen(walk, camera))
    assert (sure == 0.9).all()


def test_ghosts_and_empty_frames():
    frames = 5
    walk = np.zeros((frames, 2))
    first = np.full((frames, 2, len(BODY), 2), np.nan)
    first[:, 1] = seen(walk, CAMERAS[0])
    sure = np.zeros((frames, 2, len(BODY)))
    sure[:, 1] = 0.8
    first[:, 0, :4] = np.random.default_rng(2).uniform(0, 900, (frames, 4, 2))
    sure[:, 0, :4] = 0.4  # a ghost in one view
    second = seen(walk, CAMERAS[1])[:, None]
    other = np.full((frames, 1, len(BODY)), 0.8)
    other[3] = 0.0
    chosen, confidence = one_person(CAMERAS, [first, second], [sure, other])
    kept = [0, 1, 2, 4]
    np.testing.assert_allclose(chosen[0, kept], first[kept, 1])
    assert np.isnan(chosen[:, 3]).all()
    assert (confidence[:, 3] == 0).all()


def test_nobody_at_all():
    pixels = [np.full((4, 1, 12, 2), np.nan)] * 2
    chosen, confidence = one_person(CAMERAS, pixels, [np.zeros((4, 1, 12))] * 2)
    assert np.isnan(chosen).all()
    assert not confidence.any()
