"""Outlines stand for their masks."""

from __future__ import annotations

import cv2
import numpy as np

from odah.estimator.predict.outlines import filled, joints_inside, outline_of


def ring() -> np.ndarray:
    """A person with an arm on the hip: a hole, and a second part."""
    mask = np.zeros((60, 80), np.uint8)
    cv2.ellipse(mask, (30, 28), (20, 25), 20, 0, 360, 255, -1)
    cv2.circle(mask, (32, 25), 8, 0, -1)
    cv2.rectangle(mask, (70, 40), (75, 50), 255, -1)
    return mask


def test_an_outline_gives_the_mask_back_but_for_the_edge_of_holes() -> None:
    mask = ring()
    again = filled(outline_of(mask), 80, 60)
    assert ((again > 0) >= (mask > 0)).all()
    assert (again[25, 32], again[25, 15], again[45, 72]) == (0, 255, 255)
    assert np.mean(again != mask) < 0.02


def test_points_inside() -> None:
    places = {(15, 25): True, (32, 25): False, (72, 45): True, (79.4, 59.4): False, (79.6, 2): False}
    odd = [(np.nan, 3.0), (np.inf, 3.0), (-400.0, 25.0)]
    keypoints = np.array([*places, *odd], float)
    found = joints_inside(keypoints, outline_of(ring()), 80, 60)
    assert found.tolist() == [*places.values(), False, False, False]


def test_nobody() -> None:
    nothing = outline_of(np.zeros((6, 8), np.uint8))
    assert nothing == []
    assert not joints_inside(np.array([[2.0, 3.0]]), nothing, 8, 6).any()
