"""Where keypoints sit, and which number is whose."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from odah.benchmark.methods.multi_step.keypoint_sets import ANATOMICAL, keypoint_set
from odah.errors import InputError
from odah.osim import ForwardKinematics, full_body_model

SETS = ("body_25", "halpe_26", "coco_17", "coco_133", "blazepose")


def rest_places(name: str) -> dict[str, np.ndarray]:
    points = keypoint_set(name)
    model = full_body_model().with_markers(points.markers)
    places = ForwardKinematics(model)(torch.from_numpy(model.default_coordinates)).markers.numpy()
    return dict(zip(points.names, places, strict=True))


@pytest.mark.parametrize("name", [*SETS, ANATOMICAL])
def test_sets_are_whole(name):
    points = keypoint_set(name)
    assert len(points.markers) == len(set(points.names)) == len(points.indices) == len(points.weights)
    assert len(set(points.indices)) == len(points.indices)
    assert 0 <= min(points.indices) <= max(points.indices) < points.count
    assert {marker.body for marker in points.markers} <= set(full_body_model().body_names)


@pytest.mark.parametrize("name", SETS)
def test_right_and_left_are_mirror_images(name):
    places = rest_places(name)
    right = [point for point in places if point[0] == "R"]
    assert len(right) >= 8
    for point in right:
        assert places[point][2] > 0
        np.testing.assert_allclose(places["L" + point[1:]], places[point] * [1, 1, -1], atol=1e-4)


def test_a_standing_person_has_its_keypoints_where_people_do():
    places = rest_places("halpe_26") | rest_places("body_25") | rest_places("blazepose")
    heights = ["RHeel", "RAnkle", "RKnee", "RHip", "RShoulder", "Neck", "Nose", "REye", "Head"]
    order = [places[name][1] for name in heights]
    assert order == sorted(order)
    assert 1.6 < places["Head"][1] - places["RHeel"][1] < 1.85
    assert places["RHeel"][0] < places["RAnkle"][0] < places["RSmallToe"][0] < places["RBigToe"][0]
    assert places["RBigToe"][2] < places["RFootIndex"][2] < places["RSmallToe"][2]
    assert places["Nose"][0] > places["REye"][0] > places["REar"][0]
    np.testing.assert_allclose(places["MidHip"], (places["RHip"] + places["LHip"]) / 2, atol=1e-3)
    np.testing.assert_allclose(
        places["MidShoulder"], (places["RShoulder"] + places["LShoulder"]) / 2, atol=1e-3
    )


def test_known_numbers():
    body, halpe = keypoint_set("body_25"), keypoint_set("halpe_26")
    assert body.indices[body.names.index("MidHip")] == 8
    assert body.indices[body.names.index("RHeel")] == 24
    assert halpe.indices[halpe.names.index("LShoulder")] == 5
    assert keypoint_set("coco_133").count == 133


def test_the_head_is_placed_but_not_followed():
    assert all(
        (weight == 0) == (name.lstrip("RL") in ("Nose", "Eye", "Ear", "Head"))
        for name, weight in keypoint_set("halpe_26").weights.items()
    )


def test_unknown_sets_are_refused():
    with pytest.raises(InputError, match="'body_26', expected one of body_25"):
        keypoint_set("body_26")
