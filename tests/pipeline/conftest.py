"""Small recordings that `odah kinematics` solves in a second or two, and the command itself."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from odah.motion.trc import write_trc
from odah.motion.types import CoordinateTrajectory, MarkerTrajectories, Source
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model
from odah.osim.storage import write_mot
from odah.osim.write import write_model

MODEL = full_body_model()
LABEL_FILES = (
    *("labels.npz", "kinematics.mot", "markers.trc"),
    *("front_mask.mkv", "side_mask.mkv", "side_parts.mkv"),
)


@pytest.fixture(scope="session")
def same_labels() -> Callable[[Path, Path], None]:
    """Compares the clips and people of two datasets, byte for byte."""

    def compare(ours: Path, theirs: Path) -> None:
        names = [f"clips/{clip.name}/{name}" for clip in (theirs / "clips").iterdir() for name in LABEL_FILES]
        names += [str(path.relative_to(theirs)) for path in (theirs / "subjects").glob("*/*")]
        assert len(names) > len(LABEL_FILES)
        for name in names:
            assert (ours / name).read_bytes() == (theirs / name).read_bytes(), name

    return compare


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a marker trial, an OpenSim motion with its model, and a file that is none."""
    folder = tmp_path_factory.mktemp("recordings")
    low, high = MODEL.coordinate_ranges.T
    phase = np.linspace(0, 3, 5)[:, None] + np.arange(len(low))
    values = (low + high) / 2 + 0.1 * (high - low) * np.sin(phase)
    values[:, :6] = 0.0
    values = ForwardKinematics(MODEL).couple(torch.from_numpy(values)).numpy()
    positions = ForwardKinematics(MODEL)(torch.from_numpy(values)).markers.numpy()
    positions = positions + np.random.default_rng(0).normal(0, 0.004, positions.shape)
    source = Source("made", "trc")
    write_trc(folder / "walk.trc", MarkerTrajectories(MODEL.marker_names, positions, 50.0, "ground", source))
    motion = CoordinateTrajectory(MODEL.coordinate_names, values, 50.0, source)
    write_mot(folder / "run.mot", motion, MODEL)
    write_model(MODEL, folder / "model.osim")
    (folder / "broken.trc").write_text("no markers here\n")
    return folder


@pytest.fixture
def command(odah, monkeypatch: pytest.MonkeyPatch, recordings: Path):
    """An `odah` command on names in that folder; (status, standard output, standard error)."""

    def call(name: str, *arguments: object) -> tuple[int, str, str]:
        monkeypatch.chdir(recordings)
        return odah(name, *arguments)

    return call


@pytest.fixture
def kinematics(command):
    return partial(command, "kinematics")


@pytest.fixture
def animate(command):
    return partial(command, "animate")
