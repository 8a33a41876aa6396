"""Recorded walks: over ground the steps make up the way, on a treadmill there is none."""

from pathlib import Path

import numpy as np
import pytest

from odah.benchmark.metrics.gait import GAIT_PARAMETERS, gait_parameters, steps_of
from odah.benchmark.metrics.strikes import heel_strikes
from odah.motion.trc import read_trc

PIPELINES = Path("opensim_models/Pipelines")


def walked(path: Path, *pelvis: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Heels, the middle of the pelvis' markers, frames/s."""
    markers = read_trc(path)
    place = markers.names.index
    heels = markers.positions[:, [place("L.Heel"), place("R.Heel")]]
    return heels, markers.positions[:, [place(name) for name in pelvis]].mean(axis=1), markers.rate


@pytest.mark.shared
def test_over_ground(shared_data: Path) -> None:
    path = shared_data / PIPELINES / "Rajagopal/ExpData/motion_capture_walk.trc"
    heels, pelvis, rate = walked(path, "R.ASIS", "L.ASIS", "S2")
    values = dict(zip(GAIT_PARAMETERS, gait_parameters(heels, pelvis, rate).values, strict=True))
    stride = (values["stride_length_left"] + values["stride_length_right"]) / 2
    speed = np.linalg.norm((pelvis[-1] - pelvis[0])[[0, 2]]) * rate / (len(pelvis) - 1)
    assert stride * values["cadence"] / 120 == pytest.approx(speed, rel=0.03)
    steps = values["step_length_left"] + values["step_length_right"]
    assert steps == pytest.approx(stride, rel=0.02)
    assert 0.05 < values["step_width"] < 0.2
    (strikes,) = heel_strikes(heels, pelvis, rate)
    assert len(steps_of(strikes)) == len(strikes) - 1 == 3
    for strike in strikes:  # the heel stands there, and no longer beside the swinging foot
        side = ("left", "right").index(strike.side)
        after = heels[strike.frame + 10 : strike.frame + 30, side][:, [0, 2]]
        assert np.linalg.norm(after - strike.foothold, axis=1).max() < 0.02


@pytest.mark.shared
def test_on_a_treadmill(shared_data: Path) -> None:
    heels, pelvis, rate = walked(shared_data / PIPELINES / "Gait2354_Simbody/subject01_walk1.trc", "V.Sacral")
    assert set(gait_parameters(heels, pelvis, rate).reasons) == {"nobody travels: standing, or a treadmill"}
