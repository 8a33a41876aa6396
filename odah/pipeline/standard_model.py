"""Skeletons solved elsewhere, brought to the dataset's order of names and to its markers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from odah.body.registration import Registration
from odah.errors import InputError
from odah.osim import Marker, Model, full_body_model
from odah.osim.kinematics import Kinematics
from odah.osim.scale import recovered_scale_factors


def standard_kinematics(solved: Kinematics, registration: Registration) -> Kinematics:
    """The same motion on a model whose parts are in the full-body model's order, with the registered markers.

    Raises:
        InputError: the model is not a (scaled) full-body model.
    """
    generic = full_body_model()
    model = _reordered(solved.model, generic, solved.source.path)
    factors = solved.scale_factors
    if np.allclose(factors, 1):
        factors = recovered_scale_factors(model, generic)
    else:
        factors = factors[[solved.model.body_names.index(name) for name in generic.body_names]]
    columns = [solved.model.coordinate_names.index(name) for name in generic.coordinate_names]
    return replace(
        solved,
        model=model.with_markers(scaled_markers(registration.markers, model, factors)),
        coordinates=solved.coordinates[:, columns],
        scale_factors=factors,
        model_xml=None,
    )


def _reordered(model: Model, generic: Model, where: str) -> Model:
    parts = {}
    for kind in ("bodies", "joints", "coordinates"):
        by_name = {part.name: part for part in getattr(model, kind)}
        wanted = [part.name for part in getattr(generic, kind)]
        missing = [name for name in wanted if name not in by_name]
        if missing or len(by_name) != len(wanted):
            found = f"no {missing[0]!r}" if missing else f"{len(by_name)} {kind}"
            raise InputError(
                f"{where}: {kind} of its model", found, f"the full-body model's {len(wanted)} {kind}"
            )
        parts[kind] = tuple(by_name[name] for name in wanted)
    return replace(model, **parts)


def scaled_markers(markers: tuple[Marker, ...], model: Model, factors: np.ndarray) -> tuple[Marker, ...]:
    """Markers of the unscaled model where the scaled one (K, 3) carries them."""
    rows = {name: k for k, name in enumerate(model.body_names)}
    return tuple(replace(marker, offset=marker.offset * factors[rows[marker.body]]) for marker in markers)
