"""Skeletons solved elsewhere, brought to the dataset's model, its order of names and its markers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from odah.body.registration import Registration
from odah.osim import Model, full_body_model
from odah.osim.kinematics import Kinematics
from odah.osim.scale import recovered_scale_factors, scaled_markers
from odah.osim.transfer import transfer_kinematics

_PARTS = ("bodies", "joints", "coordinates")


def standard_kinematics(solved: Kinematics, registration: Registration) -> Kinematics:
    """The same motion on a scaled full-body model, in its order, with the registered markers.

    A model with the bodies, joints and coordinates of the full-body one is kept as it is; from any other the
    motion is transferred (`odah.osim.transfer`), which depends on that model and each frame alone.

    Raises:
        InputError: another model is no person's. OdahError: no solution.
    """
    generic = full_body_model()
    bring = _reordered if _has_same_parts(solved.model, generic) else transfer_kinematics
    standard = bring(solved, generic)
    markers = scaled_markers(registration.markers, standard.model, standard.scale_factors)
    return replace(standard, model=standard.model.with_markers(markers), model_xml=None)


def _has_same_parts(model: Model, generic: Model) -> bool:
    return all(
        sorted(part.name for part in getattr(model, kind))
        == sorted(part.name for part in getattr(generic, kind))
        for kind in _PARTS
    )


def _reordered(solved: Kinematics, generic: Model) -> Kinematics:
    """The same, its parts in `generic`'s order."""
    parts = {}
    for kind in _PARTS:
        by_name = {part.name: part for part in getattr(solved.model, kind)}
        parts[kind] = tuple(by_name[part.name] for part in getattr(generic, kind))
    model, factors = replace(solved.model, **parts), solved.scale_factors
    if np.allclose(factors, 1):
        factors = recovered_scale_factors(model, generic)
    else:
        factors = factors[[solved.model.body_names.index(name) for name in generic.body_names]]
    columns = [solved.model.coordinate_names.index(name) for name in generic.coordinate_names]
    return replace(solved, model=model, coordinates=solved.coordinates[:, columns], scale_factors=factors)
