from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from odah.body.registration import load_registration
from odah.errors import InputError
from odah.motion.types import Source
from odah.osim import full_body_model, read_model, scale_model
from odah.osim.kinematics import Kinematics, load_opensim_motion
from odah.osim.setup_files import read_scale_set
from odah.pipeline.standard_model import standard_kinematics


def motion_of(model, factors: np.ndarray) -> Kinematics:
    values = np.zeros((2, len(model.coordinates)))
    values[1] = np.linspace(0.01, 0.39, len(model.coordinates))
    return Kinematics(model, values, 60.0, Source("made.mot", "mot"), 0.0, factors)


def test_parts_in_another_order_are_put_in_ours() -> None:
    generic = full_body_model()
    factors = np.full((22, 3), 1.1)
    scaled = scale_model(generic, factors)
    shuffled = replace(
        scaled,
        bodies=scaled.bodies[::-1],
        joints=scaled.joints[::-1],
        coordinates=scaled.coordinates[::-1],
    )
    found = standard_kinematics(motion_of(shuffled, np.ones((22, 3))), load_registration())
    assert found.model.coordinate_names == generic.coordinate_names
    assert found.model.joint_names == generic.joint_names
    np.testing.assert_allclose(found.coordinates[1], np.linspace(0.01, 0.39, 39)[::-1])
    np.testing.assert_allclose(found.scale_factors, factors)
    assert found.model.marker_names == tuple(marker.name for marker in load_registration().markers)


def test_another_model_becomes_a_scaled_full_body_one_with_the_registered_markers(shared_data: Path) -> None:
    model = read_model(shared_data / "opencap_processing/OpenSimPipeline/Models/LaiUhlrich2022.osim")
    solved = motion_of(model, np.ones((len(model.bodies), 3)))
    found = standard_kinematics(replace(solved, coordinates=0.3 * solved.coordinates), load_registration())
    assert found.model.coordinate_names == full_body_model().coordinate_names
    assert found.model.marker_names == tuple(marker.name for marker in load_registration().markers)
    assert found.scale_factors.shape == (22, 3)
    assert any("LaiUhlrich2022" in note for note in found.notes)


def test_what_is_no_persons_model_is_refused_by_name() -> None:
    full = full_body_model()
    bodies = tuple(replace(body, name=f"part{k}") for k, body in enumerate(full.bodies))
    names = dict(zip(full.body_names, (body.name for body in bodies), strict=True))
    joints = tuple(
        replace(joint, parent=names.get(joint.parent, joint.parent), child=names[joint.child])
        for joint in full.joints
    )
    with pytest.raises(InputError, match=r"made\.mot: .* of its model"):
        standard_kinematics(
            motion_of(replace(full, bodies=bodies, joints=joints, markers=()), np.ones((22, 3))),
            load_registration(),
        )


def test_factors_of_a_real_opensim_result_are_those_opensim_applied(shared_data: Path) -> None:
    folder = shared_data / "opensim_models"
    reference = folder / "reference_ik_opensim_4.6"
    solved = load_opensim_motion(reference / "ik_output_walk.mot", reference / "subject_scaled_walk.osim")
    found = standard_kinematics(solved, load_registration())
    applied = read_scale_set(folder / "Pipelines/Rajagopal/Scale/scaleSet_applied_walk.xml")
    expected = np.array([applied[body] for body in found.model.body_names])
    np.testing.assert_allclose(found.scale_factors, expected, atol=1e-4)
