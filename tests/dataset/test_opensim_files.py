"""A dataset's `.osim`, `.mot` and `.trc` in the OpenSim library itself."""

from pathlib import Path

import numpy as np
import opensim
import pytest

from odah.dataset.reader import Clip, Dataset
from odah.names import ROOT_TRANSLATIONS

pytestmark = pytest.mark.blender


@pytest.fixture(scope="module")
def model(tiny_dataset: Dataset) -> opensim.Model:
    (folder,) = (tiny_dataset.paths.root / "subjects").iterdir()
    model = opensim.Model(str(folder / "model.osim"))
    model.initSystem()
    return model


@pytest.fixture(scope="module")
def clip(tiny_dataset: Dataset) -> Clip:
    return next(clip for clip in tiny_dataset.clips if clip.record["action"] == "walking")


def file(clip: Clip, name: str) -> str:
    return str(Path(clip.folder) / name)


def test_the_motions_columns_are_the_models_coordinates(model: opensim.Model, clip: Clip) -> None:
    motion = opensim.TimeSeriesTable(file(clip, "kinematics.mot"))
    coordinates = model.getCoordinateSet()
    names = [coordinates.get(k).getName() for k in range(coordinates.getSize())]
    assert list(motion.getColumnLabels()) == names
    assert motion.getNumRows() == 3
    assert motion.getTableMetaDataAsString("inDegrees") == "yes"


def test_the_gui_reads_radians_and_metres_out_of_the_motion(model: opensim.Model, clip: Clip) -> None:
    storage = opensim.Storage(file(clip, "kinematics.mot"))
    assert storage.isInDegrees()
    model.getSimbodyEngine().convertDegreesToRadians(storage)
    names = [storage.getColumnLabels().get(k) for k in range(1, storage.getColumnLabels().getSize())]
    values = np.array(
        [[storage.getStateVector(t).getData().get(c) for c in range(len(names))] for t in range(3)]
    )
    independent = [k for k, name in enumerate(names) if not name.endswith("_beta")]
    expected = np.asarray(clip.labels["coordinates"])
    np.testing.assert_allclose(values[:, independent], expected[:, independent], atol=1e-5)
    assert abs(expected[:, names.index(ROOT_TRANSLATIONS[1])]).max() > 0.5  # the pelvis is above the floor


def test_markers_are_the_models_and_where_they_were_written(model: opensim.Model, clip: Clip) -> None:
    data = opensim.MarkerData(file(clip, "markers.trc"))
    names = [data.getMarkerNames().get(k) for k in range(data.getNumMarkers())]
    markers = model.getMarkerSet()
    assert names == [markers.get(k).getName() for k in range(markers.getSize())]
    assert data.getUnits().getLabel() == "millimeters"
    table = opensim.TimeSeriesTableVec3(file(clip, "markers.trc"))
    first = table.getRowAtIndex(1)
    written = np.array([[first.getElt(0, m)[axis] for axis in range(3)] for m in range(len(names))])
    np.testing.assert_allclose(written / 1e3, np.asarray(clip.labels["markers"])[1], atol=1e-5)
