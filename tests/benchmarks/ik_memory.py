"""Peak memory and speed of inverse kinematics on a long trial.

    OMP_NUM_THREADS=1 python tests/benchmarks/ik_memory.py [frames]

Makes a person who sways, turns and swings all limbs (a million frames unless told otherwise), adds 3 mm of
noise to the markers, and solves. Prints the peak resident memory of the process before and after.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
import torch

from odah.motion.types import MarkerTrajectories, Source
from odah.osim import ForwardKinematics, Model, full_body_model
from odah.osim.ik import inverse_kinematics

RATE = 100.0
PERIOD = 5000  # frames of different motion, repeated


def swinging(model: Model) -> np.ndarray:
    """(PERIOD, C): every coordinate swings about the middle of its range at a frequency of its own."""
    low, high = np.clip(model.coordinate_ranges, -1.0, 1.0).T
    random = np.random.default_rng(0)
    cycles = random.integers(5, 40, len(low))  # whole, so that repetitions join
    phases = random.uniform(0, 2 * np.pi, len(low))
    angle = 2 * np.pi * np.arange(PERIOD)[:, None] * cycles / PERIOD + phases
    return (low + high) / 2 + 0.3 * (high - low) * np.sin(angle)


def recording(model: Model, num_frames: int) -> MarkerTrajectories:
    with torch.no_grad():
        once = ForwardKinematics(model)(torch.from_numpy(swinging(model))).markers.numpy()
    positions = np.resize(once, (num_frames, *once.shape[1:]))
    random = np.random.default_rng(1)
    for first in range(0, num_frames, PERIOD):
        part = positions[first : first + PERIOD]
        part += random.normal(scale=3e-3, size=part.shape)
    return MarkerTrajectories(model.marker_names, positions, RATE, "ground", Source("made", "benchmark"))


def peak() -> float:
    """GiB"""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main(arguments: list[str]) -> None:
    torch.set_num_threads(1)
    num_frames = int(arguments[0]) if arguments else 1_000_000
    model = full_body_model()
    weights = dict.fromkeys(model.marker_names, 1.0)
    inverse_kinematics(model, recording(model, 64), weights)  # compiles
    markers = recording(model, num_frames)
    before = peak()
    start = time.perf_counter()
    solution = inverse_kinematics(model, markers, weights)
    seconds = time.perf_counter() - start
    print(
        f"{num_frames:,} frames, {len(model.markers)} markers: {num_frames / seconds:,.0f} frames/s,"
        f" {100 * solution.is_converged.mean():.3f} % converged,"
        f" RMS {1e3 * solution.rms_errors.mean():.2f} mm, peak {peak():.2f} GiB"
        f" ({before:.2f} with the recording alone)"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
