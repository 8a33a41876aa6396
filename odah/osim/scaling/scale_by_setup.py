"""A person's model from OpenSim's ScaleTool set-ups, without OpenSim's tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from odah.errors import InputError
from odah.osim.model import GROUND, Coordinate, Model
from odah.osim.parse import read_model
from odah.osim.root_pose import FREE_ANGLE, FREE_LENGTH
from odah.osim.scale import scale_model
from odah.osim.scaling.marker_placer import place_markers
from odah.osim.scaling.marker_set_file import MarkedModel, fixed_markers
from odah.osim.scaling.measurement_scaling import measured_scale_factors, scale_by_factors
from odah.osim.scaling.plausible import extreme_factors
from odah.osim.scaling.scale_setup import ScaleSetup, read_scale_setup
from odah.osim.setup_files import scale_setup_chain
from odah.osim.tools import write_scaled_file
from odah.osim.write import write_model


@dataclass(frozen=True, eq=False)
class ScaledSubject:
    """What set-ups make of a model.

    scale_factors: (3,) by body, against the generic model. static_pose: coordinates, rad and m, by name;
    marker_residuals: distance from each tracked marker to the measured one in that pose, before it was moved,
    m; both empty where no marker was placed. generic_file: of the generic model, where it came from a file.
    """

    marked: MarkedModel
    scale_factors: Mapping[str, np.ndarray]
    static_pose: Mapping[str, float] = field(default_factory=dict)
    marker_residuals: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    generic_file: Path | None = None

    @property
    def model(self) -> Model:
        return self.marked.model


def scale_by_setup(
    setup_path: str | Path, *, model: Model | str | Path | None = None, mass: float | None = None
) -> ScaledSubject:
    """Do what ScaleTool does with a set-up, and before it with those beside it that write its model.

    model: takes the place of the first set-up's model file. mass: of the subject, kg, in place of the
    set-ups' own. The root joint is freed of its bounds, so that people may face any way and be anywhere.

    Raises:
        InputError: a set-up cannot be used, or does not fit the model or its marker files, or `mass` is not
            positive.
    """
    if mass is not None and not 0 < mass < np.inf:
        raise InputError("mass", f"{mass:g} kg", "a positive mass")
    given = model.name if isinstance(model, Model) else model
    setups = [read_scale_setup(path) for path in scale_setup_chain(setup_path, model_path=given)]
    subject = _unscaled(setups[0], model)
    for setup in setups:
        subject = _scaled(subject, setup)
    scaled = subject.model
    if mass is not None:
        scaled = scale_model(scaled, np.ones((len(scaled.bodies), 3)), mass=mass)
    return replace(
        subject,
        marked=replace(subject.marked, model=_with_free_root(scaled)),
        notes=(*subject.notes, *extreme_factors(subject.scale_factors)),
    )


def write_scaled(subject: ScaledSubject, out_path: str | Path) -> tuple[str, ...]:
    """Write the scaled model as an .osim file; what to tell about it.

    Where the generic model came from a file and OpenSim is installed, it keeps all that `Model` does not hold
    (muscles, meshes, contacts), scaled by OpenSim; else it holds the skeleton alone.
    """
    if subject.generic_file is None:
        write_model(subject.model, out_path)
        return ()
    if find_spec("opensim") is None:
        write_model(subject.model, out_path)
        return ("without OpenSim the scaled model is written without its muscles and meshes",)
    write_scaled_file(
        subject.generic_file, out_path, subject.model, subject.scale_factors, subject.marked.fixed
    )
    return ()


def _unscaled(setup: ScaleSetup, model: Model | str | Path | None) -> ScaledSubject:
    """The generic model, with its own markers."""
    source = setup.model_file if model is None else model
    if source is None:
        raise InputError(f"{setup.path}, model_file", "nothing", "a model")
    marked = (
        MarkedModel(source)
        if isinstance(source, Model)
        else MarkedModel(read_model(source), fixed_markers(source))
    )
    return ScaledSubject(
        marked=marked,
        scale_factors={body: np.ones(3) for body in marked.model.body_names},
        generic_file=None if isinstance(source, Model) else Path(source),
    )


def _scaled(subject: ScaledSubject, setup: ScaleSetup) -> ScaledSubject:
    """One set-up's steps: marker set, scaling, marker placement."""
    marked = subject.marked
    if setup.marker_set_file is not None:
        marked = marked.with_marker_set(setup.marker_set_file)
    factors, notes = measured_scale_factors(marked.model, setup)
    subject = replace(
        subject,
        marked=replace(marked, model=scale_by_factors(marked.model, factors, setup)),
        scale_factors={body: known * factors[body] for body, known in subject.scale_factors.items()},
        notes=(*subject.notes, *notes),
    )
    if setup.placer is None:
        return subject
    placement = place_markers(subject.marked, setup)
    return replace(
        subject,
        marked=placement.marked,
        static_pose=placement.static_pose,
        marker_residuals=placement.residuals,
        notes=(*subject.notes, *placement.notes),
    )


def _with_free_root(model: Model) -> Model:
    """The model with unclamped coordinates of wide range in the joint that carries it."""
    root = next((joint for joint in model.joints if joint.parent == GROUND and joint.coordinate_names), None)
    freed = () if root is None else root.coordinate_names
    coordinates = tuple(_freed(c) if c.name in freed else c for c in model.coordinates)
    return replace(model, coordinates=coordinates)


def _freed(coordinate: Coordinate) -> Coordinate:
    limit = FREE_LENGTH if coordinate.motion_type == "translational" else FREE_ANGLE
    return replace(coordinate, range=(-limit, limit), clamped=False)
