"""An `.osim` file to a `Model`."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from odah.errors import InputError
from odah.osim.document import OLDEST_VERSION, Node, open_document
from odah.osim.frames import FrameTable
from odah.osim.model import GROUND, Body, Coupler, Marker, Model
from odah.osim.parse_functions import read_function
from odah.osim.parse_joints import read_joint
from odah.osim.tree import coupler_stages, tree_levels


def read_model(path: str | Path) -> Model:
    """Read the skeleton of an OpenSim model of any version; muscles, geometry and contacts are left out.

    A file older than version 40000 is first rewritten by OpenSim itself (needs the `opensim` package).

    Raises:
        InputError: missing, broken, not an OpenSim model, or with joints or functions not known here.
    """
    root, version = open_document(path)
    if version < OLDEST_VERSION:
        from odah.osim.upgrade import upgrade_model

        with tempfile.TemporaryDirectory() as folder:
            upgraded = Path(folder) / "upgraded.osim"
            upgrade_model(path, upgraded)
            root, _ = open_document(upgraded)
    element = root.find("Model")
    assert element is not None  # open_document has looked
    blocks = element.find("defaults")
    defaults = {} if blocks is None else {block.tag: block for block in blocks}
    return _read_model(Node(element, str(path), defaults))


def _read_model(node: Node) -> Model:
    frames = FrameTable(node)
    pairs = [read_joint(joint, frames) for joint in node.children("JointSet")]
    model = Model(
        name=node.element.get("name") or "model",
        bodies=tuple(_read_body(body) for body in node.children("BodySet")),
        joints=tuple(joint for joint, _ in pairs),
        coordinates=tuple(coordinate for _, coordinates in pairs for coordinate in coordinates),
        markers=tuple(_read_marker(marker, frames) for marker in node.children("MarkerSet")),
        couplers=tuple(
            _read_coupler(constraint)
            for constraint in node.children("ConstraintSet")
            if constraint.tag == "CoordinateCouplerConstraint"
        ),
        credits=node.text("credits", ""),
        publications=node.text("publications", ""),
        loop_constraints=tuple(
            f"{constraint.tag} {constraint.element.get('name', '')!r}"
            for constraint in node.children("ConstraintSet")
            if constraint.tag != "CoordinateCouplerConstraint" and constraint.flag("isEnforced", True)
        ),
    )
    _check_names(node.path, model)
    _check_tree(node.path, model)
    _check_couplers(node.path, model)
    return model


def _read_body(node: Node) -> Body:
    mass = node.number("mass")
    if mass < 0:
        raise InputError(f"{node.where}, mass", f"{mass:g} kg", "0 or more")
    return Body(
        name=node.name,
        mass=mass,
        com=node.vector("mass_center", 3, (0.0, 0.0, 0.0)),
        inertia=node.vector("inertia", 6, (0.0,) * 6),
    )


def _read_marker(node: Node, frames: FrameTable) -> Marker:
    body, T_body_frame = frames.locate(node, "socket_parent_frame", f"/markerset/{node.name}")
    location = node.vector("location", 3, (0.0, 0.0, 0.0))
    return Marker(node.name, body, T_body_frame[:3, :3] @ location + T_body_frame[:3, 3])


def _read_coupler(node: Node) -> Coupler:
    independent = node.words("independent_coordinate_names")
    functions = list(node.child("coupled_coordinates_function").element)
    if len(functions) != 1 or not independent:
        found = f"{len(functions)} functions of {len(independent)} coordinates"
        raise InputError(node.where, found, "one function of one or more coordinates")
    return Coupler(
        name=node.name,
        dependent=node.text("dependent_coordinate_name"),
        independent=independent,
        function=read_function(node.wrap(functions[0]), len(independent)),
        scale=node.number("scale_factor", 1.0),
        is_enforced=node.flag("isEnforced", True),
    )


def _first_repeated(names: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _check_names(path: str, model: Model) -> None:
    named = {
        "BodySet": (GROUND, *model.body_names),
        "JointSet": model.joint_names,
        "coordinates": model.coordinate_names,
        "MarkerSet": model.marker_names,
    }
    for field, names in named.items():
        repeated = _first_repeated(names)
        if repeated is not None:
            raise InputError(f"{path}, {field}", f"the name {repeated!r} twice", "distinct names")


def _check_tree(path: str, model: Model) -> None:
    if not model.bodies:
        raise InputError(f"{path}, BodySet", "no bodies", "at least one body")
    children = [joint.child for joint in model.joints]
    repeated = _first_repeated([*children, GROUND])
    if repeated is not None:
        raise InputError(
            f"{path}, JointSet", f"{repeated!r} as the child of a second joint", "a tree of joints"
        )
    reached = {children[j] for level in tree_levels(model.joints) for j in level}
    loose = [name for name in model.body_names if name not in reached]
    if loose:
        raise InputError(
            f"{path}, JointSet", f"no chain of joints from ground to {loose[0]!r}", "a tree of joints"
        )


def _check_couplers(path: str, model: Model) -> None:
    known = set(model.coordinate_names)
    for coupler in model.couplers:
        strangers = {coupler.dependent, *coupler.independent} - known
        if strangers:
            where = f"{path}, CoordinateCouplerConstraint {coupler.name!r}"
            raise InputError(where, repr(sorted(strangers)[0]), "the name of a coordinate in this file")
    enforced = [coupler.dependent for coupler in model.couplers if coupler.is_enforced]
    repeated = _first_repeated(enforced)
    if repeated is not None:
        raise InputError(f"{path}, ConstraintSet", f"two couplers of {repeated!r}", "one for each coordinate")
    try:
        coupler_stages(model.couplers)
    except ValueError as error:
        raise InputError(
            f"{path}, ConstraintSet", str(error), "couplers that rest on free coordinates"
        ) from None
