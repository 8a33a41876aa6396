"""Scaling a model body by body, with the rules of OpenSim's `Model::scale`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from odah.osim.functions import LinearFunction, multiplied
from odah.osim.model import AXES, GROUND, Body, Coupler, Joint, Model, TransformAxis, motion_type


def scales_with_parent(axis: TransformAxis) -> bool:
    """Whether scaling the parent body scales this translation: all but a coordinate's own value."""
    return not (isinstance(axis.function, LinearFunction) and axis.function.is_identity)


def coupled_axis(model: Model, coupler: Coupler) -> tuple[str, np.ndarray]:
    """The body and the axis (3,) on it whose stretching also stretches what a coupler sets.

    A displacement along an axis is stretched with the joint's parent body, anything else with ground,
    which is never stretched. (OpenSim's `CoordinateCouplerConstraint`, for which it refuses a body that is
    not stretched alike in all directions.)
    """
    name = coupler.dependent
    for joint in model.joints:
        if motion_type(joint, name) == "translational":
            axis = next(axis.axis for axis in joint.translations if name in axis.coordinates)
            return joint.parent, axis
    return GROUND, AXES[0]


def scale_model(
    model: Model, scale_factors: np.ndarray, name: str | None = None, mass: float | None = None
) -> Model:
    """The model with every body stretched along its own axes.

    Offsets on a body (joint frames, markers, com) are multiplied axis by axis. A translation function
    is multiplied by the length of its axis stretched with the parent body, unless it is a coordinate's
    own value. That is OpenSim 4.6's rule for axes along x, y or z, which all published models have; its
    factor for skew axes is not even 1 where nothing is scaled (opensim-core issue 4327), so not copied.

    Each body keeps its share of the mass, and its inertia is scaled as a cylinder's
    (`Body::scaleInertialProperties` with preserved mass distribution).

    Args:
        scale_factors: (K, 3) in the order of the bodies, 1 = unchanged.
        name: of the new model; the old name if None.
        mass: of the new model in kg; unchanged if None.
    """
    scale_factors = np.asarray(scale_factors, dtype=np.float64)
    if scale_factors.shape != (len(model.bodies), 3):
        raise ValueError(f"scale_factors {scale_factors.shape}, expected ({len(model.bodies)}, 3)")
    scales = dict(zip(model.body_names, scale_factors, strict=True)) | {GROUND: np.ones(3)}
    density = 1.0 if mass is None else mass / model.mass
    return replace(
        model,
        name=model.name if name is None else name,
        bodies=tuple(_scaled_body(body, scales[body.name], density) for body in model.bodies),
        joints=tuple(_scaled_joint(joint, scales) for joint in model.joints),
        markers=tuple(replace(m, offset=m.offset * scales[m.body]) for m in model.markers),
        couplers=tuple(_scaled_coupler(model, coupler, scales) for coupler in model.couplers),
    )


def _scaled_body(body: Body, scale: np.ndarray, density: float) -> Body:
    inertia = scaled_inertia(body.inertia, body.mass, scale) * density
    return replace(body, mass=body.mass * density, com=body.com * scale, inertia=inertia)


def _scaled_joint(joint: Joint, scales: dict[str, np.ndarray]) -> Joint:
    parent, child = scales[joint.parent], scales[joint.child]
    return replace(
        joint,
        T_parent=_with_scaled_origin(joint.T_parent, parent),
        T_child=_with_scaled_origin(joint.T_child, child),
        translations=tuple(_scaled_translation(axis, parent) for axis in joint.translations),
    )


def _with_scaled_origin(T: np.ndarray, scale: np.ndarray) -> np.ndarray:
    scaled = T.copy()
    scaled[:3, 3] *= scale
    return scaled


def _scaled_translation(axis: TransformAxis, scale: np.ndarray) -> TransformAxis:
    if not scales_with_parent(axis):
        return axis
    return replace(axis, function=multiplied(axis.function, float(np.linalg.norm(axis.axis * scale))))


def _scaled_coupler(model: Model, coupler: Coupler, scales: dict[str, np.ndarray]) -> Coupler:
    body, axis = coupled_axis(model, coupler)
    return replace(coupler, scale=coupler.scale * float(np.linalg.norm(axis * scales[body])))


def scaled_inertia(inertia: np.ndarray, mass: float, scale: np.ndarray) -> np.ndarray:
    """Inertia (6,) xx yy zz xy xz yz about the com of a body of unchanged mass, stretched by `scale` (3,).

    A body scaled alike along all axes keeps its shape. Any other is taken for a solid cylinder along
    the axis of least inertia, whose radius and length follow from that inertia and the first of the
    other two.
    """
    if mass <= 0:
        return np.zeros(6)
    if np.allclose(np.abs(scale), abs(scale[0]), rtol=0, atol=1e-14):
        return inertia * scale[0] ** 2
    along = int(np.argmin(inertia[:3]))
    across = [k for k in range(3) if k != along]
    radius_sq = max(2 * inertia[along] / mass, 0.0)
    length_sq = max(12 * (inertia[across[0]] / mass - radius_sq / 4), 0.0)
    radius_sq *= scale[across[0]] * scale[across[1]]
    length_sq *= scale[along] ** 2
    scaled = np.empty(6)
    scaled[across] = mass * (length_sq / 12 + radius_sq / 4)
    scaled[along] = mass * radius_sq / 2
    scaled[3:] = inertia[3:] * scale[[0, 0, 1]] * scale[[1, 2, 2]]
    return scaled
