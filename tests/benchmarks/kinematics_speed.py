"""Speed of forward kinematics on one core: OpenSim's wheel, the torch reference and the generated code.

    OMP_NUM_THREADS=1 python tests/benchmarks/kinematics_speed.py [model.osim]

Prints frames per second and ratios within this one run; without a model it measures the generic person.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from odah.osim import ForwardKinematics, Model, full_body_model, read_model, write_model
from odah.osim.fast import FastKinematics

BATCHES = (64, 1024, 4096, 16384)
OPENSIM_FRAMES = 500


def best_time(work: Callable[[], object], budget: float = 1.0) -> float:
    """Seconds of the quickest of many calls; the first one, which may compile, does not count."""
    work()
    best, end = float("inf"), time.perf_counter() + budget
    while time.perf_counter() < end:
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def opensim_rate(path: Path, model: Model, coordinates: np.ndarray) -> float | None:
    """Frames/s of setting all coordinates, realizing positions and reading bodies and markers."""
    try:
        import opensim
    except ImportError:
        return None
    opensim.Logger.setLevelString("Off")
    theirs = opensim.Model(str(path))
    state = theirs.initSystem()
    order = {theirs.getCoordinateSet().get(name).getStateVariableNames().get(0): k
             for k, name in enumerate(model.coordinate_names)}  # fmt: skip
    names = theirs.getStateVariableNames()
    columns = [order[names.get(i)] for i in range(names.getSize()) if names.get(i) in order]
    bodies = [theirs.getBodySet().get(name) for name in model.body_names]
    markers = [theirs.getMarkerSet().get(name) for name in model.marker_names]

    def frames() -> None:
        for row in coordinates[:OPENSIM_FRAMES, columns]:
            state.setQ(opensim.Vector.createFromMat(row))
            theirs.realizePosition(state)
            for body in bodies:
                body.getTransformInGround(state)
            for marker in markers:
                marker.getLocationInGround(state)

    return OPENSIM_FRAMES / best_time(frames)


def rates(fk: Callable, coordinates: torch.Tensor) -> tuple[float, float]:
    """Frames/s forward, and forward with the gradient of the markers' squared distances."""

    def backward() -> None:
        inputs = coordinates.clone().requires_grad_()
        fk(inputs).markers.square().sum().backward()

    with torch.no_grad():
        forward = len(coordinates) / best_time(lambda: fk(coordinates))
    return forward, len(coordinates) / best_time(backward)


def main(arguments: list[str]) -> None:
    torch.set_num_threads(1)
    model = read_model(arguments[0]) if arguments else full_body_model()
    low, high = np.clip(model.coordinate_ranges, -3, 3).T
    drawn = np.random.default_rng(0).uniform(low, high, (max(BATCHES), len(low)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(arguments[0]) if arguments else Path(folder) / "model.osim"
        if not arguments:
            write_model(model, path)
        theirs = opensim_rate(path, model, drawn)
    counts = f"{len(model.bodies)} bodies, {len(model.coordinates)} coordinates, {len(model.markers)} markers"
    print(f"{model.name}: {counts}")
    if theirs:
        print(f"OpenSim, forward: {theirs:,.0f} frames/s")
    head = (
        "type",
        "batch",
        "reference/s",
        "fast/s",
        "x ref",
        "x OpenSim",
        "ref+grad/s",
        "fast+grad/s",
        "x ref",
    )
    print(" ".join(f"{title:>12}" for title in head))
    for dtype in (torch.float32, torch.float64):
        reference, fast = ForwardKinematics(model, dtype), FastKinematics(model, dtype)
        for batch in BATCHES:
            coordinates = torch.tensor(drawn[:batch], dtype=dtype)
            (slow, slow_both), (quick, quick_both) = rates(reference, coordinates), rates(fast, coordinates)
            over_opensim = f"{quick / theirs:.0f}" if theirs else "-"
            cells = [str(dtype)[6:], batch, f"{slow:,.0f}", f"{quick:,.0f}", f"{quick / slow:.0f}"]
            cells += [
                over_opensim,
                f"{slow_both:,.0f}",
                f"{quick_both:,.0f}",
                f"{quick_both / slow_both:.0f}",
            ]
            print(" ".join(f"{cell:>12}" for cell in cells))


if __name__ == "__main__":
    main(sys.argv[1:])
