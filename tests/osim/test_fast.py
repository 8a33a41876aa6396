"""The generated kinematics against the reference, its derivatives, and what happens without a compiler."""

import copy
import multiprocessing
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from odah.osim import Coupler, ForwardKinematics, Model, full_body_model, read_model
from odah.osim.fast import FastKinematics, NoCompiler, kinematics
from odah.osim.fast.compiler import load_kernel
from odah.osim.fast.emit_c import Program
from odah.osim.fast.expressions import Graph, constants, cosine, sine
from odah.osim.fast.kernels import Kernel
from odah.osim.functions import PolynomialFunction, SimmSpline

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
SHARED_MODELS = sorted(SHARED.rglob("*.osim"))
HAS_COMPILER = any(shutil.which(name) for name in ("cc", "gcc", "clang"))
needs_compiler = pytest.mark.skipif(not HAS_COMPILER, reason="no C compiler on the PATH")
TOLERANCE = {torch.float64: 1e-12, torch.float32: 2e-6}
FIELDS = ("body_rotmats", "body_positions", "joints", "body_coms", "markers")


@pytest.fixture(scope="module", autouse=True)
def cache_folder(tmp_path_factory):
    """Everything is really compiled here, once."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("ODAH_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def model():
    """One leg of the generic person, the ankle following the knee through a spline."""
    full = full_body_model()
    function = SimmSpline((0.2, 0.8, 1.5, 2.0), (0.1, 0.4, 0.2, -0.3))
    coupler = Coupler("ankle", "ankle_angle_r", ("knee_angle_r",), function, 0.9)
    bodies = full.bodies[:6]
    names = {body.name for body in bodies}
    return replace(
        full,
        bodies=bodies,
        joints=tuple(joint for joint in full.joints if joint.child in names),
        couplers=(coupler,),
        markers=tuple(marker for marker in full.markers if marker.body in names),
    )


@pytest.fixture(scope="module")
def fast(model):
    return FastKinematics(model)


@pytest.fixture(scope="module")
def q(model, random_coordinates):
    return torch.tensor(random_coordinates(model, 37, seed=3))


def random_scales(model: Model, *batch: int) -> torch.Tensor:
    drawn = np.random.default_rng(1).uniform(0.7, 1.4, (*batch, len(model.bodies), 3))
    return torch.tensor(drawn)


def assert_as_reference(fast: FastKinematics, coordinates: torch.Tensor, *rest: torch.Tensor) -> None:
    """Against the reference in double precision, given the very numbers that the fast path gets."""
    given_values = [x.to(fast.dtype) for x in (coordinates, *rest)]
    expected = ForwardKinematics(fast.model)(*(x.double() for x in given_values))
    pose = fast(*given_values)
    assert fast._is_usable
    for name in FIELDS:
        ours, theirs = getattr(pose, name), getattr(expected, name)
        assert ours.shape == theirs.shape, name
        assert ours.dtype == fast.dtype
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=0, atol=TOLERANCE[fast.dtype])


@needs_compiler
@pytest.mark.shared
@pytest.mark.skipif(not SHARED_MODELS, reason="no models beside the project")
@pytest.mark.parametrize("path", SHARED_MODELS, ids=lambda path: path.stem)
def test_published_models_move_as_in_the_reference(path, random_coordinates):
    """In single precision too, in poses within the ranges; people may be 3 m from the origin."""
    model = read_model(path)
    coordinates = torch.tensor(random_coordinates(model, 500))
    beyond = coordinates + 0.7 * torch.tensor(np.random.default_rng(0).normal(size=coordinates.shape))
    assert_as_reference(FastKinematics(model), torch.cat([coordinates, beyond]), random_scales(model))
    assert_as_reference(FastKinematics(model, torch.float32), coordinates)


@needs_compiler
@pytest.mark.parametrize("seed", range(2))
def test_every_joint_class_and_function_moves_as_in_the_reference(
    seed, joint_zoo, random_coordinates, tmp_path
):
    path = tmp_path / "zoo.osim"
    path.write_text(joint_zoo(seed))
    zoo = read_model(path)
    coordinates = torch.tensor(random_coordinates(zoo, 60, seed))
    assert_as_reference(FastKinematics(zoo), coordinates, random_scales(zoo, *[60] * seed))


@needs_compiler
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_own_model_moves_as_in_the_reference(dtype, random_coordinates):
    full = full_body_model()
    assert_as_reference(FastKinematics(full, dtype), torch.tensor(random_coordinates(full, 200)))


@needs_compiler
@pytest.mark.parametrize("batch", [(), (1,), (3, 4), (2, 3, 2), (0,)])
def test_batch_shape_does_not_matter(fast, q, batch):
    count = int(np.prod(batch))
    assert_as_reference(fast, q[:count].reshape(*batch, q.shape[1]))


@needs_compiler
@pytest.mark.parametrize("count", [15, 16, 17, 4096, 40_000])
def test_number_of_frames_does_not_matter(fast, model, q, count):
    """Memory is laid out in other ways for many; gradients come in other layouts than they leave."""
    coordinates = q.repeat(count // len(q) + 1, 1)[:count]
    assert_as_reference(fast, coordinates)
    gradients = []
    for fk in (fast, ForwardKinematics(model)):
        inputs = coordinates.clone().requires_grad_()
        pose = fk(inputs)
        (pose.markers.square().sum() + pose.body_rotmats.sum()).backward()
        gradients.append(inputs.grad)
    np.testing.assert_allclose(*gradients, rtol=0, atol=1e-10)


@needs_compiler
def test_scales_and_offsets_broadcast_over_frames(fast, model, q):
    offsets = 0.01 * torch.randn(len(model.markers), 3, dtype=q.dtype, generator=torch.manual_seed(1))
    frames = q[:12].reshape(3, 4, -1)
    assert_as_reference(fast, frames, random_scales(model), offsets)
    assert_as_reference(fast, frames, random_scales(model, 4), offsets)
    assert_as_reference(fast, q[0], random_scales(model, 4), offsets)


@needs_compiler
def test_derivatives_are_those_of_finite_differences(fast, model, q):
    scales = random_scales(model).requires_grad_()
    offsets = torch.zeros(len(model.markers), 3, dtype=q.dtype, requires_grad=True)
    inputs = (q[:2].clone().requires_grad_(), scales, offsets)
    random = torch.manual_seed(2)
    weights = [
        torch.randn(2, len(model.bodies), *size, dtype=q.dtype, generator=random)
        for size in ((3, 3), (3,), (3,), (3,))
    ]

    def summed(*values: torch.Tensor) -> torch.Tensor:
        pose = fast(*values)
        parts = [(w * getattr(pose, name)).sum() for w, name in zip(weights, FIELDS[:4], strict=True)]
        return torch.stack(parts).sum() + pose.markers.square().sum()

    assert torch.autograd.gradcheck(summed, inputs, eps=1e-6, atol=1e-6, fast_mode=False)


@needs_compiler
def test_derivatives_are_the_references(fast, model, q):
    """Of some fields only, and of scale factors that differ from frame to frame."""
    inputs = [q.clone().requires_grad_(), random_scales(model, len(q)).requires_grad_()]
    gradients = []
    for fk in (fast, ForwardKinematics(model)):
        pose = fk(*inputs)
        loss = pose.markers.square().sum() + pose.joints[:, 3].sin().sum()
        gradients.append(torch.autograd.grad(loss, inputs))
    for ours, theirs in zip(*gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10)


@needs_compiler
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_angles_up_to_the_limit_and_beyond(model, dtype):
    """Beyond, where the range reduction ends, the reference answers."""
    fast, reference = FastKinematics(model, dtype), ForwardKinematics(model)
    coordinates = torch.zeros(4, 39, dtype=dtype)
    coordinates[:, 0] = torch.tensor([-8000.0, 8000.0, 1e6, -3e7], dtype=dtype)
    for row in coordinates:
        difference = fast(row).markers - reference(row.double()).markers
        assert float(difference.abs().max()) < TOLERANCE[dtype]


@needs_compiler
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 3e-16), (torch.float32, 1.2e-7)])
def test_sines_are_right_to_the_last_place(dtype, tolerance):
    graph = Graph()
    (x,) = graph.inputs("x", 1, True)
    program = Program(graph, ("x",), (("turns", [sine(x), cosine(x)]),))
    kernel = Kernel.load(program, dtype)
    quarters = torch.arange(-50, 50) * (torch.pi / 2)
    near = torch.linspace(-2e-3, 2e-3, 101)
    angles = torch.cat([torch.linspace(-8000, 8000, 400_001), (quarters[:, None] + near).ravel()]).to(dtype)
    (turns,) = kernel([angles[:, None]], len(angles))
    exact = angles.numpy().astype(np.longdouble)
    for ours, theirs in zip(turns.T.numpy(), (np.sin(exact), np.cos(exact)), strict=True):
        assert float(np.abs(ours - theirs).max()) < tolerance


@needs_compiler
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_curves_of_any_number_of_pieces(dtype):
    """Also at the breaks, far outside them, and where x is not a number."""
    random, graph = np.random.default_rng(4), Graph()
    (x,) = graph.inputs("x", 1, True)
    curves = [PolynomialFunction((0.3, -0.2, 0.1)).pieces()]
    for count in (2, 3, 5, 17, 18, 40, 90):
        knots = np.arange(count) / 8 + random.integers(0, 7, count) / 64  # exact in single precision
        curves.append(SimmSpline(tuple(knots), tuple(random.uniform(-1, 1, count))).pieces())
    rows = [[graph.curve(curve, x) for curve in curves], [graph.node("slope", (x,), k) for k in range(8)]]
    program = Program(graph, ("x",), (("values", rows[0]), ("slopes", rows[1])))
    breaks = np.concatenate([curve.breaks for curve in curves])
    points = np.concatenate([breaks, breaks - 1 / 1024, np.linspace(-5, 15, 999), [np.nan]])
    points = points.astype(np.float32).astype(np.float64)
    kernel = Kernel.load(program, dtype)
    values, slopes = kernel([torch.tensor(points[:, None], dtype=dtype)], len(points))
    for k, curve in enumerate(curves):
        exact, step = curve(points), 1e-6
        accuracy = np.nanmax(np.abs(exact)) * (1e-13 if dtype == torch.float64 else 1e-5)
        np.testing.assert_allclose(values[:, k], exact, rtol=0, atol=accuracy)
        slope = (curve(points + step) - exact) / step  # on the same side of every break
        np.testing.assert_allclose(slopes[:, k], slope, rtol=1e-4, atol=1e-2)


@needs_compiler
def test_copies_work(fast, q):
    assert_as_reference(copy.deepcopy(fast), q)


@needs_compiler
def test_unknown_coordinates_give_unknown_places(fast, q):
    coordinates = q[:2].clone()
    coordinates[1, 0] = torch.nan
    markers = fast(coordinates).markers
    assert not markers[0].isnan().any()
    assert markers[1].isnan().any()


def test_without_a_compiler_the_reference_is_chosen(model, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert type(kinematics(model)) is ForwardKinematics
    with pytest.raises(NoCompiler, match="no C compiler"):
        FastKinematics(model)


def test_with_a_broken_compiler_the_reference_is_chosen(model, monkeypatch, tmp_path):
    broken = tmp_path / "cc"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert type(kinematics(model)) is ForwardKinematics


@needs_compiler
def test_with_a_compiler_the_fast_path_is_chosen(model):
    assert type(kinematics(model)) is FastKinematics


def _plus_seven(number: int) -> int:
    source = "int kernel(void *a, void *b, void *c, void *d, long long e) { return (int)e + 7; }"
    return load_kernel(source)(None, None, None, None, number)


@needs_compiler
def test_processes_may_compile_the_same_at_once(cache_folder):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert pool.map(_plus_seven, range(8)) == list(range(7, 15))
    assert not list(cache_folder.rglob(".*"))


@needs_compiler
def test_code_that_does_not_compile_is_said():
    with pytest.raises(NoCompiler, match="ended with"):
        load_kernel("int kernel(")


@given(st.floats(0.1, 10), st.floats(-10, 10))
def test_what_is_known_is_worked_out(a, b):
    x, y = Graph().inputs("x", 2, True)
    assert sine(a) * sine(a) + cosine(a) * cosine(a) == pytest.approx(1)
    assert 0.0 * x == 0.0
    assert 1.0 * x is x
    assert x + 0.0 is x
    assert (-(-x)) is x  # noqa: B002
    assert (x + y) is (y + x)
    assert (x * y) is (y * x)
    assert (constants(np.array([a, 0.0])) @ np.array([b, x], dtype=object)) == a * b
