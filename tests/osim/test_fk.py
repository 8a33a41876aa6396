"""Forward kinematics against OpenSim, and its properties as a function of tensors."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.osim import (
    Coupler,
    ForwardKinematics,
    Marker,
    full_body_model,
    read_model,
    scale_model,
    write_model,
)
from odah.osim.functions import LinearFunction, SimmSpline

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
SHARED_MODELS = sorted(SHARED.rglob("*.osim"))

SLIDER = """<OpenSimDocument Version="40000"><Model name="slider">
<BodySet><objects>
  <Body name="a"><mass>1</mass><mass_center>0 0 0</mass_center><inertia>1 1 1 0 0 0</inertia></Body>
  <Body name="b"><mass>1</mass><mass_center>0 0 0</mass_center><inertia>1 1 1 0 0 0</inertia></Body>
</objects></BodySet>
<JointSet><objects>
  <PinJoint name="turn"><socket_parent_frame>/ground</socket_parent_frame>
    <socket_child_frame>/bodyset/a</socket_child_frame>
    <coordinates><Coordinate name="angle"/></coordinates></PinJoint>
  <SliderJoint name="slide"><socket_parent_frame>/bodyset/a</socket_parent_frame>
    <socket_child_frame>/bodyset/b</socket_child_frame>
    <coordinates><Coordinate name="shift"/></coordinates></SliderJoint>
</objects></JointSet>
<ConstraintSet><objects><CoordinateCouplerConstraint name="coupler">
  <coupled_coordinates_function>
    <LinearFunction><coefficients>.2 .1</coefficients></LinearFunction>
  </coupled_coordinates_function>
  <independent_coordinate_names>angle</independent_coordinate_names>
  <dependent_coordinate_name>shift</dependent_coordinate_name>
  <scale_factor>1.5</scale_factor>
</CoordinateCouplerConstraint></objects></ConstraintSet>
</Model></OpenSimDocument>"""


@pytest.mark.shared
@pytest.mark.skipif(not SHARED_MODELS, reason="no models beside the project")
@pytest.mark.parametrize("path", SHARED_MODELS, ids=lambda path: path.stem)
def test_published_models_move_as_in_opensim(path, load_reference, random_coordinates, assert_same_pose):
    model = read_model(path)
    coordinates = random_coordinates(model, 200)
    expected = load_reference(path).poses(model, coordinates)
    assert_same_pose(ForwardKinematics(model)(torch.tensor(coordinates)), expected)


def test_own_model_moves_as_in_opensim(tmp_path, load_reference, random_coordinates, assert_same_pose):
    model = full_body_model()
    write_model(model, tmp_path / "full_body.osim")
    coordinates = random_coordinates(model, 200)
    expected = load_reference(tmp_path / "full_body.osim").poses(model, coordinates)
    assert_same_pose(ForwardKinematics(model)(torch.tensor(coordinates)), expected)


def test_every_joint_class_and_function_moves_as_in_opensim(
    joint_zoo, load_reference, random_coordinates, assert_same_pose, tmp_path
):
    for seed in range(4):
        path = tmp_path / f"zoo{seed}.osim"
        path.write_text(joint_zoo(seed))
        model = read_model(path)
        reference = load_reference(path)
        coordinates = random_coordinates(model, 20, seed)
        assert_same_pose(
            ForwardKinematics(model)(torch.tensor(coordinates)), reference.poses(model, coordinates)
        )
        kinds = [reference.model.getCoordinateSet().get(c.name).getMotionType() for c in model.coordinates]
        names = {1: "rotational", 2: "translational", 3: "coupled"}
        assert [c.motion_type for c in model.coordinates] == [names[kind] for kind in kinds]


@pytest.fixture(scope="module")
def fk():
    return ForwardKinematics(full_body_model())


@pytest.fixture(scope="module")
def q(random_coordinates):
    return torch.tensor(random_coordinates(full_body_model(), 12, seed=3))


@pytest.mark.parametrize("batch", [(), (1,), (3, 4), (2, 3, 2), (0,)])
def test_batch_shape_does_not_matter(fk, q, batch, assert_same_pose):
    count = int(np.prod(batch))
    flat = fk(q[:count])
    pose = fk(q[:count].reshape(*batch, 39))
    assert pose.body_rotmats.shape == (*batch, 22, 3, 3)
    assert pose.joints.shape == (*batch, 22, 3)
    assert pose.markers.shape == (*batch, 54, 3)
    assert_same_pose(pose, {name: values.numpy() for name, values in vars(flat).items()}, atol=1e-14)


def test_scale_factors_and_marker_offsets_broadcast_over_frames(fk, q, assert_same_pose):
    scales = torch.rand(4, 22, 3, dtype=torch.float64, generator=torch.manual_seed(0)) + 0.5
    offsets = 0.01 * torch.randn(54, 3, dtype=torch.float64, generator=torch.manual_seed(1))
    together = fk(q.reshape(3, 4, -1), scales, offsets)
    for k in range(4):
        alone = fk(q.reshape(3, 4, -1)[:, k], scales[k], offsets)
        assert_same_pose(
            alone, {name: values[:, k].numpy() for name, values in vars(together).items()}, 1e-13
        )
    one_pose = fk(q[0], scales)
    assert one_pose.body_rotmats.shape == (4, 22, 3, 3)
    assert_same_pose(fk(q[0], scales[2]), {name: v[2].numpy() for name, v in vars(one_pose).items()}, 1e-13)


def test_marker_offsets_move_markers_in_their_body(fk, q):
    offsets = torch.randn(54, 3, dtype=torch.float64, generator=torch.manual_seed(1))
    moved = fk(q, marker_offsets=offsets).markers - fk(q).markers
    bodies = [fk.model.body_names.index(marker.body) for marker in fk.model.markers]
    expected = torch.einsum("tmij,mj->tmi", fk(q).body_rotmats[:, bodies], offsets)
    torch.testing.assert_close(moved, expected, rtol=0, atol=1e-12)


def test_float32_is_good_to_micrometres(q):
    single = ForwardKinematics(full_body_model(), torch.float32)(q.float())
    double = ForwardKinematics(full_body_model())(q)
    assert single.markers.dtype == torch.float32
    torch.testing.assert_close(single.markers.double(), double.markers, rtol=0, atol=5e-6)


def test_gradients_match_finite_differences(fk, q):
    """Of everything, with respect to everything; the knees are bent to between the knots of their splines."""
    scales = torch.rand(22, 3, dtype=torch.float64, generator=torch.manual_seed(0)) + 0.5
    offsets = torch.zeros(54, 3, dtype=torch.float64)
    weights = torch.Generator().manual_seed(2)
    probes = {
        name: torch.randn(values.shape, dtype=torch.float64, generator=weights)
        for name, values in vars(fk(q[0])).items()
    }

    def probe(coordinates, scale_factors, marker_offsets):
        pose = fk(coordinates, scale_factors, marker_offsets)
        return torch.stack([(getattr(pose, name) * probes[name]).sum() for name in probes])

    inputs = [tensor.clone().requires_grad_() for tensor in (q[0], scales, offsets)]
    assert torch.autograd.gradcheck(probe, inputs, eps=1e-6, atol=1e-6)


def test_patella_follows_the_knee_whatever_its_coordinate_holds(fk, q, assert_same_pose):
    spoilt = q.clone()
    spoilt[:, fk.model.coordinate_names.index("knee_angle_l_beta")] = 1.7
    assert_same_pose(fk(spoilt), fk(q), atol=0)


def coupled_model(is_enforced=True):
    """The wrist follows the elbow through a scaled line, and forearm rotation follows the wrist."""
    model = full_body_model()
    line = LinearFunction((0.5, 0.1))
    couplers = (
        Coupler("second", "pro_sup_r", ("wrist_flex_r",), SimmSpline((-1.0, 0.0, 2.0), (0.0, 0.3, 0.5))),
        Coupler("first", "wrist_flex_r", ("elbow_flex_r",), line, scale=2.0, is_enforced=is_enforced),
    )
    return replace(model, couplers=couplers)


def test_couplers_that_rest_on_each_other(q):
    fk = ForwardKinematics(coupled_model())
    elbow, wrist, forearm = (
        fk.model.coordinate_names.index(name) for name in ("elbow_flex_r", "wrist_flex_r", "pro_sup_r")
    )
    coupled = fk.couple(q)
    expected_wrist = 2.0 * (0.5 * q[:, elbow] + 0.1)
    torch.testing.assert_close(coupled[:, wrist], expected_wrist)
    spline = SimmSpline((-1.0, 0.0, 2.0), (0.0, 0.3, 0.5)).pieces()
    np.testing.assert_allclose(coupled[:, forearm].numpy(), spline(expected_wrist.numpy()), atol=1e-14)
    untouched = [k for k in range(39) if k not in (wrist, forearm)]
    torch.testing.assert_close(coupled[:, untouched], q[:, untouched], rtol=0, atol=0)


def test_a_coupler_that_is_not_enforced_does_nothing(q):
    fk = ForwardKinematics(coupled_model(is_enforced=False))
    wrist = fk.model.coordinate_names.index("wrist_flex_r")
    torch.testing.assert_close(fk.couple(q)[:, wrist], q[:, wrist], rtol=0, atol=0)


@settings(max_examples=25, deadline=None)
@given(
    turn=st.lists(st.floats(-3, 3), min_size=3, max_size=3),
    shift=st.lists(st.floats(-40, 40), min_size=3, max_size=3),
)
def test_moving_the_root_moves_everything_rigidly(fk, q, turn, shift):
    moved = q.clone()
    moved[:, :6] = torch.tensor(turn + shift)
    before, after = fk(q), fk(moved)
    points_before, points_after = (
        torch.cat([p.joints, p.body_coms, p.markers], dim=1) for p in (before, after)
    )
    inverse = before.body_rotmats[:, :1].mT
    local_before = (inverse @ (points_before - before.body_positions[:, :1])[..., None])[..., 0]
    inverse = after.body_rotmats[:, :1].mT
    local_after = (inverse @ (points_after - after.body_positions[:, :1])[..., None])[..., 0]
    torch.testing.assert_close(local_after, local_before, rtol=0, atol=1e-12)
    torch.testing.assert_close(after.body_positions[:, 0], moved[:, 3:6], rtol=0, atol=0)


def test_rotations_are_rotations(fk, q):
    rotmats = fk(q).body_rotmats
    identity = torch.eye(3, dtype=torch.float64).expand_as(rotmats)
    torch.testing.assert_close(rotmats @ rotmats.mT, identity, rtol=0, atol=1e-13)
    assert (torch.linalg.det(rotmats) > 0).all()


def test_markers_on_ground_stay(fk, q):
    model = full_body_model()
    marker = Marker("plate", "ground", np.array([0.1, 0.0, -0.4]))
    markers = ForwardKinematics(model.with_markers((marker, *model.markers)))(q).markers
    np.testing.assert_array_equal(markers[:, 0], np.tile(marker.offset, (12, 1)))
    torch.testing.assert_close(markers[:, 1:], fk(q).markers)


def test_sliding_coupler_stretches_with_its_parent(load_reference, assert_same_pose, tmp_path):
    """A displacement set by a coupler grows with the body it happens on (OpenSim: uniform factors only)."""
    path = tmp_path / "slider.osim"
    path.write_text(SLIDER)
    model = read_model(path)
    factors = np.array([[1.3, 1.3, 1.3], [0.8, 0.9, 1.1]])
    reference = load_reference(path).scaled(model.body_names, factors, 2.0)
    scaled = scale_model(model, factors)
    q = torch.tensor([[0.7, 99.0], [-0.4, 99.0]], dtype=torch.float64)
    scales = torch.tensor(factors)
    pose = ForwardKinematics(model)(q, scales)
    assert_same_pose(ForwardKinematics(scaled)(q), pose, atol=1e-14)
    coupled = ForwardKinematics(model).couple(q, scales)
    theirs = reference.model.getConstraintSet().get(0)
    assert float(theirs.getPropertyByName("scale_factor").toString()) == pytest.approx(
        scaled.couplers[0].scale
    )
    assert_same_pose(pose, reference.poses(model, coupled.numpy()))
