"""Frames a second of the fit of a body to a 10 s clip, against a fit of each frame by itself.

    OMP_NUM_THREADS=1 python tests/benchmarks/body_fit_speed.py

The recorded walk in ../shared/data, there and back again at 60 frames/s: 600 frames, joints and
the registration's markers as targets, the open body. Pairs alternate, so that the ratio stands whatever else
the machine does; processor seconds are those of this process.
"""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from pose_by_frame import Terms, solve_pose

from odah.body.fitting.body_fitter import BodyFitter
from odah.body.fitting.clip_solver import solve_clip
from odah.body.fitting.clip_terms import ClipTerms
from odah.body.fitting.pose_prior import body_pose_prior
from odah.body.fitting.pose_state import PoseState
from odah.body.fitting.skinned_points import NUM_SOLVED_JOINTS
from odah.body.fitting.smoothness import Smoothness
from odah.body.fitting.targets import initial_local_rotmats, loose_rotvecs, skeleton_targets
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.osim.kinematics import Kinematics, load_opensim_motion

WALK = Path(__file__).parents[2].parent / "shared/data/opensim_models/reference_ik_opensim_4.6"
NUM_FRAMES, RATE, NUM_PAIRS, CHUNK = 600, 60.0, 5, 256


def long_walk() -> Kinematics:
    walk = load_opensim_motion(WALK / "ik_output_walk.mot", WALK / "subject_scaled_walk.osim")
    there_and_back = np.concatenate([walk.coordinates, walk.coordinates[-2:0:-1]])
    repeats = -(-NUM_FRAMES // len(there_and_back))
    return replace(walk, coordinates=np.tile(there_and_back, (repeats, 1))[:NUM_FRAMES], rate=RATE)


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall clock and processor."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def solvers(fitter: BodyFitter, kinematics: Kinematics, betas: np.ndarray) -> dict[str, Callable[[], object]]:
    """The bare solvers on the same targets: each frame by itself, the clip without and with smoothness."""
    targets = skeleton_targets(fitter.registration, kinematics)
    loose = loose_rotvecs(targets.segments, fitter.body.hand_mean)
    points, shape = fitter._registered, torch.from_numpy(betas)
    start = PoseState(shape, initial_local_rotmats(targets.segments, loose), targets.points[:, 0])
    means = loose[:, :NUM_SOLVED_JOINTS]
    prior, sigmas = body_pose_prior(), points.sigmas
    spreads = prior.precisions.diagonal(dim1=1, dim2=2) ** -0.5
    quadratic = torch.full_like(sigmas, torch.inf)

    def by_frame() -> None:
        for first in range(0, NUM_FRAMES, CHUNK):
            part = slice(first, first + CHUNK)
            arrays = (targets.points[part], sigmas, means[part], spreads, shape, torch.ones_like(shape))
            state = PoseState(shape, start.local_rotmats[part], start.transl[part])
            single = PoseState(*(x.float() for x in vars(state).values()))
            solve_pose(points.fast, single, Terms(*(x.float() for x in arrays)))

    def whole(smoothness: Smoothness) -> Callable[[], object]:
        terms = ClipTerms(targets.points, sigmas, quadratic, means, prior, smoothness, RATE)
        return lambda: solve_clip(points.fast, start, terms)

    return {
        "each frame by itself": by_frame,
        "whole clip": whole(Smoothness.off()),
        "whole clip, smooth": whole(Smoothness.uniform()),
    }


def main() -> None:
    torch.set_num_threads(1)
    fitter, kinematics = BodyFitter(load_body(), load_registration()), long_walk()
    betas = fitter.fit_subject(kinematics, "male", 1.83).betas
    work = solvers(fitter, kinematics, betas) | {"fit_pose": lambda: fitter.fit_pose(kinematics, betas)}
    for run in work.values():
        run()
    spent = {name: [] for name in work}
    for _ in range(NUM_PAIRS):
        for name, run in work.items():
            spent[name].append(seconds(run))
    reference = [processor for _, processor in spent["each frame by itself"]]
    print(f"{'':22}{'frames/s':>10}{'of processor':>14}{'ratio':>8}")
    for name, pairs in spent.items():
        wall, processor = (statistics.median(values) for values in zip(*pairs, strict=True))
        ratio = statistics.median(old / new for old, (_, new) in zip(reference, pairs, strict=True))
        print(f"{name:22}{NUM_FRAMES / wall:10.0f}{NUM_FRAMES / processor:14.0f}{ratio:8.2f}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {memory:.2f} GiB, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    print({name: round(value, 2) for name, value in fitter.fit_pose(kinematics, betas).summary().items()})


if __name__ == "__main__":
    main()
