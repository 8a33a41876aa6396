"""Written models: read back the same, loaded by OpenSim without a word."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.osim import ForwardKinematics, full_body_model, read_model, scale_model, write_model
from odah.osim.model import euler_xyz_to_rotmat, rotmat_to_euler_xyz


def scaled_model():
    factors = np.random.default_rng(5).uniform(0.8, 1.2, (22, 3))
    return scale_model(full_body_model(), factors, name="<subject&1>", mass=70.0)


@pytest.mark.parametrize("model", [full_body_model(), scaled_model()], ids=["generic", "scaled"])
def test_read_back_is_the_same(model, tmp_path, random_coordinates, assert_same_pose):
    write_model(model, tmp_path / "model.osim")
    back = read_model(tmp_path / "model.osim")
    assert (back.name, back.publications) == (model.name, model.publications)
    assert back.coordinates == model.coordinates
    assert back.couplers == model.couplers
    assert (back.body_names, back.joint_names, back.marker_names) == (
        model.body_names,
        model.joint_names,
        model.marker_names,
    )
    for body, original in zip(back.bodies, model.bodies, strict=True):
        assert body.mass == original.mass
        np.testing.assert_array_equal(body.com, original.com)
        np.testing.assert_array_equal(body.inertia, original.inertia)
    for marker, original in zip(back.markers, model.markers, strict=True):
        np.testing.assert_array_equal(marker.offset, original.offset)
    for joint, original in zip(back.joints, model.joints, strict=True):
        axes = zip(
            joint.rotations + joint.translations, original.rotations + original.translations, strict=True
        )
        assert all(axis.function == other.function for axis, other in axes)
    q = torch.tensor(random_coordinates(model, 20))
    assert_same_pose(ForwardKinematics(back)(q), ForwardKinematics(model)(q), atol=1e-13)


def test_every_joint_class_survives_the_round_trip(joint_zoo, tmp_path, random_coordinates, assert_same_pose):
    (tmp_path / "zoo.osim").write_text(joint_zoo(1))
    model = read_model(tmp_path / "zoo.osim")
    write_model(model, tmp_path / "again.osim")
    q = torch.tensor(random_coordinates(model, 20))
    again = read_model(tmp_path / "again.osim")
    assert_same_pose(ForwardKinematics(again)(q), ForwardKinematics(model)(q), atol=1e-12)
    assert again.coordinates == model.coordinates


def test_same_model_same_bytes(tmp_path):
    for name in ("a.osim", "b.osim"):
        write_model(scaled_model(), tmp_path / name)
    write_model(read_model(tmp_path / "a.osim"), tmp_path / "c.osim")
    content = (tmp_path / "a.osim").read_bytes()
    assert content == (tmp_path / "b.osim").read_bytes()
    assert b"-0.0 " not in content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.osim", "b.osim", "c.osim"]


def test_opensim_loads_it_without_warnings(opensim, tmp_path):
    write_model(scaled_model(), tmp_path / "model.osim")
    log = tmp_path / "opensim.log"
    opensim.Logger.setLevelString("Warn")
    opensim.Logger.addFileSink(str(log))
    try:
        model = opensim.Model(str(tmp_path / "model.osim"))
        state = model.initSystem()
    finally:
        opensim.Logger.removeFileSink()
        opensim.Logger.setLevelString("Off")
    assert log.read_text() == ""
    assert model.getTotalMass(state) == pytest.approx(70.0)
    assert model.getNumCoordinates() == 39
    assert model.getWorkingState().getNQ() >= 39


def test_names_that_opensim_refuses_are_mended(opensim, tmp_path):
    path = tmp_path / "model.osim"
    write_model(replace(full_body_model(), name="S1 take/2*"), path)
    assert opensim.Model(str(path)).getName() == read_model(path).name == "S1_take_2_"


def test_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.osim"
    write_model(full_body_model(), path)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_model(replace(full_body_model(), name=None), path)  # pyright: ignore[reportArgumentType]
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


angles = st.floats(-np.pi, np.pi)


@settings(deadline=None)
@given(angles, st.one_of(st.just(np.pi / 2), st.just(-np.pi / 2), angles), angles)
def test_orientation_angles_give_back_the_rotation(x, y, z):
    rotmat = euler_xyz_to_rotmat(np.array([x, y, z]))
    np.testing.assert_allclose(euler_xyz_to_rotmat(rotmat_to_euler_xyz(rotmat)), rotmat, atol=1e-11)
