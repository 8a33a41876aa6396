"""The markers' derivatives against torch's own, on every joint class, coupler and published model."""

from pathlib import Path

import numpy as np
import pytest
import torch

from odah.osim import Model, read_model
from odah.osim.ik.jacobian import MarkerJacobian, joints_carrying
from odah.osim.ik.problem import IkProblem

SHARED_MODELS = sorted((Path(__file__).parents[3].parent / "shared" / "data").rglob("*.osim"))


def assert_exact(model: Model, coordinates: np.ndarray) -> None:
    problem = IkProblem.of(model)
    jacobian = MarkerJacobian(problem)
    given = torch.from_numpy(coordinates)
    x = given[:, problem.free]
    markers, ours = jacobian(x, given)
    np.testing.assert_allclose(markers, jacobian.markers(x, given), rtol=0, atol=1e-12)
    for p, direction in enumerate(torch.eye(len(problem.free), dtype=x.dtype)):
        by_p = torch.func.jvp(lambda y: jacobian.markers(y, given), (x,), (direction.expand_as(x),))[1]
        np.testing.assert_allclose(ours[..., p], by_p, rtol=0, atol=1e-10)
    assert ours.abs().amax((0, 1, 2)).min() > 1e-6  # every free coordinate moves something


@pytest.mark.parametrize("seed", range(2))
def test_every_joint_class_and_function(seed, joint_zoo, random_coordinates, tmp_path):
    path = tmp_path / "zoo.osim"
    path.write_text(joint_zoo(seed))
    zoo = read_model(path)
    assert_exact(zoo, random_coordinates(zoo, 20, seed))


def test_a_coupled_coordinate_that_moves_markers(coupled_leg, drawn):
    assert_exact(coupled_leg, drawn(coupled_leg, 20))


@pytest.mark.shared
@pytest.mark.skipif(not SHARED_MODELS, reason="no models beside the project")
@pytest.mark.parametrize("path", SHARED_MODELS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_published_models(path, random_coordinates):
    model = read_model(path)
    if not model.markers:
        pytest.skip("a model without markers")
    assert_exact(model, random_coordinates(model, 10))


def test_markers_move_with_the_joints_above_them(person):
    carries = joints_carrying(person)
    joints = person.joint_names
    for row, marker in zip(carries, person.markers, strict=True):
        names = {joint for joint, carried in zip(joints, row, strict=True) if carried}
        assert names  # nothing floats
        assert not any(name.endswith("_l") for name in names) or not marker.body.endswith("_r")
