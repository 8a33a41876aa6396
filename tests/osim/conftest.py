"""OpenSim itself as the reference: what it says about a model file, pose by pose, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from odah.osim import ForwardKinematics, Model, SkeletonPose


@dataclass
class Reference:
    """A model loaded in OpenSim."""

    opensim: object
    model: object

    def __post_init__(self) -> None:
        self.state = self.model.initSystem()

    def poses(self, ours: Model, coordinates: np.ndarray) -> dict[str, np.ndarray]:
        """The fields of a `SkeletonPose` for (T, C) coordinates that satisfy the couplers, by our names."""
        frames = [self._pose(ours, row) for row in coordinates]
        return {name: np.array([frame[name] for frame in frames]) for name in frames[0]}

    def _pose(self, ours: Model, row: np.ndarray) -> dict[str, list[np.ndarray]]:
        model, state = self.model, self.state
        for name, value in zip(ours.coordinate_names, row, strict=True):
            coordinate = model.getCoordinateSet().get(name)
            coordinate.setLocked(state, False)
            coordinate.setValue(state, float(value), False)
        model.realizePosition(state)
        bodies = [model.getBodySet().get(name) for name in ours.body_names]
        joints = [model.getJointSet().get(name) for name in ours.joint_names]
        markers = [model.getMarkerSet().get(name) for name in ours.marker_names]
        transforms = [body.getTransformInGround(state) for body in bodies]
        return {
            "body_rotmats": [rotmat(transform.R()) for transform in transforms],
            "body_positions": [transform.p().to_numpy() for transform in transforms],
            "joints": [joint.getChildFrame().getPositionInGround(state).to_numpy() for joint in joints],
            "body_coms": [
                body.findStationLocationInGround(state, body.getMassCenter()).to_numpy() for body in bodies
            ],
            "markers": [marker.getLocationInGround(state).to_numpy() for marker in markers],
        }

    def scaled(self, names: tuple[str, ...], scale_factors: np.ndarray, mass: float) -> Reference:
        """A copy scaled by OpenSim with preserved mass distribution."""
        copy = type(self.model)(self.model)
        scale_set = self.opensim.ScaleSet()
        for name, factors in zip(names, scale_factors, strict=True):
            scale = self.opensim.Scale()
            scale.setSegmentName(name)
            scale.setScaleFactors(self.opensim.Vec3(*map(float, factors)))
            scale.setApply(True)
            scale_set.cloneAndAppend(scale)
        assert copy.scale(copy.initSystem(), scale_set, True, mass)
        return Reference(self.opensim, copy)


def rotmat(rotation: object) -> np.ndarray:
    return np.array([[rotation.get(i, j) for j in range(3)] for i in range(3)])


@pytest.fixture(scope="session")
def opensim():
    module = pytest.importorskip("opensim", reason="OpenSim is the reference of these tests")
    module.Logger.setLevelString("Off")
    return module


@pytest.fixture(scope="session")
def load_reference(opensim) -> Callable[[Path], Reference]:
    """Each file is loaded once a session."""
    loaded: dict[Path, Reference] = {}

    def load(path: Path) -> Reference:
        if path not in loaded:
            loaded[path] = Reference(opensim, opensim.Model(str(path)))
        return loaded[path]

    return load


@pytest.fixture(scope="session")
def random_coordinates() -> Callable[..., np.ndarray]:
    def draw(model: Model, count: int, seed: int = 0) -> np.ndarray:
        """(count, C) within the ranges (at most 3 rad or m), couplers satisfied."""
        low, high = np.clip(model.coordinate_ranges, -3, 3).T
        drawn = np.random.default_rng(seed).uniform(low, high, (count, len(low)))
        fk = ForwardKinematics(model)
        return fk.couple(fk.coms.new_tensor(drawn)).numpy()

    return draw


@pytest.fixture(scope="session")
def assert_same_pose() -> Callable[..., None]:
    def compare(pose: SkeletonPose, expected: SkeletonPose | dict, atol: float = 1e-9) -> None:
        fields = expected if isinstance(expected, dict) else vars(expected)
        for name, values in fields.items():
            ours = getattr(pose, name).detach().numpy()
            theirs = np.asarray(values).reshape(ours.shape)
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=atol, err_msg=name)

    return compare


JOINT_CLASSES = {
    "FreeJoint": 6, "PinJoint": 1, "SliderJoint": 1, "UniversalJoint": 2, "BallJoint": 3,
    "GimbalJoint": 3, "PlanarJoint": 3, "WeldJoint": 0,
    **{f"CustomJoint {k}": 2 for k in range(6)},
}  # fmt: skip
LINEAR = "<LinearFunction><coefficients>1 0</coefficients></LinearFunction>"
FUNCTIONS = (
    LINEAR,
    "<LinearFunction><coefficients>-1 0</coefficients></LinearFunction>",
    "<LinearFunction><coefficients>2 .1</coefficients></LinearFunction>",
    "<LinearFunction/>",
    "<Constant><value>.3</value></Constant>",
    "<PolynomialFunction><coefficients>.3 .2 -.1 .05</coefficients></PolynomialFunction>",
    f"<MultiplierFunction><function>{LINEAR}</function><scale>.7</scale></MultiplierFunction>",
    "<SimmSpline><x>-1 -.3 .2 .9 1</x><y>.1 .2 .3 0 -.2</y></SimmSpline>",
    "<SimmSpline><x>-.5 .9</x><y>.1 .2</y></SimmSpline>",
    "<SimmSpline><x>-.5 .1 .9</x><y>.1 .2 -.1</y></SimmSpline>",
    "<PiecewiseLinearFunction><x>-.5 .1 .9</x><y>.1 .2 -.1</y></PiecewiseLinearFunction>",
    "",
)


class JointZoo:
    """A chain of one joint of every class, with random frames, axes and functions, as `.osim` text."""

    def __init__(self, seed: int, skew_translations: bool) -> None:
        self.random = np.random.default_rng(seed)
        self.skew_translations = skew_translations

    def vector(self, size: float) -> str:
        return " ".join(map(repr, self.random.uniform(-size, size, 3).tolist()))

    def frame(self, name: str, parent: str) -> str:
        place = f"<translation>{self.vector(0.3)}</translation><orientation>{self.vector(3.0)}</orientation>"
        return (
            f'<PhysicalOffsetFrame name="{name}"><socket_parent>{parent}</socket_parent>{place}'
            "</PhysicalOffsetFrame>"
        )

    def transform(self, coordinates: list[str]) -> str:
        text = ""
        for k in range(6):
            name = f"{('rotation', 'translation')[k // 3]}{k % 3 + 1}"
            axis = self.vector(1.0)
            if k >= 3 and not self.skew_translations:
                axis = " ".join(map(str, self.random.choice([-1, 1]) * np.eye(3)[k - 3]))
            function = LINEAR if k < 2 else FUNCTIONS[self.random.integers(len(FUNCTIONS))]
            inputs = "" if "Constant" in function else coordinates[k % 2]
            text += (
                f'<TransformAxis name="{name}"><coordinates>{inputs}</coordinates><axis>{axis}</axis>'
                f"{function}</TransformAxis>"
            )
        return f"<SpatialTransform>{text}</SpatialTransform>"

    def joint(self, k: int, parent: str, kind: str, num_coordinates: int) -> str:
        names = [f"q{k}_{i}" for i in range(num_coordinates)]
        listed = "".join(f'<Coordinate name="{name}"><range>-2 2</range></Coordinate>' for name in names)
        transform = self.transform(names) if kind == "CustomJoint" else ""
        frames = self.frame("p", parent) + self.frame("c", f"/bodyset/b{k}")
        return (
            f'<{kind} name="j{k}"><socket_parent_frame>p</socket_parent_frame>'
            f"<socket_child_frame>c</socket_child_frame><coordinates>{listed}</coordinates>"
            f"<frames>{frames}</frames>{transform}</{kind}>"
        )

    def document(self) -> str:
        bodies = joints = markers = ""
        parent = "/ground"
        for k, (kind, num_coordinates) in enumerate(JOINT_CLASSES.items()):
            bodies += (
                f'<Body name="b{k}"><mass>{k + 1}</mass><mass_center>{self.vector(0.1)}</mass_center>'
                "<inertia>1 1.1 1.2 .01 .02 .03</inertia></Body>"
            )
            joints += self.joint(k, parent, kind.split()[0], num_coordinates)
            parent = f"/bodyset/b{k}"
            markers += (
                f'<Marker name="m{k}"><socket_parent_frame>{parent}</socket_parent_frame>'
                f"<location>{self.vector(0.2)}</location></Marker>"
            )
        sets = (("BodySet", bodies), ("JointSet", joints), ("MarkerSet", markers))
        inner = "".join(f"<{tag}><objects>{objects}</objects></{tag}>" for tag, objects in sets)
        return f'<OpenSimDocument Version="40000"><Model name="zoo">{inner}</Model></OpenSimDocument>'


@pytest.fixture(scope="session")
def joint_zoo() -> Callable[..., str]:
    return lambda seed, skew_translations=True: JointZoo(seed, skew_translations).document()
