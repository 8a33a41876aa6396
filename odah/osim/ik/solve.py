"""Marker inverse kinematics of whole trials: OpenSim's problem, solved to convergence.

Minimises sum_m w_m |model marker - measured marker|^2 of each frame, plus what coordinate tasks add, within
the ranges of clamped coordinates. Frames start from the model at rest, its root laid onto their markers, or
between the answers of frames nearby; those that end badly start again elsewhere, and all try the answers of
their neighbours, so that none stays in a worse minimum than the frame beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from odah.errors import OdahError
from odah.motion.types import MarkerTrajectories
from odah.osim.fast.chooser import ik_solver
from odah.osim.ik.answers import BLOCK, Answers
from odah.osim.ik.checks import check_options, checked_start
from odah.osim.ik.continuity import follow, settle
from odah.osim.ik.jacobian import MarkerJacobian
from odah.osim.ik.problem import IkSolver
from odah.osim.ik.reference_solver import ReferenceIkSolver
from odah.osim.ik.restarts import restart
from odah.osim.ik.smooth import smooth
from odah.osim.ik.start import MIN_SEEN, RootStart, full_turns, unwrap, without_spare_turns
from odah.osim.ik.trial import CoordinateTask, IkTrial
from odah.osim.model import Model

Path = Literal["auto", "reference"]
STRIDE = 8
"""Of continuous motion, every how many frames start from rest; the others start between their answers."""


@dataclass(frozen=True)
class InverseKinematics:
    """Coordinates (T, C) in rad and m in the model's order, and what is known of them.

    distances: from each tracked marker of the model to the measured one, m, NaN where it was not seen.
    is_determined: the frame measures at least as many numbers as it leaves coordinates free.
    is_solved: the frame shows enough markers; else its coordinates are interpolated and its distances NaN.
    is_told: some marker or task of the frame moves with the coordinate; what none tells is interpolated.
    Coordinates that are not solved for count as told.
    """

    names: tuple[str, ...]
    coordinates: Float[np.ndarray, "T C"]
    marker_names: tuple[str, ...]
    distances: Float[np.ndarray, "T M"]
    is_solved: Bool[np.ndarray, " T"]
    is_told: Bool[np.ndarray, "T C"]
    is_determined: Bool[np.ndarray, " T"]
    is_converged: Bool[np.ndarray, " T"]

    @property
    def rms_errors(self) -> Float[np.ndarray, " T"]:
        """Over the markers seen, unweighted, m; NaN in frames that are not solved."""
        is_seen = np.isfinite(self.distances)
        squares = np.where(is_seen, self.distances, 0.0) ** 2
        rms = np.sqrt(squares.sum(axis=1) / np.maximum(is_seen.sum(axis=1), 1))
        return np.where(self.is_solved, rms, np.nan)

    @property
    def max_errors(self) -> Float[np.ndarray, " T"]:
        """Of the markers seen, m; NaN in frames that are not solved."""
        largest = np.where(np.isfinite(self.distances), self.distances, 0.0).max(axis=1)
        return np.where(self.is_solved, largest, np.nan)


def inverse_kinematics(
    model: Model,
    markers: MarkerTrajectories,
    weights: Mapping[str, float],
    *,
    tasks: Sequence[CoordinateTask] = (),
    start: Float[np.ndarray, "T C"] | None = None,
    is_continuous: bool = True,
    cutoff: float | None = None,
    tolerance: float = 1e-7,
    path: Path = "auto",
) -> InverseKinematics:
    """Coordinates that bring the model's markers closest to the measured ones.

    tasks: coordinates that are pulled to values. start: a warm start, rad and m; None starts cold.
    is_continuous: the frames follow one another closely, so angles should not leap between them.
    cutoff: Hz; smooths the motion over time as a low-pass filter of that frequency would, see
    `odah.osim.ik.smooth`; None leaves each frame to its own markers.
    tolerance: rad and m; the step at which a frame counts as solved. path: "auto" takes generated code where
    there is a C compiler, "reference" torch.
    Locked coordinates, and those that no tracked marker tells, stay at their defaults; coupled ones follow.

    Raises:
        OdahError: no tracked marker is shared, or no frame shows three of them. InputError: an argument has
        another shape, or a value that it cannot have.
    """
    check_options(path, tolerance, cutoff, markers.rate, is_continuous=is_continuous)
    trial = IkTrial.of(model, markers.in_ground(), weights, tasks)
    solvable = np.flatnonzero(trial.is_solvable)
    if len(solvable) == 0:
        raise OdahError(f"no frame of {markers.source.path} shows {MIN_SEEN} tracked markers")
    build = ReferenceIkSolver if path == "reference" else ik_solver
    solver = build(trial.problem, tolerance=tolerance, max_iterations=60)
    if start is not None:
        values = checked_start(start, (len(trial), len(model.coordinates)))
        begin = torch.from_numpy(np.ascontiguousarray(values[solvable][:, trial.problem.free]))
        answers = _settled(solver, trial, solvable, begin, is_continuous=is_continuous)
    elif is_continuous:
        answers = _solve_continuous(solver, trial, solvable)
    else:
        answers = _settled(solver, trial, solvable, _cold_start(trial, solvable), is_continuous=False)
    free = _interpolated(trial, solvable, answers.x)
    distances = np.full(trial.is_seen.shape, np.nan)
    distances[solvable] = answers.distances.numpy()
    if cutoff is not None:
        reference = ReferenceIkSolver(trial.problem, tolerance=tolerance)
        free = smooth(reference, trial, free, markers.rate, cutoff)
        distances = _distances(trial, free)
    converged = np.zeros(len(trial), dtype=bool)
    converged[solvable] = answers.is_converged.numpy()
    return _result(trial, free, distances, converged)


def _solve_continuous(solver: IkSolver, trial: IkTrial, index: np.ndarray) -> Answers:
    """Some frames from rest, then all of them from between those."""
    some = np.unique(np.append(index[::STRIDE], index[-1]))
    rough = _cold_start(trial, some)
    unwrap(rough, full_turns(trial.problem))
    coarse = _settled(solver, trial, some, rough, is_continuous=True)
    begin = np.stack([np.interp(index, some, column) for column in coarse.x.numpy().T], axis=1)
    expected = torch.from_numpy(np.interp(index, some, coarse.mean_squares.numpy()))
    return _settled(solver, trial, index, torch.from_numpy(begin), expected, is_continuous=True)


def _settled(
    solver: IkSolver,
    trial: IkTrial,
    index: np.ndarray,
    begin: Float[Tensor, "t P"],
    expected: Float[Tensor, " t"] | None = None,
    *,
    is_continuous: bool,
) -> Answers:
    """The best answers that starts, restarts and neighbours give."""
    answers = Answers.of(solver, trial, index, begin)
    restart(answers, begin, expected)
    settle(answers)
    turning = [p for p in full_turns(trial.problem) if trial.target_weights[p] == 0]
    answers.x = without_spare_turns(trial.problem, answers.x, begin, turning)
    if is_continuous:
        unwrap(answers.x, turning)
        follow(answers)
        unwrap(answers.x, turning)
    return answers


def _cold_start(trial: IkTrial, index: np.ndarray) -> Float[Tensor, "t P"]:
    start = RootStart(trial.problem)
    return torch.cat([start(trial.positions[k], trial.is_seen[k]) for k in _blocks(index)])


def _blocks(index: np.ndarray) -> Iterator[np.ndarray]:
    return (index[k : k + BLOCK] for k in range(0, len(index), BLOCK))


def _interpolated(trial: IkTrial, solvable: np.ndarray, x: Float[Tensor, "t P"]) -> Float[np.ndarray, "T P"]:
    """The free coordinates of all frames; what is not told is interpolated between frames where it is.

    What no frame tells is at its default.
    """
    every, is_told = np.arange(len(trial)), trial.is_told[solvable]
    problem = trial.problem
    defaults = problem.model.default_coordinates[problem.free].clip(problem.lower, problem.upper)
    free = np.tile(defaults, (len(trial), 1))
    for p, told in enumerate(is_told.T):
        if told.any():
            free[:, p] = np.interp(every, solvable[told], x[:, p].numpy()[told])
    return free


def _distances(trial: IkTrial, free: Float[np.ndarray, "T P"]) -> Float[np.ndarray, "T M"]:
    """m, of the model's markers to the measured ones."""
    kinematics, distances = MarkerJacobian(trial.problem), np.empty(trial.is_seen.shape)
    for rows in _blocks(np.arange(len(trial))):
        markers = kinematics.markers(torch.from_numpy(free[rows]), trial.frames(rows).given).numpy()
        distances[rows] = np.linalg.norm(markers - trial.positions[rows], axis=-1)
    return distances


def _result(
    trial: IkTrial,
    free: Float[np.ndarray, "T P"],
    distances: Float[np.ndarray, "T M"],
    converged: Bool[np.ndarray, " T"],
) -> InverseKinematics:
    """Of all frames; dependent coordinates follow."""
    problem, is_solved = trial.problem, trial.is_solvable
    kinematics = MarkerJacobian(problem)
    coordinates = np.empty((len(trial), len(problem.model.coordinates)))
    for rows in _blocks(np.arange(len(trial))):
        given = trial.frames(rows).given
        coordinates[rows] = kinematics.coordinates(torch.from_numpy(free[rows]), given).numpy()
    distances[~(trial.is_seen & is_solved[:, None])] = np.nan
    told = np.ones(coordinates.shape, dtype=bool)
    told[:, problem.free] = trial.is_told
    return InverseKinematics(
        names=problem.model.coordinate_names,
        coordinates=coordinates,
        marker_names=problem.model.marker_names,
        distances=distances,
        is_solved=is_solved,
        is_told=told,
        is_determined=trial.is_determined,
        is_converged=converged,
    )
