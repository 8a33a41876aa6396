"""What a registration was made of: bodies and models told apart by what is in them."""

from __future__ import annotations

import hashlib
from importlib.metadata import version

import numpy as np

import odah
from odah.body.body_model import BodyModel
from odah.body.registration.marker_layout import topology_hash
from odah.osim.model import Model

_DIGITS = 9
"""Lengths and rotations of a model count to the nanometre, so that its hash is the same everywhere."""


def body_provenance(body: BodyModel) -> dict[str, str | int]:
    """Name, topology (see `topology_hash`) and SHA-256 of the arrays that shape and pose a body."""
    digest = hashlib.sha256()
    for name in ("v_template", "shapedirs", "joint_template", "joint_shapedirs", "lbs_weights", "posedirs"):
        array = getattr(body, name)
        if array is not None:
            digest.update(name.encode() + np.ascontiguousarray(array.cpu().numpy(), dtype="<f4").tobytes())
    return {
        "name": body.name,
        "topology": topology_hash(body.faces, body.num_vertices),
        "sha256": digest.hexdigest(),
        "betas": body.num_betas,
    }


def model_provenance(model: Model) -> dict[str, str]:
    """Name and SHA-256 of an OpenSim model's joints and markers: what a registration depends on."""
    digest = hashlib.sha256()
    for joint in model.joints:
        digest.update(f"{joint.name} {joint.parent} {joint.child} {joint.coordinate_names}".encode())
        for frame in (joint.T_parent, joint.T_child):
            digest.update((np.round(frame, _DIGITS) + 0.0).astype("<f8").tobytes())
    for marker in model.markers:
        digest.update(f"{marker.name} {marker.body}".encode())
        digest.update((np.round(marker.offset, _DIGITS) + 0.0).astype("<f8").tobytes())
    return {"name": model.name, "sha256": digest.hexdigest()}


def versions() -> dict[str, str]:
    return {"odah": odah.__version__, "scikit-learn": version("scikit-learn"), "numpy": np.__version__}
