"""ScaleTool itself as the reference, on copies of real set-ups; and a small set-up whose answer is known."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from odah.motion.trc import write_trc
from odah.motion.types import MarkerTrajectories, Source
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model
from odah.osim.model import Model
from odah.osim.parse import read_model
from odah.osim.scale import scale_model
from odah.osim.setup_files import write_marker_set
from odah.osim.storage import read_storage
from odah.osim.tools import _quiet_stdout
from odah.osim.write import write_model

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "opensim_models"
SETUPS = {
    "gait": ("Gait2354_Simbody/subject01_Setup_Scale.xml", "Gait2354_Simbody/gait2354_simbody.osim"),
    "walk_scale_only": ("Rajagopal/Scale/scale_setup_walk_scaleOnly.xml", "Rajagopal/Rajagopal2016.osim"),
    "walk": ("Rajagopal/Scale/scale_setup_walk.xml", "Rajagopal/Rajagopal2016.osim"),
}
_FILES = (
    "GenericModelMaker/model_file",
    "GenericModelMaker/marker_set_file",
    "ModelScaler/marker_file",
    "MarkerPlacer/marker_file",
    "MarkerPlacer/coordinate_file",
)
Edit = Callable[[ET.Element, Path], None]


@dataclass(frozen=True)
class StagedSetup:
    """A copy of a set-up and of the files it names, in a folder of its own."""

    setup: Path

    def run_tool(self) -> bool:
        import opensim

        with _quiet_stdout():
            return opensim.ScaleTool(str(self.setup)).run()

    @property
    def scaled(self) -> Model:
        """What the tool's ModelScaler wrote."""
        return read_model(self.setup.parent / "scaled.osim")

    @property
    def placed(self) -> Model:
        return read_model(self.setup.parent / "placed.osim")

    @property
    def static_pose(self) -> dict[str, float]:
        """Coordinates that the tool's MarkerPlacer found, rad and m."""
        table = read_storage(self.setup.parent / "pose.mot")
        assert not table.in_degrees
        pairs = zip(table.columns, table.values[0], strict=True)
        return {name.split("/")[-2]: value for name, value in pairs if name.endswith("/value")}


@pytest.fixture
def stage(tmp_path: Path, opensim) -> Callable[..., StagedSetup]:
    """stage("gait", edit) copies a real set-up; edit changes its <ScaleTool> before it is written."""
    opensim.Logger.removeFileSink()

    def stage(name: str, edit: Edit | None = None, model_file: Path | None = None) -> StagedSetup:
        if not DATA.exists():
            pytest.skip("the shared recordings are not beside the project")
        setup, generic = DATA / "Pipelines" / SETUPS[name][0], DATA / "Models" / SETUPS[name][1]
        folder = tmp_path / f"{name}{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        document = ET.parse(setup).getroot()
        tool = document.find("ScaleTool")
        for field in _FILES:
            element = tool.find(field)
            text = (element.text or "").strip()
            if text and text != "Unassigned":
                is_model = field.endswith("model_file")
                source = (model_file or generic) if is_model else setup.parent / text
                element.text = field.replace("/", "_") + source.suffix
                shutil.copyfile(source, folder / element.text)
                (folder / element.text).chmod(0o644)
        tool.find("ModelScaler/output_model_file").text = "scaled.osim"
        tool.find("MarkerPlacer/output_model_file").text = "placed.osim"
        tool.find("MarkerPlacer/output_motion_file").text = "pose.mot"
        if edit is not None:
            edit(tool, folder)
        ET.ElementTree(document).write(folder / "setup.xml")
        return StagedSetup(folder / "setup.xml")

    return stage


BONY = ("RASI", "LASI", "RPSI", "LPSI", "RLFC", "RMFC", "RLMAL", "RCAL", "RTOE", "RACR", "LACR", "C7")
SOFT = ("RTH1", "RTB1")
STRETCHED = {"pelvis": (1.0, 1.0, 1.15), "femur_r": (0.9, 0.9, 0.9), "torso": (1.2, 1.1, 1.05)}
SETUP = """<?xml version="1.0" encoding="UTF-8"?>
<OpenSimDocument Version="40000"><ScaleTool name="small">
 <mass>60</mass>
 <GenericModelMaker>
  <model_file>generic.osim</model_file><marker_set_file>markers.xml</marker_set_file>
 </GenericModelMaker>
 <ModelScaler>
  <apply>true</apply>
  <scaling_order>measurements manualScale</scaling_order>
  <MeasurementSet><objects>
   <Measurement name="pelvis"><apply>true</apply>
    <MarkerPairSet><objects><MarkerPair><markers>RASI LASI</markers></MarkerPair></objects></MarkerPairSet>
    <BodyScaleSet><objects><BodyScale name="pelvis"><axes>Z</axes></BodyScale></objects></BodyScaleSet>
   </Measurement>
   <Measurement name="thigh"><apply>true</apply>
    <MarkerPairSet><objects><MarkerPair><markers>RLFC RMFC</markers></MarkerPair>
     <MarkerPair><markers>RMFC RLFC</markers></MarkerPair></objects></MarkerPairSet>
    <BodyScaleSet><objects><BodyScale name="femur_r"><axes>X Y Z</axes></BodyScale></objects></BodyScaleSet>
   </Measurement>
  </objects></MeasurementSet>
  <ScaleSet><objects>
   <Scale><scales>1.2 1.1 1.05</scales><segment>torso</segment><apply>true</apply></Scale>
  </objects></ScaleSet>
  <marker_file>static.trc</marker_file><time_range>0.02 0.04</time_range>
  <preserve_mass_distribution>true</preserve_mass_distribution>
 </ModelScaler>
 <MarkerPlacer>
  <apply>true</apply>
  <IKTaskSet><objects>
   MARKER_TASKS
   <IKCoordinateTask name="subtalar_angle_r"><apply>true</apply><weight>10</weight>
    <value_type>manual_value</value_type><value>0</value></IKCoordinateTask>
  </objects></IKTaskSet>
  <marker_file>static.trc</marker_file><coordinate_file>Unassigned</coordinate_file>
  <time_range>0.02 0.04</time_range>
  <max_marker_movement>-1</max_marker_movement>
 </MarkerPlacer>
</ScaleTool></OpenSimDocument>
"""
_TASK = '<IKMarkerTask name="{}"><apply>true</apply><weight>2</weight></IKMarkerTask>'


@dataclass(frozen=True, repr=False)
class SmallPerson:
    """A set-up whose answer is known: the person is the full-body model, stretched, posed, markers moved."""

    setup: Path
    truth: Model
    factors: dict[str, np.ndarray]
    pose: dict[str, float]

    @property
    def folder(self) -> Path:
        return self.setup.parent

    def edit(self, old: str, new: str) -> Path:
        """The set-up with a piece of its text replaced."""
        text = self.setup.read_text()
        assert old in text
        self.setup.write_text(text.replace(old, new))
        return self.setup


@pytest.fixture
def small_person(tmp_path: Path) -> SmallPerson:
    generic = full_body_model()
    markers = [marker for marker in generic.markers if marker.name in BONY + SOFT]
    write_model(generic.with_markers(()), tmp_path / "generic.osim")
    bony = [marker for marker in markers if marker.name in BONY]
    write_marker_set(tmp_path / "markers.xml", bony)
    soft = write_marker_set(tmp_path / "soft.xml", [m for m in markers if m.name in SOFT], fixed=False)
    _append(tmp_path / "markers.xml", soft)
    factors = {body: np.array(STRETCHED.get(body, (1.0, 1.0, 1.0))) for body in generic.body_names}
    in_order = np.array(list(factors.values()))
    truth = scale_model(generic.with_markers(tuple(markers)), in_order, name="small", mass=60.0)
    shift = np.array([0.02, -0.01, 0.015])
    moved = (replace(m, offset=m.offset + shift * (m.name in SOFT)) for m in truth.markers)
    truth = truth.with_markers(tuple(moved))
    pose = dict(zip(truth.coordinate_names, truth.default_coordinates.tolist(), strict=True))
    pose |= {"pelvis_rotation": 2.5, "pelvis_tx": 3.0, "hip_flexion_r": 0.3, "lumbar_bending": 0.1}
    row = np.array([pose[name] for name in truth.coordinate_names])
    places = ForwardKinematics(truth)(torch.from_numpy(row)).markers.numpy()
    trial = MarkerTrajectories(
        truth.marker_names, np.repeat(places[None], 6, axis=0), 100.0, "ground", Source("static.trc", "trc")
    )
    write_trc(tmp_path / "static.trc", trial)
    tasks = "\n".join(_TASK.format(name) for name in BONY)
    (tmp_path / "setup.xml").write_text(SETUP.replace("MARKER_TASKS", tasks))
    return SmallPerson(tmp_path / "setup.xml", truth, factors, pose)


def _append(target: Path, source: Path) -> None:
    """The markers of one MarkerSet file after those of another."""
    document = ET.parse(target)
    document.find(".//objects").extend(ET.parse(source).find(".//objects"))
    document.write(target)
