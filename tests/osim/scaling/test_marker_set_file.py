"""MarkerSet files of every version on a model: the same markers as OpenSim reads from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from odah.errors import InputError
from odah.osim.full_body import full_body_model
from odah.osim.model import GROUND, Marker
from odah.osim.parse import read_model
from odah.osim.scaling.marker_set_file import MarkedModel, fixed_markers
from odah.osim.setup_files import write_marker_set
from odah.osim.write import write_model

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "opensim_models"
SCALE = DATA / "Pipelines" / "Rajagopal" / "Scale"
NEEDS_DATA = pytest.mark.skipif(not DATA.exists(), reason="the shared recordings are not beside the project")


@pytest.mark.shared
@NEEDS_DATA
@pytest.mark.parametrize(
    ("marker_set", "model"),
    [
        (SCALE / "markerset_walk_preScale.xml", "Rajagopal/Rajagopal2016.osim"),  # version 30000
        (SCALE / "subject_scaled_walk_markerset.xml", "Rajagopal/Rajagopal2016.osim"),  # version 40500
        (
            DATA / "Pipelines/Gait2354_Simbody/gait2354_Scale_MarkerSet.xml",  # version 20302
            "Gait2354_Simbody/gait2354_simbody.osim",
        ),
    ],
)
def test_marker_sets_are_those_of_opensim(opensim, marker_set: Path, model: str):
    path = DATA / "Models" / model
    marked = MarkedModel(read_model(path), fixed_markers(path)).with_marker_set(marker_set)
    reference = opensim.Model(str(path))
    reference.initSystem()
    reference.updateMarkerSet(opensim.MarkerSet(str(marker_set)))
    theirs = [reference.getMarkerSet().get(k) for k in range(reference.getMarkerSet().getSize())]
    assert list(marked.model.marker_names) == [marker.getName() for marker in theirs]
    for marker, expected in zip(marked.model.markers, theirs, strict=True):
        assert marker.body == expected.getParentFrame().findBaseFrame().getName()
        np.testing.assert_allclose(marker.offset, expected.get_location().to_numpy(), atol=1e-12)
        assert (marker.name in marked.fixed) == expected.get_fixed()
    assert bool(marked.fixed) == ("Rajagopal" in model)


def test_markers_are_replaced_and_added(tmp_path: Path):
    model = full_body_model()
    first, *others = model.markers
    moved = replace(first, body="torso", offset=np.array([0.1, 0.2, 0.3]))
    path = write_marker_set(tmp_path / "set.xml", [moved, Marker("new", GROUND, np.zeros(3))])
    marked = MarkedModel(model, frozenset({first.name, others[0].name})).with_marker_set(path)
    assert marked.model.marker_names == (*(m.name for m in others), first.name, "new")
    assert marked.model.markers[-2].body == "torso"
    assert marked.model.markers[-1].body == GROUND
    assert marked.fixed == {first.name, "new", others[0].name}
    loose = write_marker_set(tmp_path / "loose.xml", [moved], fixed=False)
    assert marked.with_marker_set(loose).fixed == {"new", others[0].name}


def test_a_model_file_says_which_markers_are_fixed(tmp_path: Path):
    model = full_body_model()
    write_model(model, tmp_path / "model.osim")
    assert fixed_markers(tmp_path / "model.osim") == frozenset()
    text = (tmp_path / "model.osim").read_text()
    (tmp_path / "model.osim").write_text(text.replace("<fixed>false", "<fixed>true", 2))
    assert fixed_markers(tmp_path / "model.osim") == set(model.marker_names[:2])


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        (
            '<Marker name="a"><body>tail</body></Marker>',
            r"Marker 'a', body: found 'tail', expected a body of",
        ),
        ('<Marker name="a"/>', r"Marker 'a', body: found '', expected a body"),
        ("<Marker><body>torso</body></Marker>", r"Marker: found no name, expected a name"),
        (
            '<Marker name="a"><body>torso</body><location>0 1</location></Marker>',
            r"Marker 'a', location: found 2 numbers, expected 3",
        ),
        (
            '<Marker name="a"><body>torso</body><fixed>maybe</fixed></Marker>',
            r"Marker 'a', fixed: found 'maybe', expected true or false",
        ),
    ],
)
def test_bad_markers_are_named(tmp_path: Path, inside: str, message: str):
    path = tmp_path / "set.xml"
    path.write_text(f"<OpenSimDocument><MarkerSet><objects>{inside}</objects></MarkerSet></OpenSimDocument>")
    with pytest.raises(InputError, match=message):
        MarkedModel(full_body_model()).with_marker_set(path)
