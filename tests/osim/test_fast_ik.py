"""The generated inverse kinematics against automatic derivatives, the reference solver, scipy and OpenSim."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares
from torch import Tensor

from odah.motion.trc import read_trc
from odah.osim import (
    Body,
    Coordinate,
    Coupler,
    ForwardKinematics,
    Joint,
    Marker,
    Model,
    full_body_model,
    read_model,
    scale_model,
    write_model,
)
from odah.osim.fast import ik_solver
from odah.osim.fast.compiler import NoCompiler, find_compiler
from odah.osim.fast.ik_c import emit_ik
from odah.osim.fast.ik_program import IkProgram, structure
from odah.osim.fast.inverse import FastIkSolver
from odah.osim.fast.kernels import Kernel
from odah.osim.fast.sparse_solve import elimination_order, entry, solve
from odah.osim.functions import LinearFunction, PolynomialFunction, SimmSpline
from odah.osim.ik.problem import IkFrames, IkProblem
from odah.osim.ik.reference_solver import ReferenceIkSolver
from odah.osim.ik.start import RootStart
from odah.osim.model import AXES, GROUND, TransformAxis, rigid
from odah.osim.tools import inverse_kinematics_with_opensim

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def has_compiler() -> bool:
    try:
        return bool(find_compiler())
    except NoCompiler:
        return False


pytestmark = pytest.mark.skipif(not has_compiler(), reason="no C compiler on the PATH")


@pytest.fixture(scope="module", autouse=True)
def cache_folder(tmp_path_factory):
    """Everything is really compiled here, once."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("ODAH_CACHE", str(folder))
        yield folder


def one_leg() -> Model:
    """A part of the generic person, the ankle following the knee through a spline."""
    full = full_body_model()
    function = SimmSpline((0.2, 0.8, 1.5, 2.0), (0.1, 0.4, 0.2, -0.3))
    coupler = Coupler("ankle", "ankle_angle_r", ("knee_angle_r",), function, 0.9)
    bodies = full.bodies[:6]
    names = {body.name for body in bodies}
    joints = tuple(joint for joint in full.joints if joint.child in names)
    moving = {name for joint in joints for name in joint.coordinate_names}
    return replace(
        full,
        bodies=bodies,
        joints=joints,
        coordinates=tuple(c for c in full.coordinates if c.name in moving),
        couplers=(coupler,),
        markers=tuple(marker for marker in full.markers if marker.body in names),
    )


def two_roots() -> Model:
    """Two chains on ground, of few and skew axes, tied by couplers; markers on ground and on all bodies.

    `a` turns two joints, one of them in the other chain; `d` and `e` follow `c` and, through `d`, each other.
    """
    skew = np.array([0.6, -0.64, 0.48])
    own, twice = LinearFunction(), LinearFunction((2.0, 0.1))

    def joint(name: str, parent: str, turns: list[TransformAxis], shifts: list[TransformAxis]) -> Joint:
        still = [TransformAxis(axis) for axis in AXES]
        place = rigid(np.array([0.1, 0.3, -0.05 * len(name)]))
        turned = rigid(np.array([0.02, -0.1, 0.0]), np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]))
        axes = [*turns, *still[len(turns) :]], [*shifts, *still[len(shifts) :]]
        names = tuple({n: 0 for axis in turns + shifts for n in axis.coordinates})
        return Joint(name, parent, f"{name}_body", place, turned, tuple(axes[0]), tuple(axes[1]), names)

    def axis(
        direction: np.ndarray, name: str, function: LinearFunction | PolynomialFunction = own
    ) -> TransformAxis:
        return TransformAxis(direction, function, (name,))

    joints = (
        joint("left", GROUND, [axis(skew, "a"), axis(AXES[1], "b")], [axis(AXES[0], "s")]),
        joint("left_end", "left_body", [axis(AXES[2], "d")], []),
        joint("right", GROUND, [axis(AXES[2], "c"), axis(skew, "a", twice)], []),
        joint(
            "right_end", "right_body", [axis(AXES[0], "e")], [axis(AXES[1], "e", LinearFunction((0.2, 0.0)))]
        ),
    )
    names = sorted({name for j in joints for name in j.coordinate_names})
    bodies = tuple(Body(j.child, 1.0, np.zeros(3), np.ones(6)) for j in joints)
    random = np.random.default_rng(5)
    places = [GROUND, *(body.name for body in bodies for _ in range(4))]
    markers = tuple(Marker(f"m{k}", body, random.uniform(-0.2, 0.2, 3)) for k, body in enumerate(places))
    couplers = (
        Coupler("d", "d", ("c",), LinearFunction((0.5, 0.2))),
        Coupler("e", "e", ("d",), LinearFunction((-1.5, 0.0))),
    )
    coordinates = tuple(Coordinate(name, (-2.0, 2.0)) for name in names)
    return Model("two roots", bodies, joints, coordinates, markers, couplers)


def random_frames(problem: IkProblem, count: int, noise: float, seed: int = 0) -> tuple[Tensor, IkFrames]:
    """Poses within the ranges (x), and noisy, weighted markers of them, one unseen in each frame."""
    model, random = problem.model, np.random.default_rng(seed)
    low, high = np.clip(model.coordinate_ranges, -1, 1).T
    drawn = random.uniform(0.7 * low + 0.3 * high, 0.3 * low + 0.7 * high, (count, len(low)))
    fixed = np.setdiff1d(np.arange(len(low)), problem.free)
    drawn[:, fixed] = drawn[:1, fixed]
    coordinates = torch.tensor(drawn)
    markers = ForwardKinematics(model)(coordinates).markers
    weights = torch.tensor(random.uniform(0.5, 3.0, markers.shape[:2]))
    weights[torch.arange(count), torch.arange(count) % len(model.markers)] = 0.0
    measured = markers + noise * torch.tensor(random.normal(size=markers.shape))
    return coordinates[:, problem.free].clone(), IkFrames(measured, weights, coordinates)


def with_targets(frames: IkFrames, x: Tensor) -> IkFrames:
    weights = torch.tensor(np.random.default_rng(9).uniform(0.0, 0.2, x.shape))
    return replace(frames, targets=x + 0.1, target_weights=weights)


def cost(problem: IkProblem, frames: IkFrames) -> Callable[[Tensor], Tensor]:
    """The cost of one frame, (P,) to (), by the reference kinematics."""
    return lambda x: residuals(problem, frames)(x).square().sum()


def residuals(problem: IkProblem, frames: IkFrames) -> Callable[[Tensor], Tensor]:
    fk, free = ForwardKinematics(problem.model), torch.from_numpy(problem.free)

    def of(x: Tensor) -> Tensor:
        markers = fk(frames.given[0].index_copy(0, free, x)).markers
        parts = [((markers - frames.measured[0]) * frames.weights[0, :, None].sqrt()).flatten()]
        if frames.targets is not None and frames.target_weights is not None:
            parts.append((x - frames.targets[0]) * frames.target_weights[0].sqrt())
        return torch.cat(parts)

    return of


def evaluated(problem: IkProblem, x: Tensor, frames: IkFrames, curvature: float) -> dict[str, Tensor]:
    """Cost, half gradient, scale and matrix (t, P, P) by the generated code."""
    program = IkProgram(problem, ())
    code = program.evaluation()
    kernel = Kernel.load(code, torch.float64)
    assert frames.targets is not None
    assert frames.target_weights is not None
    given = {
        "lengths": torch.tensor(program.lengths.of(problem.model), dtype=x.dtype),
        "fixed": frames.given[0],
        "x": x,
        "curvature": torch.full((len(x), 1), curvature, dtype=x.dtype),
        "measured": frames.measured.flatten(1),
        "weights": frames.weights,
        "moving": x[:, :0],
        "targets": frames.targets,
        "target_weights": frames.target_weights,
    }
    made = kernel([given[name] for name in code.input_groups], len(x))
    values = {name: rows for (name, _), rows in zip(code.outputs, made, strict=True)}
    matrix = torch.zeros(len(x), x.shape[1], x.shape[1], dtype=x.dtype)
    for column, (p, q) in enumerate(program.matrix):
        matrix[:, p, q] = matrix[:, q, p] = values["matrix"][:, column]
    return values | {"matrix": matrix}


@pytest.fixture(scope="module", params=["leg", "two roots", "zoo"])
def problem(request, joint_zoo, tmp_path_factory):
    match request.param:
        case "leg":
            return IkProblem.of(one_leg())
        case "two roots":
            return IkProblem.of(two_roots())
        case _:
            path = tmp_path_factory.mktemp("zoo") / "zoo.osim"
            path.write_text(joint_zoo(0))
            return IkProblem.of(read_model(path))


def held_in_part(problem: IkProblem) -> IkProblem:
    """A long chain with one in three of its coordinates free; other models whole."""
    if len(problem.free) < 20:
        return problem
    held = [name for k, name in enumerate(problem.free_names) if k % 3 > 0]
    return IkProblem.of(problem.model, frozenset(held))


@pytest.fixture(scope="module")
def leg():
    return IkProblem.of(one_leg())


@pytest.fixture(scope="module")
def solver(leg):
    return FastIkSolver(leg)


def test_gradient_and_matrix_are_those_of_automatic_differentiation(problem):
    x, frames = random_frames(problem, 3, 0.05)
    frames = with_targets(frames, x)
    x = x + 0.2
    ours = evaluated(problem, x, frames, curvature=0.0)
    for k in range(len(x)):
        frame = frames[k : k + 1]
        value = residuals(problem, frame)(x[k])
        jacobian = torch.func.jacrev(residuals(problem, frame))(x[k])
        np.testing.assert_allclose(ours["cost"][k, 0], value.square().sum(), rtol=1e-12)
        np.testing.assert_allclose(ours["gradient"][k], jacobian.T @ value, rtol=0, atol=1e-10)
        np.testing.assert_allclose(ours["matrix"][k], jacobian.T @ jacobian, rtol=0, atol=1e-10)
        np.testing.assert_allclose(ours["scale"][k], jacobian.square().sum(0), rtol=0, atol=1e-10)


def test_matrix_with_curvature_is_the_hessian_where_functions_are_linear():
    """And where no coordinate drives two axes of one joint: that sum is not differentiated to the end."""
    full = two_roots()
    *others, last = full.joints
    last = replace(last, translations=tuple(TransformAxis(axis) for axis in AXES))
    problem = IkProblem.of(replace(full, joints=(*others, last)))
    x, frames = random_frames(problem, 2, 0.05)
    frames = with_targets(frames, x)
    x = x + 0.2
    ours = evaluated(problem, x, frames, curvature=1.0)
    for k in range(len(x)):
        hessian = torch.func.hessian(cost(problem, frames[k : k + 1]))(x[k]) / 2
        np.testing.assert_allclose(ours["matrix"][k], hessian, rtol=0, atol=1e-10)


def test_finds_the_minimum_of_the_reference_solver(problem):
    """Of the zoo with two thirds of its coordinates held: it takes long to compile, being one chain."""
    problem = held_in_part(problem)
    x, frames = random_frames(problem, 21, 0.003)
    frames = with_targets(frames, x)
    start = x + 0.1 * torch.randn(x.shape, dtype=x.dtype, generator=torch.manual_seed(1))
    ours, theirs = (
        FastIkSolver(problem)(start, frames),
        ReferenceIkSolver(problem, max_iterations=300)(start, frames),
    )
    assert ours.is_converged.all()
    np.testing.assert_allclose(ours.x, theirs.x, rtol=0, atol=2e-7)
    np.testing.assert_allclose(ours.costs, theirs.costs, rtol=1e-9)


def test_exact_markers_give_back_the_pose():
    """Of the whole person, from rest with the root laid onto its markers."""
    problem = IkProblem.of(full_body_model())
    x, frames = random_frames(problem, 200, 0.0)
    seen = frames.weights > 0
    start = RootStart(problem)(frames.measured.numpy(), seen.numpy())
    solution = FastIkSolver(problem)(start, frames)
    assert solution.is_converged.all()
    assert float(solution.costs.max()) < 1e-20
    assert np.degrees(float((solution.x - x).abs().max())) < 1e-4


def test_minima_at_bounds_are_those_of_scipy(leg):
    x, frames = random_frames(leg, 6, 0.002)
    bounded = replace(leg, lower=x.numpy().min(0) + 0.05, upper=x.numpy().max(0) - 0.1)
    start = torch.zeros_like(x) + torch.from_numpy(bounded.upper + 1.0)
    solution = FastIkSolver(bounded)(start, frames)
    assert solution.is_converged.all()
    lower, upper = torch.from_numpy(bounded.lower), torch.from_numpy(bounded.upper)
    at_bound = (solution.x == lower) | (solution.x == upper)
    assert at_bound.any(1).all()
    assert ((solution.x >= lower) & (solution.x <= upper)).all()
    for k in range(len(x)):
        function = residuals(leg, frames[k : k + 1])
        theirs = least_squares(
            lambda values, of=function: of(torch.from_numpy(values)).numpy(),
            solution.x[k].clamp(lower + 1e-6, upper - 1e-6).numpy(),
            bounds=(bounded.lower, bounded.upper),
            xtol=1e-14,
            ftol=1e-14,
            gtol=1e-14,
        )
        assert float(solution.costs[k]) <= 2 * theirs.cost * (1 + 1e-6)
        np.testing.assert_allclose(solution.costs[k], cost(leg, frames[k : k + 1])(solution.x[k]), rtol=1e-9)


def test_unseen_markers_do_not_matter(leg, solver):
    x, frames = random_frames(leg, 9, 0.002)
    moved = torch.where(frames.weights[..., None] == 0, 1e6, frames.measured)
    ours, theirs = solver(x, frames), solver(x, replace(frames, measured=moved))
    np.testing.assert_allclose(ours.x, theirs.x, rtol=0, atol=1e-9)


def test_what_no_marker_tells_stays_or_goes_to_its_target(leg, solver):
    x, frames = random_frames(leg, 5, 0.002)
    knee = leg.free_names.index("knee_angle_r")
    below = [m.body not in ("pelvis", "femur_r") for m in leg.model.markers]
    frames.weights[:, below] = 0.0
    np.testing.assert_array_equal(solver(x, frames).x[:, knee], x[:, knee])
    weights = torch.zeros_like(x)
    weights[:, knee] = 0.3
    pulled = solver(x, replace(frames, targets=x + 0.25, target_weights=weights))
    np.testing.assert_allclose(pulled.x[:, knee], x[:, knee] + 0.25, rtol=0, atol=1e-9)
    blind = replace(frames, weights=torch.zeros_like(frames.weights))
    np.testing.assert_array_equal(solver(x, blind).x, x)


@pytest.mark.parametrize("is_prescribed", [False, True])
def test_given_coordinates_may_be_locked_or_prescribed(is_prescribed):
    """Three of them, once the same in all frames and once different ones in each."""
    held = {"knee_angle_r", "pelvis_tilt"}
    full = one_leg()
    coordinates = tuple(
        replace(c, prescribed=LinearFunction() if is_prescribed else None, locked=not is_prescribed)
        if c.name in held
        else c
        for c in full.coordinates
    )
    problem = IkProblem.of(replace(full, coordinates=coordinates))
    assert held.isdisjoint(problem.free_names)
    x, frames = random_frames(problem, 8, 0.002)
    solver, reference = FastIkSolver(problem), ReferenceIkSolver(problem)
    frames.given[:] += 0.1 * torch.arange(len(x))[:, None]
    for some in (slice(0, 1), slice(0, 8)):
        np.testing.assert_allclose(
            solver(x[some], frames[some]).x, reference(x[some], frames[some]).x, rtol=0, atol=2e-7
        )


def test_ground_alone_leaves_the_cost():
    model = two_roots()
    problem = IkProblem.of(model.with_markers(model.markers[:1]))
    assert len(problem.free) == 0
    measured = torch.ones(3, 1, 3, dtype=torch.float64)
    weights = torch.tensor([[1.0], [2.0], [0.0]], dtype=torch.float64)
    given = torch.zeros(3, len(model.coordinates), dtype=torch.float64)
    solution = FastIkSolver(problem)(given[:, :0], IkFrames(measured, weights, given))
    distance = np.sum((1 - model.markers[0].offset) ** 2)
    np.testing.assert_allclose(solution.costs, distance * np.array([1.0, 2.0, 0.0]), rtol=1e-12)


@pytest.mark.parametrize("count", [0, 1, 7, 9])
def test_any_number_of_frames(leg, solver, count):
    x, frames = random_frames(leg, 9, 0.01)
    all_of_them, some = solver(x + 0.1, frames), solver(x[:count] + 0.1, frames[:count])
    for name in ("x", "costs", "is_converged", "num_iterations"):
        assert torch.equal(getattr(some, name), getattr(all_of_them, name)[:count])


def test_neighbours_and_threads_change_no_bit(leg, solver):
    x, frames = random_frames(leg, 700, 0.01)
    start = torch.zeros_like(x)
    order = torch.randperm(len(x), generator=torch.manual_seed(0))
    alone, mixed = solver(start, frames), solver(start[order], frames[order])
    assert torch.equal(alone.x[order], mixed.x)
    assert torch.equal(alone.num_iterations[order], mixed.num_iterations)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert torch.equal(solver(start, frames).x, alone.x)
    finally:
        torch.set_num_threads(before)


def test_layout_in_memory_does_not_matter(leg, solver):
    x, frames = random_frames(leg, 5, 0.01)
    weights = frames.weights[:1].expand(5, -1)
    expected = solver(x, replace(frames, weights=weights.clone()))
    strided = replace(
        frames, measured=frames.measured.permute(2, 1, 0).contiguous().permute(2, 1, 0), weights=weights
    )
    assert torch.equal(solver(x.T.contiguous().T, strided).x, expected.x)


def test_too_few_iterations_are_said(leg):
    x, frames = random_frames(leg, 20, 0.01)
    solution = FastIkSolver(leg, max_iterations=2)(torch.zeros_like(x), frames)
    assert not solution.is_converged.any()
    assert (solution.num_iterations == 2).all()
    settled = FastIkSolver(leg)(torch.zeros_like(x), frames)
    assert settled.is_converged.all()
    assert (settled.num_iterations < 40).all()


def test_turns_by_the_thousand_go_to_the_reference(leg, solver):
    x, frames = random_frames(leg, 4, 0.001)
    start = x.clone()
    start[1, 0] += 2 * torch.pi * 20_000
    solution = solver(start, frames)
    expected = ReferenceIkSolver(leg)(start, frames)
    np.testing.assert_allclose(solution.x, expected.x, rtol=0, atol=1e-6)
    assert solution.is_converged.all()


def test_people_scaled_from_one_model_share_their_code(tmp_path):
    """Also after a model has been written and read again."""
    generic, random = full_body_model(), np.random.default_rng(2)
    programs, problems = [], []
    for name in ("short", "tall"):
        person = scale_model(generic, random.uniform(0.8, 1.2, (len(generic.bodies), 3)))
        markers = tuple(replace(m, offset=m.offset + random.normal(0, 0.01, 3)) for m in person.markers)
        path = tmp_path / f"{name}.osim"
        write_model(person.with_markers(markers), path)
        problems.append(IkProblem.of(read_model(path)))
        programs.append(IkProgram(problems[-1], ()))
    assert emit_ik(programs[0]) == emit_ik(programs[1])
    assert structure(problems[0]) == structure(problems[1])
    lengths = [program.lengths.of(problems[1].model) for program in programs]
    np.testing.assert_array_equal(*lengths)
    assert not np.array_equal(lengths[1], programs[0].lengths.of(problems[0].model))


def _turned_joint(model: Model) -> Model:
    joint = replace(model.joints[2], T_parent=model.joints[2].T_parent @ rigid(np.zeros(3), AXES[[1, 0, 2]]))
    return replace(model, joints=(*model.joints[:2], joint, *model.joints[3:]))


def _without_offset(model: Model) -> Model:
    joint = replace(model.joints[1], T_parent=np.eye(4))
    return replace(model, joints=(model.joints[0], joint, *model.joints[2:]))


def _other_axis(model: Model) -> Model:
    first, *others = model.joints[1].rotations
    bent = replace(first, function=PolynomialFunction((0.1, 1.0, 0.0)))
    joint = replace(model.joints[1], rotations=(bent, *others))
    return replace(model, joints=(model.joints[0], joint, *model.joints[2:]))


def _locked(model: Model) -> Model:
    coordinates = tuple(replace(c, locked=c.locked or k == 8) for k, c in enumerate(model.coordinates))
    return replace(model, coordinates=coordinates)


def _marker_elsewhere(model: Model) -> Model:
    return model.with_markers((replace(model.markers[0], body="femur_r"), *model.markers[1:]))


def _coupled(model: Model) -> Model:
    coupler = Coupler("ankle", "ankle_angle_r", ("knee_angle_r",), LinearFunction((0.5, 0.0)))
    return replace(model, couplers=(*model.couplers, coupler))


@pytest.mark.parametrize(
    "changed", [_turned_joint, _without_offset, _other_axis, _locked, _marker_elsewhere, _coupled]
)
def test_models_that_need_other_code_are_told_apart(changed):
    generic = full_body_model()
    ours, theirs = IkProblem.of(generic), IkProblem.of(changed(generic))
    assert structure(ours) != structure(theirs)
    assert emit_ik(IkProgram(ours, ())) != emit_ik(IkProgram(theirs, ()))


def test_without_a_compiler_the_reference_is_chosen(leg, monkeypatch):
    assert type(ik_solver(leg)) is FastIkSolver
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("odah.osim.fast.inverse._loaded", {})  # nothing is left of earlier compilations
    solver = ik_solver(leg, tolerance=1e-5, max_iterations=7)
    assert type(solver) is ReferenceIkSolver
    assert (solver.tolerance, solver.max_iterations) == (1e-5, 7)
    with pytest.raises(NoCompiler):
        FastIkSolver(leg)


def test_sparse_systems_are_solved_and_struck_out():
    random = np.random.default_rng(0)
    parents = [-1, 0, 1, 1, 0, 4, 4, 6]
    paths: dict[int, list[int]] = {-1: []}
    for p, above in enumerate(parents):
        paths[p] = [p, *paths[above]]
    entries = {entry(p, q) for p, above in paths.items() for q in above}
    size = len(parents)
    dense = np.zeros((size, size))
    for p, q in entries:
        dense[p, q] = dense[q, p] = random.normal()
    dense += 6 * np.eye(size)
    right, keep = random.normal(size=size), np.array([1.0, 1, 0, 1, 1, 0, 1, 1])
    x = solve({pair: float(dense[pair]) for pair in entries}, right.tolist(), keep.tolist())
    kept = keep > 0
    expected = np.zeros(size)
    expected[kept] = np.linalg.solve(dense[np.ix_(kept, kept)], right[kept])
    np.testing.assert_allclose(np.array(x, dtype=float), expected, rtol=1e-12)


def test_trees_fill_in_nothing():
    """Three chains below unknown 3, whatever their numbers."""
    below = {3: [0, 6], 0: [5, 7], 5: [1], 6: [4], 4: [2]}
    entries = {(p, p) for p in range(8)}

    def link(p: int, above: list[int]) -> None:
        entries.update(entry(p, q) for q in above)
        for child in below.get(p, []):
            link(child, [*above, p])

    link(3, [])
    order = elimination_order(8, entries)
    assert sorted(order) == list(range(8))
    for place, p in enumerate(order):
        linked = [q for q in order[place:] if entry(p, q) in entries]
        assert {entry(a, b) for a in linked for b in linked} <= entries


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real recordings are not beside the project")
def test_costs_on_the_walk_are_no_higher_than_converged_opensims(opensim):
    path = SHARED / "opensim_models/reference_ik_opensim_4.6/subject_scaled_walk.osim"
    recording = SHARED / "opensim_models/Pipelines/Rajagopal/ExpData/motion_capture_walk.trc"
    whole, model = read_trc(recording).in_ground(), read_model(path)
    columns = [whole.names.index(name) for name in model.marker_names]
    trial = replace(whole, names=model.marker_names, positions=whole.positions[60:66, columns])
    answer = inverse_kinematics_with_opensim(path, trial, accuracy=1e-9)
    problem, theirs = IkProblem.of(model), torch.from_numpy(answer.coordinates)
    measured = torch.from_numpy(trial.positions)
    assert measured.isfinite().all()
    frames = IkFrames(measured, torch.ones_like(measured[..., 0]), theirs)
    start = RootStart(problem)(trial.positions, np.ones(measured.shape[:2], dtype=bool))
    solution = FastIkSolver(problem)(start, frames)
    errors = ForwardKinematics(model)(theirs).markers - measured
    assert solution.is_converged.all()
    assert (solution.costs <= errors.square().sum((1, 2))).all()
    difference = (solution.x - theirs[:, problem.free]).abs()
    assert np.degrees(float(difference.mean())) < 0.01
