"""Sizes of the full-body model's bones against its joints, its landmarks and its other side."""

import numpy as np
import pytest

from odah.benchmark.metrics.dimensions import body_dimensions
from odah.osim.full_body import full_body_model


@pytest.fixture(scope="module")
def dimensions() -> dict[str, np.ndarray]:
    model = full_body_model()
    return dict(zip(model.body_names, body_dimensions(model), strict=True))


@pytest.mark.parametrize(
    ("body", "joint"), [("tibia", "ankle"), ("humerus", "elbow"), ("radius", "radius_hand")]
)
@pytest.mark.parametrize("side", ["r", "l"])
def test_long_bones_are_as_long_as_their_joints_are_apart(
    dimensions: dict[str, np.ndarray], body: str, joint: str, side: str
) -> None:
    joints = {each.name: each for each in full_body_model().joints}
    along = dimensions[f"{body}_{side}"]
    assert along.argmax() == 1
    length = abs(joints[f"{joint}_{side}"].T_parent[1, 3])
    assert length <= along[1] < length + 0.01  # markers on the far joint lie a little lower


def test_the_pelvis_is_as_wide_as_its_spines(dimensions: dict[str, np.ndarray]) -> None:
    markers = {marker.name: marker.offset for marker in full_body_model().markers}
    assert dimensions["pelvis"].argmax() == 2
    width = abs(markers["RASI"] - markers["LASI"])[2]
    np.testing.assert_allclose(dimensions["pelvis"][2], width, atol=1e-9)


@pytest.mark.parametrize(
    ("body", "low", "high"), [("ulna_r", 0.2, 0.3), ("hand_l", 0.1, 0.2), ("toes_r", 0.04, 0.1)]
)
def test_bones_that_end_without_a_joint_have_a_length(
    dimensions: dict[str, np.ndarray], body: str, low: float, high: float
) -> None:
    assert low < dimensions[body].max() < high


def test_left_is_as_large_as_right_and_nothing_is_a_point(dimensions: dict[str, np.ndarray]) -> None:
    for name, extents in dimensions.items():
        assert extents.max() > 0.03, name
        if name.endswith("_r"):
            np.testing.assert_allclose(extents, dimensions[name[:-1] + "l"], atol=1e-12)
