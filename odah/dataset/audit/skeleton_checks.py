"""Checks of the skeleton: the written model and motion, through OpenSim itself, against the labels."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from odah.dataset.audit.context import Context, expect
from odah.motion.trc import read_trc
from odah.osim import Model, full_body_model, scale_model
from odah.osim.parse import read_model
from odah.osim.reference import Kind, places_with_opensim
from odah.osim.scale import recovered_scale_factors
from odah.osim.storage import read_coordinates, read_storage

FK_TOLERANCE = 1e-4
"""m; labels are float32."""
COORDINATE_TOLERANCE = 1e-5
"""rad and m, of the text in the motion file."""
_TIME_TOLERANCE = 1e-6
_SCALE_TOLERANCE = 1e-4
"""m, of offsets that scaling multiplies."""
_FACTOR_TOLERANCE = 1e-5


@lru_cache(maxsize=2)  # clips come subject by subject
def _model(path: Path, mtime_ns: int) -> Model:
    return read_model(path)


def _model_of(context: Context) -> Model:
    path = context.clip.model_path
    return _model(path, path.stat().st_mtime_ns if path.is_file() else 0)


def check_model(context: Context) -> None:
    """The subject's model is the one that `dataset.json` and the labels' scale factors describe."""
    model, path = _model_of(context), context.clip.model_path
    for kind in ("coordinate", "joint", "body", "marker"):
        found, stated = list(getattr(model, f"{kind}_names")), context.names(kind)
        odd = next((pair for pair in zip(found, stated, strict=False) if pair[0] != pair[1]), None)
        expect(
            found == stated,
            f"{path}: the {kind} {odd[0]!r} where dataset.json: {kind}_names has {odd[1]!r}" if odd
            else f"{path}: {len(found)} {kind} names, dataset.json {len(stated)}",
        )  # fmt: skip
    _check_scale(model, context.labels["scale_factors"], path)


def _check_scale(model: Model, factors: np.ndarray, path: Path) -> None:
    """Factors make the model out of the full-body one; of a model made by others they are read off it."""
    generic = full_body_model()
    if np.allclose(recovered_scale_factors(model, generic), factors, atol=_FACTOR_TOLERANCE):
        return
    for ours, theirs in zip(scale_model(generic, factors).joints, model.joints, strict=True):
        for key in ("T_parent", "T_child"):
            error = np.abs(getattr(ours, key)[:3, 3] - getattr(theirs, key)[:3, 3]).max()
            expect(
                error <= _SCALE_TOLERANCE,
                f"labels.npz: scale_factors put the frame of {ours.name} {error:.2e} m "
                f"from its place in {path}",
            )


def check_motion(context: Context) -> None:
    """`kinematics.mot` holds the labels' coordinates, at their times, in degrees."""
    path = context.clip.motion_path
    table = read_storage(path)
    names = tuple(context.names("coordinate"))
    expect(table.columns == names, "kinematics.mot: other columns than dataset.json: coordinate_names")
    _check_times("kinematics.mot", table.time, context)
    expect(table.in_degrees, "kinematics.mot: inDegrees is not yes")
    values = read_coordinates(path, _model_of(context)).values
    error = np.abs(values - context.labels["coordinates"]).max(axis=0)
    worst = int(error.argmax())
    expect(
        error[worst] <= COORDINATE_TOLERANCE,
        f"kinematics.mot: {names[worst]} is up to {error[worst]:.2e} off labels.npz: coordinates",
    )


def check_markers(context: Context) -> None:
    """`markers.trc` holds the labels' markers, at their times, in millimetres."""
    file = read_trc(context.clip.folder / "markers.trc")
    expect(list(file.names) == context.names("marker"), "markers.trc: other markers than dataset.json")
    _check_times("markers.trc", file.start_time + np.arange(file.num_frames) / file.rate, context)
    error = np.linalg.norm(file.positions - context.labels["markers"], axis=-1)
    frame, marker = np.unravel_index(np.nan_to_num(error, nan=np.inf).argmax(), error.shape)
    expect(
        error[frame, marker] <= FK_TOLERANCE,
        f"markers.trc: {file.names[marker]} is {error[frame, marker]:.2e} m off labels.npz: markers "
        f"in frame {frame}",
    )


def _check_times(name: str, time: np.ndarray, context: Context) -> None:
    expect(len(time) == context.num_frames, f"{name} has {len(time)} rows, labels.npz {context.num_frames}")
    late = np.abs(time - context.labels["time"]).max()
    expect(
        late <= max(_TIME_TOLERANCE, 1e-8 * len(time)), f"{name}: times are up to {late:.2e} s off labels.npz"
    )


def check_opensim(context: Context) -> None:
    """OpenSim itself, reading the written model and motion, puts joints, and in a whole look markers and
    centres of mass, where the labels say."""
    kinds: dict[str, Kind] = {"joints": "joint"}
    if context.is_whole:
        kinds |= {"markers": "marker", "body_coms": "body"}
    places = places_with_opensim(
        context.clip.model_path,
        context.clip.motion_path,
        {kind: context.names(kind) for kind in kinds.values()},
    )
    for array, kind in kinds.items():
        error = np.linalg.norm(places[kind] - context.labels[array], axis=-1)
        frame, index = np.unravel_index(error.argmax(), error.shape)
        expect(
            error.max() <= FK_TOLERANCE,
            f"labels.npz: {array}: {context.names(kind)[index]} is {error.max():.2e} m from where OpenSim "
            f"puts it in frame {frame}",
        )
