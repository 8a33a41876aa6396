"""Scaling a model body by body, with the rules of OpenSim's `Model::scale`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from odah.errors import InputError
from odah.osim.functions import LinearFunction, multiplied
from odah.osim.model import AXES, GROUND, Body, Coupler, Joint, Marker, Model, TransformAxis, motion_type

_NO_EXTENT = 5e-4
"""m; a body whose points span less along an axis does not tell that axis's factor."""
_LARGEST_SHEAR = 1.5


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


def recovered_scale_factors(model: Model, generic: Model) -> np.ndarray:
    """(K, 3) factors that make `generic`'s bodies those of `model`, matched by name, in `model`'s order.

    Read off the offsets that scaling multiplies: joint frames and centres of mass, by least squares
    along each axis; exact where `model` was scaled from `generic`. An axis along which a body has no
    extent takes the mean of its other axes; no factor is more than 1.5 times off that mean. A body
    without any extent, or which `generic` lacks, keeps 1.

    Raises:
        InputError: a body is mirrored or shrunk to nothing.
    """
    factors = np.ones((len(model.bodies), 3))
    for k, name in enumerate(model.body_names):
        found, known = _offsets_on(model, name), _offsets_on(generic, name)
        shared = [key for key in known if key in found]
        scaled, reference = (
            np.array([offsets[key] for key in shared]).reshape(-1, 3) for offsets in (found, known)
        )
        extent = (reference**2).sum(axis=0)
        has_extent = extent > _NO_EXTENT**2
        if not has_extent.any():
            continue
        ratio = (scaled * reference).sum(axis=0)[has_extent] / extent[has_extent]
        mean = float(np.average(ratio, weights=extent[has_extent]))
        if mean <= 0:
            raise InputError(
                f"model {model.name}, body {name}", f"a scale factor of {mean:.3g}", "a positive one"
            )
        factors[k] = mean
        factors[k, has_extent] = np.clip(ratio, mean / _LARGEST_SHEAR, mean * _LARGEST_SHEAR)
    return factors


def _offsets_on(model: Model, body: str) -> dict[str, np.ndarray]:
    """Points (3,) in a body's frame, by what they are; none where the model lacks the body."""
    offsets = {f"{other.name} com": other.com for other in model.bodies if other.name == body}
    for joint in model.joints:
        if joint.parent == body:
            offsets[f"{joint.name} parent"] = joint.T_parent[:3, 3]
        if joint.child == body:
            offsets[f"{joint.name} child"] = joint.T_child[:3, 3]
    return offsets


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


def scaled_markers(markers: tuple[Marker, ...], model: Model, factors: np.ndarray) -> tuple[Marker, ...]:
    """Markers of the unscaled model where the scaled one (K, 3) carries them."""
    rows = {name: k for k, name in enumerate(model.body_names)}
    return tuple(replace(marker, offset=marker.offset * factors[rows[marker.body]]) for marker in markers)
