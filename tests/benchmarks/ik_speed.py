"""Speed of marker inverse kinematics on one core: OpenSim's tool, the torch reference and the generated code.

    OMP_NUM_THREADS=1 python tests/benchmarks/ik_speed.py [model.osim markers.trc]

Prints frames per second and ratios within this one run. Given a model and a recording of its markers, OpenSim
runs too; without, the generic person is measured. All weights are 1; every frame starts from the model at
rest, its root laid onto the markers. The speed of the solvers includes all that calling them costs.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from odah.errors import OdahError
from odah.motion.trc import read_trc
from odah.motion.types import MarkerTrajectories
from odah.osim import ForwardKinematics, Model, full_body_model, read_model
from odah.osim.fast.inverse import FastIkSolver
from odah.osim.ik.problem import IkFrames, IkProblem, IkSolver
from odah.osim.ik.reference_solver import ReferenceIkSolver
from odah.osim.ik.start import RootStart
from odah.osim.tools import inverse_kinematics_with_opensim

NUM_FRAMES, NUM_REFERENCE_FRAMES, NUM_OPENSIM_FRAMES = 20_000, 1024, 12
NOISE = 0.003  # m


def best_time(work: Callable[[], object], budget: float = 3.0) -> float:
    """Seconds of the quickest of many calls."""
    best, end = float("inf"), time.perf_counter() + budget
    while time.perf_counter() < end:
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def synthetic(problem: IkProblem, count: int) -> np.ndarray:
    """(count, M, 3) noisy markers of poses from the middle of the ranges."""
    model, random = problem.model, np.random.default_rng(0)
    low, high = np.clip(model.coordinate_ranges, -1.2, 1.2).T
    drawn = random.uniform(0.7 * low + 0.3 * high, 0.3 * low + 0.7 * high, (count, len(low)))
    fk = ForwardKinematics(model)
    places = torch.cat([fk(part).markers for part in torch.from_numpy(drawn).split(1000)]).numpy()
    return places + random.normal(0, NOISE, places.shape)


def frames_of(problem: IkProblem, positions: np.ndarray) -> tuple[torch.Tensor, IkFrames]:
    """Where to start, and what is measured; positions (t, M, 3) NaN where unseen."""
    is_seen = np.asarray(np.isfinite(positions).all(-1))
    measured = np.where(is_seen[..., None], positions, 0.0)
    given = torch.from_numpy(problem.model.default_coordinates).expand(len(positions), -1)
    frames = IkFrames(torch.from_numpy(measured), torch.from_numpy(is_seen.astype(float)), given)
    return RootStart(problem)(measured, is_seen), frames


def opensim_rate(path: Path, trial: MarkerTrajectories, accuracy: float) -> float | None:
    """Frames/s of OpenSim's tool, loading left out: what some frames take longer than two."""

    def seconds(count: int) -> float:
        part = replace(trial, positions=trial.positions[:count])
        start = time.perf_counter()
        inverse_kinematics_with_opensim(path, part, accuracy=accuracy)
        return time.perf_counter() - start

    try:
        seconds(2)
        return (NUM_OPENSIM_FRAMES - 2) / (seconds(NUM_OPENSIM_FRAMES) - seconds(2))
    except OdahError as reason:
        print(reason)
        return None


def compile_time(problem: IkProblem) -> float:
    """Seconds to make a solver with an empty cache."""
    before = os.environ.get("ODAH_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ODAH_CACHE"] = folder
        start = time.perf_counter()
        FastIkSolver(problem)
        elapsed = time.perf_counter() - start
    del os.environ["ODAH_CACHE"]
    if before is not None:
        os.environ["ODAH_CACHE"] = before
    return elapsed


def measure(name: str, problem: IkProblem, positions: np.ndarray, others: dict[str, float]) -> None:
    """Print the rates of both solvers on one set of frames, and how they compare with the `others`."""

    def rate(solver: IkSolver, count: int) -> tuple[float, str]:
        start, frames = frames_of(problem, positions[:count])
        solution = solver(start, frames)
        budget = 3.0 if count == NUM_FRAMES else 0.1
        text = (
            f"{solution.num_iterations.double().mean():.1f} iterations, "
            f"{solution.is_converged.double().mean():.1%} converged, mean cost {solution.costs.mean():.6g}"
        )
        return len(start) / best_time(lambda: solver(start, frames), budget), text

    quick, quick_text = rate(FastIkSolver(problem), NUM_FRAMES)
    slow, slow_text = rate(ReferenceIkSolver(problem), NUM_REFERENCE_FRAMES)
    print(f"\n{name}")
    for label, speed in others.items():
        print(f"  {label:<26} {speed:12,.1f} frames/s, fast is x {quick / speed:,.0f}")
    print(f"  {'reference':<26} {slow:12,.1f} frames/s, fast is x {quick / slow:,.0f}; {slow_text}")
    print(f"  {'fast':<26} {quick:12,.1f} frames/s; {quick_text}")


def recorded(model: Model, path: Path) -> tuple[IkProblem, MarkerTrajectories]:
    """The problem of the markers that both the model and the recording have."""
    trial = read_trc(path).in_ground()
    model = model.with_markers(tuple(marker for marker in model.markers if marker.name in trial.names))
    columns = [trial.names.index(name) for name in model.marker_names]
    positions = trial.positions[:, columns]
    return IkProblem.of(model), replace(trial, names=model.marker_names, positions=positions)


def main(arguments: list[str]) -> None:
    torch.set_num_threads(1)
    model = read_model(arguments[0]) if arguments else full_body_model()
    problem = IkProblem.of(model)
    others: dict[str, float] = {}
    if arguments:
        problem, trial = recorded(model, Path(arguments[1]))
        for accuracy in (1e-5, 1e-9):
            if speed := opensim_rate(Path(arguments[0]), trial, accuracy):
                others[f"OpenSim, accuracy {accuracy:g}"] = speed
    counts = f"{len(problem.free)} coordinates solved for, {len(problem.model.markers)} markers"
    print(f"{model.name}: {counts}; compiled in {compile_time(problem):.1f} s")
    if arguments:
        repeated = np.tile(trial.positions, (NUM_FRAMES // len(trial.positions) + 1, 1, 1))[:NUM_FRAMES]
        measure(f"recorded, {len(trial.positions)} frames repeated", problem, repeated, others)
    measure(f"synthetic, {1000 * NOISE:g} mm of noise", problem, synthetic(problem, NUM_FRAMES), {})


if __name__ == "__main__":
    main(sys.argv[1:])
