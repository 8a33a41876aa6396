"""Accuracy of inverse kinematics against OpenSim's tool at accuracy 1e-9, on the published trials.

    OMP_NUM_THREADS=1 python tests/benchmarks/ik_accuracy.py [folder of opensim_models]

Prints for each trial the share of frames whose cost is no higher than OpenSim's, and how far the angles of
our own answers are from OpenSim's, and those that our solver reaches from OpenSim's answers: OpenSim may end
in a worse minimum than ours. It takes about 7 frames a second at this accuracy.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from odah.motion.trc import read_trc
from odah.osim import read_model
from odah.osim.ik import InverseKinematics, inverse_kinematics
from odah.osim.ik.reference_solver import ReferenceIkSolver
from odah.osim.ik.setup import read_ik_setup
from odah.osim.ik.trial import IkTrial
from odah.osim.tools import inverse_kinematics_with_opensim

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "opensim_models"
TRIALS = {
    "Rajagopal walk": (
        "reference_ik_opensim_4.6/subject_scaled_walk.osim",
        "Pipelines/Rajagopal/ExpData/motion_capture_walk.trc",
        "Pipelines/Rajagopal/IK/ik_setup_walk.xml",
    ),
    "Rajagopal static 1": (
        "reference_ik_opensim_4.6/subject_scaled_walk.osim",
        "Pipelines/Rajagopal/ExpData/static_walk_1.trc",
        "Pipelines/Rajagopal/IK/ik_setup_walk.xml",
    ),
    "Rajagopal static 2": (
        "reference_ik_opensim_4.6/subject_scaled_walk.osim",
        "Pipelines/Rajagopal/ExpData/static_walk_2.trc",
        "Pipelines/Rajagopal/IK/ik_setup_walk.xml",
    ),
    "Gait2354 walk": (
        "Pipelines/Gait2354_Simbody/OutputReference/subject01_simbody.osim",
        "Pipelines/Gait2354_Simbody/subject01_walk1.trc",
        "Pipelines/Gait2354_Simbody/subject01_Setup_IK.xml",
    ),
}
AS_LOW = 1e-9  # relative


def compare(name: str, model_file: Path, trc: Path, setup_file: Path) -> None:
    model, setup = read_model(model_file), read_ik_setup(setup_file)
    markers = read_trc(trc)
    first, last = setup.time_range
    inside = (markers.time >= first - 1e-6) & (markers.time <= last + 1e-6)
    if inside.any():
        markers = replace(markers, positions=markers.positions[inside], start_time=markers.time[inside][0])
    markers = replace(markers, positions=markers.positions[:250])
    tasks = setup.tasks(model, markers.time)
    start = time.perf_counter()
    theirs = inverse_kinematics_with_opensim(model_file, markers, setup=setup_file, accuracy=1e-9)
    middle = time.perf_counter()
    ours = inverse_kinematics(model, markers, setup.weights, tasks=tasks)
    end = time.perf_counter()
    trial = IkTrial.of(model, markers, setup.weights, tasks)
    solver = ReferenceIkSolver(trial.problem)

    def costs(solution: InverseKinematics) -> np.ndarray:
        free = torch.from_numpy(solution.coordinates[:, trial.problem.free])
        with torch.no_grad():
            return solver.costs(free, trial.frames(slice(None))).numpy()

    mine, reference = costs(ours), costs(theirs)
    apart = np.rad2deg(np.abs(ours.coordinates - theirs.coordinates))[:, trial.problem.free]
    from_theirs = solver(
        torch.from_numpy(theirs.coordinates[:, trial.problem.free]), trial.frames(slice(None))
    ).x.numpy()
    near = np.rad2deg(np.abs(from_theirs - theirs.coordinates[:, trial.problem.free]))
    as_low = (mine <= reference * (1 + AS_LOW)).mean()
    print(
        f"{name:>20} {len(mine):>6} {100 * as_low:>10.2f} % {(mine / reference - 1).max():>12.1e}"
        f" {apart.mean():>10.5f} {apart.max():>9.4f} {near.mean():>10.5f} {near.max():>9.4f}"
        f" {(middle - start) / (end - middle):>8.0f}"
    )


def main(arguments: list[str]) -> None:
    torch.set_num_threads(1)
    folder = Path(arguments[0]) if arguments else DATA
    print(
        f"{'trial':>20} {'frames':>6} {'cost no higher':>12} {'worst rel.':>12} {'mean deg':>10}"
        f" {'max deg':>9} {'from theirs':>10} {'max deg':>9} {'x time':>8}"
    )
    for name, files in TRIALS.items():
        compare(name, *(folder / file for file in files))


if __name__ == "__main__":
    main(sys.argv[1:])
