"""The trial of docs/kinematics.md through the command, whole: its error is stated over all frames."""

import json
import sys
from pathlib import Path

import pytest

from odah.cli import main


@pytest.mark.shared
def test_the_published_walk_reaches_its_error_and_opensim_loads_it(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opensim = pytest.importorskip("opensim")
    root = shared_data / "opensim_models"
    trial = root / "Pipelines" / "Rajagopal"
    arguments = [
        trial / "ExpData" / "motion_capture_walk.trc",
        *("--model", root / "Models" / "Rajagopal" / "Rajagopal2016.osim"),
        *("--scale-setup", trial / "Scale" / "scale_setup_walk.xml"),
        *("--ik-setup", trial / "IK" / "ik_setup_walk.xml", "--out", tmp_path / "walk", "--json"),
    ]
    monkeypatch.setattr(sys, "argv", ["odah", "kinematics", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert told["marker_rms_mm"] <= 19.7
    model = opensim.Model(str(tmp_path / "walk" / "model.osim"))
    model.initSystem()
    assert model.getMuscles().getSize() == 80
    table = opensim.TimeSeriesTable(str(tmp_path / "walk" / "kinematics.mot"))
    assert table.getNumRows() == told["frames"] == 238
