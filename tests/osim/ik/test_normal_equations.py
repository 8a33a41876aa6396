"""Composite bodies of markers against the Jacobian written out."""

from pathlib import Path

import numpy as np
import pytest
import torch

from odah.osim import Model, read_model
from odah.osim.ik.normal_equations import NormalEquations
from odah.osim.ik.problem import IkFrames, IkProblem

SHARED_MODELS = sorted((Path(__file__).parents[3].parent / "shared" / "data").rglob("*.osim"))


def assert_exact(model: Model, coordinates: np.ndarray, *, has_targets: bool = False) -> None:
    problem = IkProblem.of(model)
    equations = NormalEquations(problem)
    random, given = torch.manual_seed(0), torch.from_numpy(coordinates)
    t, (m, p) = len(given), (len(model.markers), len(problem.free))
    weights = torch.rand(t, m, dtype=given.dtype, generator=random)
    weights[0, :2] = 0.0
    pulls = [torch.rand(t, p, dtype=given.dtype, generator=random) for _ in range(2)] if has_targets else []
    frames = IkFrames(torch.randn(t, m, 3, dtype=given.dtype, generator=random), weights, given, *pulls)
    x = given[:, problem.free]
    cost, gradient, normal = equations(x, frames)
    markers, jacobian = equations.kinematics(x, given)
    residuals = markers - frames.measured
    expected = torch.einsum("tmxp,tm,tmx->tp", jacobian, weights, residuals)
    costs = torch.einsum("tm,tmx,tmx->t", weights, residuals, residuals)
    matrix = torch.einsum("tmxp,tm,tmxq->tpq", jacobian, weights, jacobian)
    if pulls:
        expected = expected + pulls[1] * (x - pulls[0])
        costs = costs + (pulls[1] * (x - pulls[0]) ** 2).sum(-1)
        matrix = matrix + torch.diag_embed(pulls[1])
    np.testing.assert_allclose(cost, costs, rtol=1e-12)
    np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(normal, matrix, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("seed", range(2))
def test_every_joint_class_and_function(seed, joint_zoo, random_coordinates, tmp_path):
    path = tmp_path / "zoo.osim"
    path.write_text(joint_zoo(seed))
    zoo = read_model(path)
    assert_exact(zoo, random_coordinates(zoo, 20, seed))


def test_couplers_and_targets(coupled_leg, drawn):
    assert_exact(coupled_leg, drawn(coupled_leg, 20), has_targets=True)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED_MODELS, reason="no models beside the project")
@pytest.mark.parametrize("path", SHARED_MODELS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_published_models(path, random_coordinates):
    model = read_model(path)
    if not model.markers:
        pytest.skip("a model without markers")
    assert_exact(model, random_coordinates(model, 10))
