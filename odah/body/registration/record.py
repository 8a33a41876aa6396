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
from odah.body.registration.layout_file import load_layout, save_layout
from odah.body.registration.marker_layout import MarkerLayout, check_body, check_sides
from odah.body.registration.regressor import JointRegressor
from odah.errors import InputError
from odah.files import check_output_folder
from odah.names import SEGMENTS
from odah.osim.model import Marker, Model

OPEN_BODY_REGISTRATION = "regressors/open_body.npz"


@dataclass(frozen=True)
class Registration:
    """What ties a body's mesh to the generic OpenSim model.

    layout: point of the skin of each marker. markers: the same on the unscaled model's bodies (offsets in
    m), calibrated so that mesh and skeleton agree. regressor: vertices to joint centres. alignments
    (S, 3, 3): for each of `SEGMENTS`, R_ground_smplx = R_ground_body @ alignment. report: errors on
    held-out people and poses in mm, and what the fit was made of; see `regressors/README.md`.
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
    save_layout(registration.layout, layout_path(path))


def load_registration(path: str | Path | None = None) -> Registration:
    """Read a registration; without a path, the open body's.

    Raises:
        InputError: missing or damaged file, or a layout that lacks one of the registered markers.
    """
    path = Path(path) if path is not None else asset_path(OPEN_BODY_REGISTRATION)
    arrays = read_arrays(path, _ARRAYS, "a registration written by `odah regressor fit`")
    layout = load_layout(layout_path(path))
    info = _info(path, arrays["info"][0])
    markers = _markers(path, arrays)
    missing = [marker.name for marker in markers if marker.name not in layout.markers]
    if missing:
        raise InputError(
            layout_path(path), f"no marker {missing[0]}", f"the {len(markers)} registered markers"
        )
    if tuple(arrays["segments"].tolist()) != tuple(SEGMENTS):
        raise InputError(f"{path}: segments", "other names", f"{', '.join(SEGMENTS)}")
    return Registration(
        info.pop("body"),
        replace(layout, markers={marker.name: layout.markers[marker.name] for marker in markers}),
        markers,
        _regressor(path, arrays, layout.num_vertices),
        arrays["alignments"].astype(np.float64),
        info,
    )


def _info(path: Path, text: object) -> dict[str, Any]:
    try:
        info = json.loads(str(text))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: info", " ".join(str(error).split()), "JSON") from None
    if not isinstance(info, dict) or not isinstance(info.get("body"), str):
        raise InputError(f"{path}: info", "no `body`", "a JSON mapping with the body's name")
    return info


def _markers(path: Path, arrays: dict[str, np.ndarray]) -> tuple[Marker, ...]:
    names, bodies, offsets = (arrays[f"marker_{key}"] for key in ("names", "bodies", "offsets"))
    _check_kind(path, "marker_offsets", offsets, "f")
    if not len(names) == len(bodies) == len(offsets):
        raise InputError(
            f"{path}: marker_bodies, marker_offsets", f"{len(bodies)} and {len(offsets)}", f"{len(names)}"
        )
    parts = zip(names.tolist(), bodies.tolist(), offsets.astype(np.float64), strict=True)
    return tuple(Marker(str(name), str(body), offset) for name, body, offset in parts)


def _regressor(path: Path, arrays: dict[str, np.ndarray], num_vertices: int) -> JointRegressor:
    names = tuple(map(str, arrays["joint_names"].tolist()))
    rows, columns, values = (arrays[f"weight_{key}"] for key in ("rows", "vertices", "values"))
    _check_kind(path, "weight_values", values, "f")
    if not len(rows) == len(columns) == len(values):
        raise InputError(
            f"{path}: weight_rows, weight_vertices", f"{len(rows)} and {len(columns)}", f"{len(values)}"
        )
    for name, numbers, limit in (("rows", rows, len(names)), ("vertices", columns, num_vertices)):
        _check_kind(path, f"weight_{name}", numbers, "iu")
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < limit:
            found = f"{numbers.min()} to {numbers.max()}"
            raise InputError(f"{path}: weight_{name}", found, f"0 to {limit - 1}")
    weights = sparse.csr_matrix((values, (rows, columns)), shape=(len(names), num_vertices))
    sums = np.asarray(weights.sum(1)).ravel()
    if not np.allclose(sums, 1.0, atol=_SUM_TOLERANCE):
        worst = int(np.argmax(np.abs(sums - 1)))
        raise InputError(f"{path}: weights of {names[worst]}", f"a sum of {sums[worst]:.7g}", "1")
    return JointRegressor(names, weights)


def _check_kind(path: Path, name: str, array: np.ndarray, kinds: str) -> None:
    if array.dtype.kind not in kinds:
        expected = "floating-point numbers" if kinds == "f" else "whole numbers"
        raise InputError(f"{path}: {name}", str(array.dtype), expected)


_SUM_TOLERANCE = 1e-6
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


def check_registration_path(path: str | Path) -> None:
    """Raise InputError, before any work, if a registration could not be written to `path`."""
    path = Path(path)
    if path.suffix != ".npz":
        raise InputError(path, f"{path.suffix or 'no suffix'}", "a file that ends in .npz")
    if path.is_dir():
        raise InputError(path, "a folder", "a file that ends in .npz")
    check_output_folder(path.parent)


def layout_path(path: str | Path) -> Path:
    """Where the marker layout of a registration lies."""
    path = Path(path)
    return path.with_name(f"{path.stem}_markers.yaml")
