"""A body registered to the OpenSim full-body model: markers, joint regressor, how segments line up."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from odah.assets import asset_path
from odah.body.body_model import BodyModel
from odah.body.files import read_arrays, write_arrays
from odah.body.registration.marker_layout import (
    MarkerLayout,
    check_body,
    check_sides,
    load_layout,
    save_layout,
)
from odah.body.registration.regressor import JointRegressor
from odah.errors import InputError
from odah.names import SEGMENTS
from odah.osim.model import Marker, Model

OPEN_BODY_REGISTRATION = "regressors/open_body.npz"


@dataclass(frozen=True)
class Registration:
    """What ties a body's mesh to the generic OpenSim model.

    layout: vertex of each marker. markers: the same markers on the unscaled model's bodies (offsets in
    m), calibrated so that mesh and skeleton agree. regressor: vertices to joint centres. alignments
    (S, 3, 3): for each of `SEGMENTS`, R_ground_smplx = R_ground_body @ alignment. report: errors on
    held-out shapes and poses in mm, and how the fit was made.
    """

    body_name: str
    layout: MarkerLayout
    markers: tuple[Marker, ...]
    regressor: JointRegressor
    alignments: np.ndarray
    report: dict[str, Any] = field(default_factory=dict)

    def check(self, body: BodyModel) -> None:
        """Raise InputError if `body` has other vertex numbers, or carries a marker on the wrong side."""
        check_body(self.layout, body.faces, body.num_vertices)
        check_sides(self.layout, body.v_template.numpy())
        if self.regressor.num_vertices != body.num_vertices:
            raise InputError(
                "registration", f"a regressor for {self.regressor.num_vertices} vertices",
                f"one for the body's {body.num_vertices}",
            )  # fmt: skip

    def check_model(self, model: Model) -> None:
        """Raise InputError if `model` lacks a joint or a body that the registration names."""
        for kind, wanted, there in (
            ("joint", self.regressor.joint_names, model.joint_names),
            ("body", tuple(SEGMENTS.values()), model.body_names),
        ):
            missing = [name for name in wanted if name not in there]
            if missing:
                raise InputError(
                    f"model {model.name}", f"no {kind} {missing[0]!r}",
                    f"the full-body model's {len(set(wanted))} {kind} names",
                )  # fmt: skip

    def calibrated(self, model: Model) -> Model:
        """The unscaled full-body model with the registration's markers in place of its own."""
        self.check_model(model)
        return model.with_markers(self.markers)


def save_registration(registration: Registration, path: str | Path) -> None:
    """Write `path` (.npz) and, beside it, the marker layout as `<stem>_markers.yaml`."""
    path = Path(path)
    weights = sparse.coo_matrix(registration.regressor.weights)
    write_arrays(
        path,
        {
            "joint_names": np.array(registration.regressor.joint_names),
            "weight_rows": weights.row.astype(np.int32),
            "weight_vertices": weights.col.astype(np.int32),
            "weight_values": weights.data.astype(np.float64),
            "marker_names": np.array([marker.name for marker in registration.markers]),
            "marker_bodies": np.array([marker.body for marker in registration.markers]),
            "marker_offsets": np.array([marker.offset for marker in registration.markers]),
            "segments": np.array(list(SEGMENTS)),
            "alignments": registration.alignments,
            "info": np.array([json.dumps({"body": registration.body_name, **registration.report})]),
        },
    )
    save_layout(registration.layout, _layout_path(path))


def load_registration(path: str | Path | None = None) -> Registration:
    """Read a registration; without a path, the open body's.

    Raises:
        InputError: missing or damaged file, or a layout that lacks one of the registered markers.
    """
    path = Path(path) if path is not None else asset_path(OPEN_BODY_REGISTRATION)
    arrays = read_arrays(path, _ARRAYS, "a registration written by `odah regressor fit`")
    layout = load_layout(_layout_path(path))
    names = tuple(arrays["marker_names"].tolist())
    missing = [name for name in names if name not in layout.markers]
    if missing:
        raise InputError(
            _layout_path(path), f"no marker {missing[0]}", f"the {len(names)} registered markers"
        )
    info = json.loads(str(arrays["info"][0]))
    joint_names = tuple(arrays["joint_names"].tolist())
    weights = sparse.csr_matrix(
        (arrays["weight_values"], (arrays["weight_rows"], arrays["weight_vertices"])),
        shape=(len(joint_names), layout.num_vertices),
    )
    bodies, offsets = arrays["marker_bodies"].tolist(), arrays["marker_offsets"]
    return Registration(
        info.pop("body"),
        replace(layout, markers={name: layout.markers[name] for name in names}),
        tuple(Marker(n, b, o) for n, b, o in zip(names, bodies, offsets, strict=True)),
        JointRegressor(joint_names, weights),
        arrays["alignments"],
        info,
    )


_ARRAYS = {
    "joint_names": (None,),
    "weight_rows": (None,),
    "weight_vertices": (None,),
    "weight_values": (None,),
    "marker_names": (None,),
    "marker_bodies": (None,),
    "marker_offsets": (None, 3),
    "segments": (len(SEGMENTS),),
    "alignments": (len(SEGMENTS), 3, 3),
    "info": (1,),
}


def _layout_path(path: Path) -> Path:
    return path.with_name(f"{path.stem}_markers.yaml")
