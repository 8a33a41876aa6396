"""What of a marker trial is used: markers that are seen, frames that show enough, weights that apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from odah.errors import InputError
from odah.motion.types import MarkerTrajectories
from odah.osim.ik.setup import IkSetup
from odah.osim.model import Model
from odah.wording import some_of

MIN_MARKERS = 8
_MIN_VISIBLE = 0.5  # of the tracked markers, for a frame to be solved at either end of a trial


def usable_markers(
    markers: MarkerTrajectories, ik: IkSetup | None = None
) -> tuple[MarkerTrajectories, tuple[str, ...]]:
    """Markers seen at least once, in the time range of the set-up; and what was left out.

    Raises:
        InputError: too few markers have positions, or none in the set-up's time range.
    """
    if ik is not None:
        first, last = ik.time_range
        half_step = 0.5 / markers.rate
        inside = (markers.time >= first - half_step) & (markers.time <= last + half_step)
        if not inside.any():
            raise InputError(
                f"{ik.path}, time_range", f"{first:g} to {last:g} s", f"times of {markers.source.path}"
            )
        markers = _frames(markers, np.flatnonzero(inside))
    seen = np.flatnonzero(np.isfinite(markers.positions).all(axis=-1).any(axis=0))
    names = tuple(markers.names[index] for index in seen)
    unseen = [name for name in markers.names if name not in names]
    if len(names) < MIN_MARKERS:
        raise InputError(
            markers.source.path, f"{len(names)} markers with positions", f"at least {MIN_MARKERS}"
        )
    notes = [f"markers without any position, left out: {', '.join(unseen)}"] if unseen else []
    if ik is not None and (missing := [name for name in ik.weights if name not in markers.names]):
        notes.append(f"markers of {ik.path.name} that the recording lacks: {', '.join(missing)}")
    return replace(markers, names=names, positions=markers.positions[:, seen]), tuple(notes)


def shared_weights(
    markers: MarkerTrajectories, model: Model, weights: Mapping[str, float] | None
) -> dict[str, float]:
    """Weights of the markers that are measured, on the model, and wanted.

    Raises:
        InputError: fewer than MIN_MARKERS are.
    """
    if weights is None:
        weights = dict.fromkeys(model.marker_names, 1.0)
    on_model = set(model.marker_names)
    shared = {n: weights[n] for n in markers.names if n in on_model and weights.get(n, 0.0) > 0.0}
    if len(shared) < MIN_MARKERS:
        raise InputError(
            f"{markers.source.path}, marker names",
            f"{some_of(markers.names)}, of which {len(shared)} are tracked markers of the model",
            f"at least {MIN_MARKERS} of the model's, such as {some_of(weights)}",
        )
    return shared


def trimmed_ends(
    markers: MarkerTrajectories, weights: Mapping[str, float]
) -> tuple[MarkerTrajectories, tuple[str, ...]]:
    """The trial without the frames at either end in which most tracked markers are unseen; and what went.

    Raises:
        InputError: hardly a frame is left.
    """
    columns = [markers.names.index(name) for name in weights]
    visible = np.isfinite(markers.positions[:, columns]).all(axis=-1).mean(axis=1)
    enough = np.flatnonzero(visible >= _MIN_VISIBLE)
    if len(enough) < 2:
        raise InputError(markers.source.path, "hardly any frame with half of its markers", "markers in view")
    kept = np.arange(enough[0], enough[-1] + 1)
    notes = []
    if len(kept) < markers.num_frames:
        notes.append(f"left out {markers.num_frames - len(kept)} frames at the ends: most markers unseen")
    sparse = int((visible[kept] < _MIN_VISIBLE).sum())
    if sparse:
        notes.append(f"{sparse} frames have less than half of their markers")
    return _frames(markers, kept), tuple(notes)


def _frames(markers: MarkerTrajectories, frames: np.ndarray) -> MarkerTrajectories:
    """Consecutive frames of a trial."""
    start = markers.start_time + frames[0] / markers.rate
    return replace(markers, positions=markers.positions[frames], start_time=start)
