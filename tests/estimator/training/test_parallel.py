"""Two processes train one network: both come to the same weights, and the run is told once."""

import os
import subprocess
import sys
from pathlib import Path

import torch
from estimator.tiny_training import tiny_config, tiny_dataset

from odah.estimator.checkpoint import load_checkpoint
from odah.estimator.config_file import write_train_config
from odah.estimator.training.callbacks import read_curves
from odah.estimator.training.run_folder import RunFolder

TESTS = Path(__file__).parents[2]
SCRIPT = """
import os, sys
from pathlib import Path
import torch
from odah.estimator.config_file import load_train_config
from odah.estimator.training.state import StateFiles
from odah.estimator.training.train import TrainOptions, train

take_best = StateFiles.take_best

def with_a_copy(self):  # of what this process has learned
    torch.save(self.network.state_dict(), f"{self.folder.name}_{os.environ.get('LOCAL_RANK', '0')}.pt")
    take_best(self)

StateFiles.take_best = with_a_copy
options = TrainOptions(device="cpu", num_devices=2, threads=1)
train(load_train_config(Path("tiny.yaml")), [Path("dataset")], Path("run"), options)
"""


def test_two_processes_learn_the_same(tmp_path: Path) -> None:
    tiny_dataset(tmp_path / "dataset")
    config = tiny_config(
        frame={"batch": 2, "epochs": 1}, temporal={"batch": 1, "epochs": 1, "feature_draws": 1}
    )
    write_train_config(tmp_path / "tiny.yaml", config)
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=280,
        env=os.environ | {"PYTHONPATH": str(TESTS.parent), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for stage in ("frame", "temporal"):
        first, second = (torch.load(tmp_path / f"{stage}_{rank}.pt", weights_only=True) for rank in (0, 1))
        assert all(torch.equal(first[name], second[name]) for name in first)
    model = load_checkpoint(tmp_path / "run" / "model.pt")
    assert model.facts["devices"] == 2
    rows = read_curves(RunFolder(tmp_path / "run"))
    assert [(row["stage"], row["step"]) for row in rows] == [("frame", "3"), ("temporal", "3")]
    told = done.stdout + done.stderr
    assert told.count("frame epoch 1/1") == 1
