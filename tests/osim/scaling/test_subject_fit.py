"""A person's bones, markers and poses found together: what is known recovered, what is not known said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from odah.errors import InputError
from odah.motion.load import load_motion
from odah.motion.types import MarkerTrajectories, Source
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model
from odah.osim.ik import inverse_kinematics
from odah.osim.markersets import choose_marker_set
from odah.osim.model import Model
from odah.osim.scale import scale_model
from odah.osim.scaling.subject_fit import fit_subject
from odah.osim.scaling.subject_frames import chosen_frames
from odah.osim.scaling.subject_priors import SubjectPriors, priors_of_marker_set, scale_effects
from odah.osim.scaling.subject_problem import SubjectProblem, moved_markers
from odah.osim.scaling.subject_solver import minimise

KEPT = ("pelvis", "femur_r", "tibia_r", "femur_l", "tibia_l", "torso")
MARKERS = ("ASI", "PSI", "LFC", "MFC", "TH1", "TH2", "LMAL", "MMAL", "TB1", "TB2")


def _legs() -> Model:
    """Pelvis, thighs, shanks and trunk of the full body; the trunk without markers."""
    full = full_body_model()
    joints = tuple(joint for joint in full.joints if joint.child in KEPT)
    moved = {name for joint in joints for name in joint.coordinate_names}
    return replace(
        full,
        bodies=tuple(body for body in full.bodies if body.name in KEPT),
        joints=joints,
        coordinates=tuple(c for c in full.coordinates if c.name in moved),
        couplers=(),
        markers=tuple(m for m in full.markers if m.body in KEPT and m.name[1:] in MARKERS),
    )


LEGS = _legs()
WEIGHTS = dict.fromkeys(LEGS.marker_names, 1.0)
MARKERS_KNOWN = SubjectPriors(segment=0.3, axis=0.3, marker=1e-6, noise=1e-4, frames=100.0)


def _coordinates(count: int, seed: int) -> np.ndarray:
    """Poses well inside of the ranges, of a person who faces backwards eight metres away."""
    random = np.random.default_rng(seed)
    low, high = LEGS.coordinate_ranges.T
    values = random.uniform(low + 0.3 * (high - low), high - 0.3 * (high - low), (count, len(low)))
    names = LEGS.coordinate_names
    values[:, [names.index(f"pelvis_{name}") for name in ("tilt", "list", "tx", "ty", "tz")]] = random.normal(
        [0.1, -0.1, 8.0, 1.0, -3.0], 0.1, (count, 5)
    )
    values[:, names.index("pelvis_rotation")] = random.normal(np.pi, 0.2, count)
    return values


def _factors(side: float = 0.0, seed: int = 4) -> np.ndarray:
    """Log-normal, left as right, but for `side` of each left body."""
    effects = scale_effects(LEGS, SubjectPriors())
    drawn = np.exp(
        np.log(1.12) + effects[..., 1:] @ np.random.default_rng(seed).normal(size=effects.shape[-1] - 1)
    )
    is_left = np.array([name.endswith("_l") for name in LEGS.body_names])
    return drawn * np.exp(side * is_left)[:, None]


def _trial(model: Model, coordinates: np.ndarray, noise: float = 0.0, **changes) -> MarkerTrajectories:
    positions = ForwardKinematics(model)(torch.from_numpy(coordinates)).markers.numpy()
    positions = positions + np.random.default_rng(9).normal(0, noise, positions.shape) if noise else positions
    return replace(
        MarkerTrajectories(model.marker_names, positions, 100.0, "ground", Source("made.trc", "trc")),
        **changes,
    )


def _without(trial: MarkerTrajectories, *unwanted: str) -> MarkerTrajectories:
    kept = [k for k, name in enumerate(trial.names) if name not in unwanted]
    return replace(trial, names=tuple(trial.names[k] for k in kept), positions=trial.positions[:, kept])


def _hips_and_knees(model: Model, factors: np.ndarray | None = None) -> np.ndarray:
    """(3,) m: from hip to hip, and from hip to knee, right and left, in the neutral pose."""
    model = model if factors is None else scale_model(model, factors)
    joints = ForwardKinematics(model)(torch.from_numpy(model.default_coordinates)).joints.numpy()
    hip_r, knee_r, hip_l, knee_l = (
        joints[model.joint_names.index(name)] for name in ("hip_r", "walker_knee_r", "hip_l", "walker_knee_l")
    )
    return np.linalg.norm([hip_r - hip_l, hip_r - knee_r, hip_l - knee_l], axis=1)


def test_bones_are_exact_where_marker_places_are_known():
    factors = _factors()
    trial = _trial(scale_model(LEGS, factors), _coordinates(12, 0))
    fit = fit_subject(LEGS, [trial], WEIGHTS, MARKERS_KNOWN)
    assert fit.rms_before > 5e-3
    assert fit.rms_after < 1e-6
    told = [k for k, name in enumerate(LEGS.body_names) if name != "torso"]
    np.testing.assert_allclose(fit.scale_factors[told], factors[told], atol=1e-4)
    np.testing.assert_allclose(_hips_and_knees(fit.model), _hips_and_knees(LEGS, factors), atol=1e-5)
    assert np.abs(fit.marker_offsets).max() < 1e-6
    assert fit.model.mass == pytest.approx(LEGS.mass)


def test_left_and_right_are_equal_unless_allowed_to_differ():
    factors = _factors(side=0.05)
    trial = _trial(scale_model(LEGS, factors), _coordinates(12, 0))
    free = fit_subject(LEGS, [trial], WEIGHTS, replace(MARKERS_KNOWN, side=0.3))
    names = LEGS.body_names
    femurs = [names.index("femur_r"), names.index("femur_l")]
    np.testing.assert_allclose(free.scale_factors[femurs], factors[femurs], atol=1e-3)
    assert {"femur_r Y", "femur_l Y"} < set(free.remaining)
    tied = fit_subject(LEGS, [trial], WEIGHTS, MARKERS_KNOWN)
    np.testing.assert_array_equal(*tied.scale_factors[femurs])
    assert "femur_r/l Y" in tied.remaining
    assert tied.rms_after > 10 * free.rms_after


@pytest.fixture(scope="module")
def worn() -> tuple[list[MarkerTrajectories], np.ndarray, np.ndarray]:
    """Two trials of one person, other markers in each, with noise; the scale factors and marker offsets."""
    factors, random = _factors(seed=6), np.random.default_rng(2)
    offsets = random.normal(0, 0.015, (len(LEGS.markers), 3))
    person = moved_markers(scale_model(LEGS, factors), offsets)
    first = _without(_trial(person, _coordinates(25, 1), 2e-3), "RTB1", "LMFC")
    second = _without(_trial(person, _coordinates(15, 2), 2e-3, start_time=4.0), "RTH2")
    return [first, second], factors, offsets


def test_bones_and_marker_places_are_recovered_together(worn):
    trials, factors, offsets = worn
    fit = fit_subject(LEGS, trials, WEIGHTS)
    assert fit.rms_before > 12e-3
    assert fit.rms_after < 3.5e-3
    assert fit.num_frames == 40
    true, found = _hips_and_knees(LEGS, factors), _hips_and_knees(fit.model)
    alike = _hips_and_knees(LEGS, np.full_like(factors, np.exp(np.log(factors).mean())))
    assert np.abs(found - true).max() < 10e-3
    assert np.abs(found - true).max() < 0.5 * np.abs(alike - true).max()
    assert np.sqrt(np.mean((fit.marker_offsets - offsets) ** 2)) < 0.7 * np.sqrt(np.mean(offsets**2))


def test_order_of_trials_and_place_in_ground_do_not_matter(worn):
    trials, *_ = worn
    fit = fit_subject(LEGS, trials, WEIGHTS)
    turn = 2.2
    rotmat = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    moved = [
        replace(trial, positions=trial.positions @ rotmat.T + [3.0, 0.2, -9.0]) for trial in trials[::-1]
    ]
    again = fit_subject(LEGS, moved, WEIGHTS)
    np.testing.assert_allclose(again.scale_factors, fit.scale_factors, atol=2e-4)
    np.testing.assert_allclose(again.marker_offsets, fit.marker_offsets, atol=2e-4)
    assert again.rms_after == pytest.approx(fit.rms_after, rel=1e-3)


def test_a_marker_gone_astray_hardly_pulls(worn):
    trials, *_ = worn
    fit = fit_subject(LEGS, trials, WEIGHTS)
    positions = trials[0].positions.copy()
    positions[4:7, trials[0].names.index("RLMAL")] += [0.3, -0.2, 0.1]
    astray = [replace(trials[0], positions=positions), trials[1]]
    shifts = [
        np.abs(
            fit_subject(LEGS, astray, WEIGHTS, SubjectPriors(outlier=k)).scale_factors - fit.scale_factors
        ).max()
        for k in (3.0, 1e9)
    ]
    assert shifts[0] < 0.01
    assert shifts[0] < 0.4 * shifts[1]


def test_gradient_with_poses_eliminated_is_that_of_the_solved_problem(worn):
    trials, *_ = worn
    positions = chosen_frames(trials, LEGS.marker_names, 5)
    priors = SubjectPriors(side=0.05)
    problem = SubjectProblem.of(LEGS, positions, np.linspace(1, 3, len(LEGS.markers)), priors)
    z = torch.from_numpy(0.3 * np.random.default_rng(1).normal(size=problem.num_shared))
    start = inverse_kinematics(
        problem.fitted_model(z), _trial(LEGS, _coordinates(5, 0), positions=positions), WEIGHTS
    )

    def solved(z: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        for _ in range(100):
            system = problem.system(x, z)
            if system.frames_gradient.abs().max() < 1e-7:
                return x
            x = x - torch.linalg.solve(system.frames, system.frames_gradient)
        raise AssertionError("poses not solved")

    x = solved(z, torch.from_numpy(start.coordinates)[:, problem.free])
    gradient = problem.system(x, z).with_prior(z).reduced()[1]
    for k in (0, 3, problem.num_effects + 4, problem.num_shared - 1):
        shift = torch.zeros_like(z)
        shift[k] = 1e-4
        costs = [problem.cost(solved(z + each, x), z + each) for each in (shift, -shift)]
        assert (costs[0] - costs[1]) / 2e-4 == pytest.approx(float(gradient[k]), rel=1e-4, abs=1e-5)


def test_poses_stay_within_their_bounds():
    names = LEGS.coordinate_names
    coordinates = _coordinates(10, 5)
    coordinates[:, names.index("knee_angle_r")] = -0.2  # which the model's knee does not do
    trial = _trial(LEGS, coordinates)
    positions = chosen_frames([trial], LEGS.marker_names, 10)
    problem = SubjectProblem.of(LEGS, positions, np.ones(len(LEGS.markers)), SubjectPriors())
    x = torch.from_numpy(coordinates)[:, problem.free]
    solution = minimise(problem, x, torch.zeros(problem.num_shared, dtype=torch.float64))
    knee = solution.x[:, problem.free.tolist().index(names.index("knee_angle_r"))]
    low = LEGS.coordinate_ranges[names.index("knee_angle_r"), 0]
    assert knee.min() == pytest.approx(low, abs=1e-9)
    assert solution.is_converged


def test_what_the_markers_do_not_tell_is_named():
    """Without markers on the shanks and with the thighs' on one line."""
    names = [n for n in LEGS.marker_names if n[1:] in ("ASI", "PSI", "LFC", "TH1")]
    person = scale_model(LEGS, _factors())
    trial = _trial(person, _coordinates(8, 3))
    trial = _without(trial, *(n for n in LEGS.marker_names if n not in names))
    fit = fit_subject(LEGS, [trial], WEIGHTS)
    said = next(note for note in fit.notes if "in proportion" in note)
    assert "tibia_r/l XYZ" in said
    assert "torso XYZ" in said
    assert "femur_r/l Y" not in said
    assert fit.remaining["tibia_r/l Y"] == pytest.approx(1.0)
    assert 0 < fit.remaining["size"] < 0.1
    assert fit.remaining["femur_r/l Y"] < fit.remaining["femur_r/l X"] <= 1.0
    assert not any(name.startswith("RTB1") for name in fit.remaining)
    np.testing.assert_array_equal(fit.marker_offsets[LEGS.marker_names.index("RTB1")], 0.0)
    untold = [LEGS.body_names.index(name) for name in ("tibia_r", "torso")]
    size = fit.scale_factors[untold]
    assert np.ptp(size) < 1e-6  # both the whole person's


def test_a_marker_worn_elsewhere_and_an_extreme_bone_are_named():
    offsets = np.zeros((len(LEGS.markers), 3))
    offsets[LEGS.marker_names.index("LTB2")] = [0.0, 0.14, 0.0]
    factors = np.full((len(LEGS.bodies), 3), 1.7)
    trial = _trial(moved_markers(scale_model(LEGS, factors), offsets), _coordinates(10, 7))
    notes = " ".join(fit_subject(LEGS, [trial], WEIGHTS).notes)
    assert "marker LTB2 is 1" in notes
    assert "mm from its place on the generic model: worn elsewhere, or misnamed?" in notes
    assert "of femur_r along Y is outside" in notes


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"positions": lambda p: p * 1000},
            r"a person 1e\+03 times the model's size, expected 0.3 to 3 times",
        ),
        ({"positions": lambda p: p * np.nan}, "found 0 of the weighted markers"),
        ({"names": lambda n: tuple(f"X{k}" for k in range(len(n)))}, "found 0 of the weighted markers"),
    ],
    ids=["millimetres", "unseen", "strangers"],
)
def test_unusable_trials_are_refused(change, expected: str):
    trial = _trial(LEGS, _coordinates(3, 0))
    changed = replace(
        trial, **{field: change_of(getattr(trial, field)) for field, change_of in change.items()}
    )
    with pytest.raises(InputError, match=rf"made\.trc: .*{expected}"):
        fit_subject(LEGS, [changed], WEIGHTS)


def test_fewer_measurements_than_unknowns_are_refused():
    trial = _trial(LEGS, _coordinates(4, 0))
    few = [n for n in LEGS.marker_names if n not in ("RASI", "RTH1", "RTB1")]
    with pytest.raises(InputError, match=r"found 18 coordinates of markers in 2 frames, expected .* 21"):
        fit_subject(LEGS, [_without(trial, *few)], WEIGHTS)
    with pytest.raises(InputError, match="trials: found 0 of the weighted markers"):
        fit_subject(LEGS, [], WEIGHTS)


def test_priors_of_a_marker_set():
    model = full_body_model()
    marker_set = choose_marker_set(model.marker_names, model)
    priors = priors_of_marker_set(marker_set)
    assert priors.segments["patella_l"] == priors.segments["femur_r"] != priors.segments["tibia_r"]
    assert (priors.markers["RTH1"] > priors.markers["RASI"]).all()
    np.testing.assert_array_equal(priors.markers["RASI"] < priors.markers["RLFC"], [False, True, False])
    covariance = np.einsum("kae,jbe->kajb", *[scale_effects(model, priors)[..., 1:]] * 2)  # size apart
    index = model.body_names.index
    femur, tibia, patella = index("femur_l"), index("tibia_l"), index("patella_r")
    assert covariance[femur, 1, tibia, 1] == 0.0
    assert covariance[femur, 1, patella, 1] == pytest.approx(priors.segment**2)
    assert covariance[femur, 1, femur, 1] == pytest.approx(priors.segment**2 + priors.axis**2)
    assert covariance[femur, 1, index("femur_r"), 1] == covariance[femur, 1, femur, 1]
    with pytest.raises(ValueError, match=r"noise 0\.0, expected a positive number"):
        SubjectPriors(noise=0.0)


@pytest.mark.shared
def test_real_markers_of_frames_not_seen_are_met(shared_data: Path):
    """The second half of a recording, by the first, with human bones."""
    pytest.importorskip("ezc3d")
    recording = load_motion(shared_data / "hdm05/HDM_dg_06-03_03_120.c3d")
    assert isinstance(recording, MarkerTrajectories)
    recording = recording.in_ground()
    half = recording.num_frames // 2
    seen, held_out = (
        replace(recording, positions=recording.positions[k]) for k in (slice(half), slice(half, None, 9))
    )
    full = full_body_model()
    marker_set = choose_marker_set(recording.names, full)
    generic = full.with_markers(tuple(marker_set.places(full).values()))
    fit = fit_subject(generic, [seen], marker_set.weights, priors_of_marker_set(marker_set), num_frames=40)
    errors = inverse_kinematics(fit.model, held_out, marker_set.weights).rms_errors
    assert errors.mean() < 8e-3
    hips, thigh, _ = _hips_and_knees(fit.model)
    assert 0.15 < hips < 0.2
    assert 0.38 < thigh < 0.45
