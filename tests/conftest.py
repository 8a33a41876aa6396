"""What many tests share: the recordings beside the project, and one tiny dataset made by the real chain."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from odah.cli import main
from odah.config import GenerateConfig
from odah.dataset.reader import Dataset, open_dataset
from odah.errors import OdahError

SHARED_DATA = Path(__file__).parents[1].parent / "shared" / "data"

settings.register_profile("odah", deadline=None)  # how long an example takes says more about the machine
settings.load_profile("odah")
torch.set_num_threads(1)
os.environ.setdefault("OMP_NUM_THREADS", "1")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background jobs
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # or the processes that tests start ignore it, too


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real recordings; skips the test where they are not beside the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real recordings (../shared/data) are not beside the project")
    return SHARED_DATA


@pytest.fixture(scope="session")
def blender() -> None:
    """Skips the test where no Blender is installed; tests never download one."""
    from odah.render import find_blender

    try:
        find_blender(install=False)
    except OdahError as error:
        pytest.skip(f"no Blender: {error}")


@pytest.fixture
def odah(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run a command line; returns (exit code, standard output, standard error)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["odah", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        output = capsys.readouterr()
        return int(left.value.code or 0), output.out, output.err

    return call


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    """Run a failing command line; its one sentence, after checking status and leftovers."""

    def call(*arguments: object, code: int = 2) -> str:
        before = sorted(tmp_path.rglob("*"))
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["odah", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        output = capsys.readouterr()
        assert left.value.code == code, output.err
        assert output.out == ""
        assert len(output.err.splitlines()) == 1, output.err
        assert sorted(tmp_path.rglob("*")) == before
        return output.err

    return call


TINY = {
    "name": "tiny",
    "motion": {"actions": ["walking", "hand_waving"]},
    "subjects": {"count": 1},
    "clip": {"duration": 0.1, "rate": 30},
    "video": {"width": 192, "height": 128},
    "render": {"engine": "cycles", "samples": 1, "workers": 1},
}


@pytest.fixture(scope="session")
def tiny_config() -> GenerateConfig:
    return GenerateConfig.model_validate(TINY)


@pytest.fixture(scope="session")
def tiny_dataset(
    tiny_config: GenerateConfig, blender: None, tmp_path_factory: pytest.TempPathFactory
) -> Dataset:
    """One person, two actions, three frames each, made by the same code as any dataset."""
    from odah.pipeline.generate import generate_dataset

    out = tmp_path_factory.mktemp("tiny") / "dataset"
    _, failures = generate_dataset(tiny_config, Path(), out)
    assert not failures
    return open_dataset(out)
