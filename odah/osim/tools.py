"""OpenSim's ScaleTool and InverseKinematicsTool behind two functions: the only file that runs OpenSim.

Both work in scratch folders, keep OpenSim's chatter off the terminal, and turn its failures into `OdahError`.
"""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from odah.errors import OdahError
from odah.files import atomic_path, existing_file
from odah.motion.trc import write_trc
from odah.motion.types import MarkerTrajectories
from odah.osim import setup_files
from odah.osim.fk import ForwardKinematics
from odah.osim.ik.solve import InverseKinematics
from odah.osim.ik.start import MIN_SEEN
from odah.osim.model import GROUND, Model
from odah.osim.parse import read_model
from odah.osim.root_pose import align_root, free_root
from odah.osim.storage import read_storage

CONVERGED_ACCURACY = 1e-9
"""OpenSim's default of 1e-5 stops up to tens of degrees short where markers hardly constrain a coordinate."""

_AGREEMENT = 1e-4  # m, between OpenSim's marker errors and ours
_BOUND_MARGIN = 0.1  # of a coordinate's range: an assembly that starts at a bound can stay stuck there


@cache
def import_opensim() -> ModuleType:
    """OpenSim's Python module, silenced: no messages, no opensim.log in the working directory.

    Raises:
        OdahError: it is not installed.
    """
    try:
        import opensim
    except ImportError as error:
        raise OdahError(f"OpenSim cannot be imported ({error}): pip install 'odah[kinematics]'") from error
    opensim.Logger.removeFileSink()
    opensim.Logger.setLevelString("Off")
    return opensim


@contextmanager
def _quiet_stdout() -> Iterator[None]:
    """Send what C++ prints to standard output nowhere: the tools print models whatever the log level is."""
    sys.stdout.flush()
    c_library = ctypes.CDLL(None)
    kept = os.dup(1)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        yield
    finally:
        c_library.fflush(None)
        os.dup2(kept, 1)
        os.close(kept)


def scale_with_opensim(
    setups: Sequence[str | Path],
    out_path: str | Path,
    *,
    model_path: str | Path | None = None,
    mass: float | None = None,
) -> dict[str, np.ndarray]:
    """Run ScaleTool set-ups one after the other and write the resulting model.

    setups: each takes the model of the one before it; the first its own, or `model_path` if given.
    mass: of the subject, kg, in place of the set-ups' own.

    Returns:
        The factors (3,) applied to each body, in its own axes.

    Raises:
        InputError: a set-up names a file that does not exist. OdahError: the tool failed.
    """
    opensim = import_opensim()
    total: dict[str, np.ndarray] = {}
    model = model_path
    with tempfile.TemporaryDirectory(prefix="odah_scale_") as scratch:
        for index, setup in enumerate(setups):
            folder = Path(scratch) / str(index)
            folder.mkdir()
            staged = setup_files.stage_scale_setup(setup, folder, model_path=model, mass=mass)
            model = _run_scale_tool(opensim, staged, setup)
            if (folder / setup_files.SCALE_SET).exists():  # a set-up may place markers alone
                for body, factors in setup_files.read_scale_set(folder / setup_files.SCALE_SET).items():
                    total[body] = total.get(body, np.ones(3)) * factors
        if model is None:
            raise OdahError("scaling needs at least one set-up")
        _write_with_free_root(opensim, model, out_path)
    return total


def write_scaled_file(
    model_path: str | Path,
    out_path: str | Path,
    scaled: Model,
    scale_factors: Mapping[str, np.ndarray],
    fixed: Collection[str] = (),
) -> None:
    """Scale a model file, with all that `Model` does not hold (muscles, meshes), to agree with `scaled`.

    scaled: the file's model stretched by the factors (3,) of its bodies; name, masses and markers become its.
    fixed: the markers that the file says are fixed.

    Raises:
        OdahError: OpenSim fails, or is not installed.
    """
    opensim = import_opensim()
    try:
        model = opensim.Model(str(existing_file(model_path, "an OpenSim model")))
        state = model.initSystem()
        model.scale(state, _scale_set(opensim, scale_factors), True, -1.0)
        _adopt(opensim, model, scaled, fixed)
        free_root(model)
        _print_model(model, out_path)
    except RuntimeError as error:
        raise OdahError(f"OpenSim could not scale {model_path}: {_first_line(error)}") from error


def inverse_kinematics_with_opensim(
    model_path: str | Path,
    markers: MarkerTrajectories,
    *,
    weights: Mapping[str, float] | None = None,
    setup: str | Path | None = None,
    accuracy: float = CONVERGED_ACCURACY,
) -> InverseKinematics:
    """The coordinates that bring the model's markers closest to the measured ones, frame by frame.

    weights: of the markers to track; None takes those of `setup`, else 1 for every marker the model has.
    setup: an InverseKinematicsTool set-up, whose tasks are kept and whose files and accuracy are ours.
    A marker is left out of the frames in which it is NaN; frames that show fewer than three are interpolated,
    and their errors are NaN. The root joint is freed and aligned with the first frame, so that people may
    face backwards and be anywhere. Coordinates that are locked, or that no marker tells, stay at defaults.

    Raises:
        OdahError: the tool failed, or its answer is not a number.
    """
    opensim = import_opensim()
    markers = replace(markers.in_ground(), start_time=0.0)
    with tempfile.TemporaryDirectory(prefix="odah_ik_") as scratch:
        folder = Path(scratch)
        model = opensim.Model(str(existing_file(model_path, "an OpenSim model")))
        motion_types = [(c.getName(), c.getMotionType()) for c in model.getCoordinateSet()]
        tracked = _tracked_weights(model, markers, weights, setup)
        markers = _only(markers, tracked)
        solvable = np.isfinite(markers.positions).all(axis=-1).sum(axis=1) >= MIN_SEEN
        if not solvable.any():
            raise OdahError(f"no frame of {markers.source.path} shows {MIN_SEEN} tracked markers")
        seen = replace(markers, positions=markers.positions[solvable])
        _prepare_model(opensim, model, seen)
        model.printToXML(str(folder / "model.osim"))
        write_trc(folder / "markers.trc", seen)
        staged = setup_files.stage_ik_setup(
            folder,
            setup=setup,
            weights=tracked,
            model_file="model.osim",
            marker_file="markers.trc",
            accuracy=accuracy,
        )
        _run_ik_tool(opensim, staged, markers)
        rotational = {n for n, kind in motion_types if kind == opensim.Coordinate.Rotational}
        ours = read_model(model_path)
        coordinates = _read_coordinates(folder, ours.coordinate_names, rotational, seen.num_frames)
        distances = _distances(folder, ours, coordinates, seen)
    return _interpolated(ours, seen.names, coordinates, distances, solvable)


def _run_scale_tool(opensim: ModuleType, staged: Path, setup: str | Path) -> Path:
    """Run a staged set-up; the path of the model it wrote."""
    places = setup_files.places_markers(staged)
    result = staged.parent / (setup_files.PLACED_MODEL if places else setup_files.SCALED_MODEL)
    try:
        with _quiet_stdout():
            succeeded = opensim.ScaleTool(str(staged)).run()
    except RuntimeError as error:
        raise OdahError(f"OpenSim's ScaleTool failed on {setup}: {_first_line(error)}") from error
    # OpenSim 4.6 answers False for a set-up that places no markers, even when all went well.
    if not result.exists() or (places and not succeeded):
        raise OdahError(f"OpenSim's ScaleTool failed on {setup}: do model and marker file hold its markers?")
    return result


def _run_ik_tool(opensim: ModuleType, staged: Path, markers: MarkerTrajectories) -> None:
    try:
        with _quiet_stdout():
            succeeded = opensim.InverseKinematicsTool(str(staged)).run()
    except RuntimeError as error:
        raise OdahError(
            f"OpenSim's inverse kinematics failed on {markers.source.path}: {_first_line(error)}"
        ) from error
    if not succeeded:
        raise OdahError(f"OpenSim's inverse kinematics failed on {markers.source.path}")


def _read_coordinates(
    folder: Path, names: Sequence[str], rotational: set[str], num_frames: int
) -> np.ndarray:
    """(T, C) rad and m."""
    motion = read_storage(folder / setup_files.IK_MOTION)
    if len(motion.values) != num_frames:
        raise OdahError(f"OpenSim's inverse kinematics solved {len(motion.values)} of {num_frames} frames")
    columns = [motion.columns.index(name) for name in names]
    is_degrees = np.array([motion.in_degrees and name in rotational for name in names])
    coordinates = motion.values[:, columns] * np.where(is_degrees, np.pi / 180.0, 1.0)
    if not np.isfinite(coordinates).all():
        raise OdahError("OpenSim's inverse kinematics answered with values that are not numbers")
    return coordinates


def _distances(
    folder: Path, model: Model, coordinates: np.ndarray, markers: MarkerTrajectories
) -> np.ndarray:
    """(T, M) m, NaN where unseen, by our own forward kinematics, which must agree with OpenSim's.

    Raises:
        OdahError: they do not.
    """
    by_name = {marker.name: marker for marker in model.markers}
    fk = ForwardKinematics(model.with_markers(tuple(by_name[name] for name in markers.names)))
    distances = np.linalg.norm(fk(torch.from_numpy(coordinates)).markers.numpy() - markers.positions, axis=-1)
    errors = read_storage(folder / "ik_ik_marker_errors.sto")
    # The largest, not the RMS: OpenSim's RMS counts unseen markers as matched.
    theirs = errors.values[:, errors.columns.index("marker_error_max")]
    difference = np.abs(np.nanmax(distances, axis=1) - theirs).max()
    if not difference <= _AGREEMENT:
        raise OdahError(
            f"our marker errors and OpenSim's differ by {difference * 1e3:.2f} mm on the model {model.name!r}"
        )
    return distances


def _interpolated(
    model: Model,
    marker_names: tuple[str, ...],
    coordinates: np.ndarray,
    distances: np.ndarray,
    solved: np.ndarray,
) -> InverseKinematics:
    """All frames, solved (T,) bool or not: coordinates interpolated linearly."""
    every, known = np.arange(len(solved)), np.flatnonzero(solved)
    all_distances = np.full((len(solved), len(marker_names)), np.nan)
    all_distances[solved] = distances
    return InverseKinematics(
        names=model.coordinate_names,
        coordinates=np.column_stack([np.interp(every, known, column) for column in coordinates.T]),
        marker_names=marker_names,
        distances=all_distances,
        is_solved=solved,
        is_told=np.repeat(solved[:, None], coordinates.shape[1], axis=1),
        is_determined=solved,
        is_converged=solved,
    )


def _tracked_weights(
    model: Any, markers: MarkerTrajectories, weights: Mapping[str, float] | None, setup: str | Path | None
) -> dict[str, float]:
    """Weights of the markers that are wanted, measured and in the model."""
    marker_set = model.getMarkerSet()
    if weights is None:
        weights = setup_files.ik_weights(setup) if setup is not None else dict.fromkeys(markers.names, 1.0)
    common = {n: w for n, w in weights.items() if n in markers.names and marker_set.contains(n) and w > 0}
    if not common:
        raise OdahError(f"none of the markers of {markers.source.path} is a tracked marker of the model")
    return common


def _only(markers: MarkerTrajectories, wanted: Mapping[str, float]) -> MarkerTrajectories:
    keep = [index for index, name in enumerate(markers.names) if name in wanted]
    names = tuple(markers.names[index] for index in keep)
    return replace(markers, names=names, positions=markers.positions[:, keep])


def _prepare_model(opensim: ModuleType, model: Any, markers: MarkerTrajectories) -> None:
    """Start pose for the solver: root on the first frame's markers, other coordinates inside their bounds."""
    model.updForceSet().clearAndDestroy()  # muscles cost time and move no marker
    root = free_root(model)
    _start_inside(opensim, model, markers.names, root)
    align_root(model, root, dict(zip(markers.names, markers.positions[0], strict=True)))


def _start_inside(opensim: ModuleType, model: Any, marker_names: Sequence[str], root: Any) -> None:
    """Move defaults of coordinates that markers tell off the bounds; lock those that no marker tells."""
    dependent = _dependent_coordinates(opensim, model)
    told = _joints_above(model, marker_names)
    for joint in model.getJointSet():
        if joint.getName() == root.getName():
            continue
        for index in range(joint.numCoordinates()):
            coordinate = joint.get_coordinates(index)
            if coordinate.getName() in dependent:
                continue
            if joint.getName() not in told:
                coordinate.setDefaultLocked(True)
            elif coordinate.getDefaultClamped() and not coordinate.getDefaultLocked():
                low, high = coordinate.getRangeMin(), coordinate.getRangeMax()
                margin = _BOUND_MARGIN * (high - low)
                start = np.clip(coordinate.getDefaultValue(), low + margin, high - margin)
                coordinate.setDefaultValue(float(start))


def _joints_above(model: Any, marker_names: Sequence[str]) -> set[str]:
    """Names of the joints between ground and the markers."""
    joint_of_body = {joint.getChildFrame().findBaseFrame().getName(): joint for joint in model.getJointSet()}
    found = set()
    for name in marker_names:
        body = model.getMarkerSet().get(name).getParentFrame().findBaseFrame().getName()
        while body in joint_of_body:
            joint = joint_of_body[body]
            found.add(joint.getName())
            body = joint.getParentFrame().findBaseFrame().getName()
    return found


def _dependent_coordinates(opensim: ModuleType, model: Any) -> set[str]:
    """Coordinates that an enforced coupler sets."""
    couplers = (opensim.CoordinateCouplerConstraint.safeDownCast(c) for c in model.getConstraintSet())
    return {c.getDependentCoordinateName() for c in couplers if c is not None and c.get_isEnforced()}


def _scale_set(opensim: ModuleType, scale_factors: Mapping[str, np.ndarray]) -> Any:
    scales = opensim.ScaleSet()
    for body, factors in scale_factors.items():
        scale = opensim.Scale()
        scale.setSegmentName(body)
        scale.setScaleFactors(opensim.Vec3(*map(float, factors)))
        scale.setApply(True)
        scales.cloneAndAppend(scale)
    return scales


def _adopt(opensim: ModuleType, model: Any, scaled: Model, fixed: Collection[str]) -> None:
    """Give OpenSim's model the name, the masses and the markers of ours."""
    model.setName(scaled.name)
    for body in scaled.bodies:
        theirs = model.updBodySet().get(body.name)
        theirs.setMass(body.mass)
        theirs.setMassCenter(opensim.Vec3(*map(float, body.com)))
        theirs.setInertia(opensim.Inertia(*map(float, body.inertia)))
    model.updMarkerSet().clearAndDestroy()
    for marker in scaled.markers:
        frame = model.getGround() if marker.body == GROUND else model.getBodySet().get(marker.body)
        theirs = opensim.Marker(marker.name, frame, opensim.Vec3(*map(float, marker.offset)))
        theirs.set_fixed(marker.name in fixed)
        model.addMarker(theirs)
    model.finalizeConnections()


def _write_with_free_root(opensim: ModuleType, model_path: str | Path, out_path: str | Path) -> None:
    model = opensim.Model(str(model_path))
    free_root(model)
    _print_model(model, out_path)


def _print_model(model: Any, out_path: str | Path) -> None:
    with atomic_path(out_path) as temporary:
        if not model.printToXML(str(temporary)):
            raise OdahError(f"OpenSim could not write {out_path}")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
