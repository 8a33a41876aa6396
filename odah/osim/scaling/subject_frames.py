"""What a fit uses of a person's trials: tracked markers, in frames in which the shape differs most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

from odah.errors import InputError
from odah.motion.types import MarkerTrajectories
from odah.osim.model import GROUND, Model

MIN_SEEN = 3
_STRAIGHT = 0.02  # m; markers that stray less from a line tell no turn about it
_CANDIDATES = 1000  # of all trials together
SAME = 5e-3
"""m; frames whose distances between markers differ less, root mean square, tell the same."""
_NEW = 0.2  # m; as which a distance counts that the other frame lacks
_WELL_SEEN = 0.9  # of the most markers that any frame of the trial shows


def trial_paths(trials: Sequence[MarkerTrajectories]) -> str:
    """What an error names."""
    return ", ".join(trial.source.path for trial in trials) or "trials"


def tracked_model(model: Model, trials: Sequence[MarkerTrajectories], weights: Mapping[str, float]) -> Model:
    """The model with those markers alone that have a weight, sit on a body and are seen in some trial.

    Raises:
        InputError: fewer than three are left.
    """
    seen = {
        name
        for trial in trials
        for column, name in enumerate(trial.names)
        if np.isfinite(trial.positions[:, column]).all(axis=-1).any()
    }
    wanted = [m for m in model.markers if m.body != GROUND and weights.get(m.name, 0.0) > 0]
    tracked = tuple(m for m in wanted if m.name in seen)
    if len(tracked) < MIN_SEEN:
        names = ", ".join(m.name for m in wanted[:5]) or "there are none"
        raise InputError(
            trial_paths(trials),
            f"{len(tracked)} of the weighted markers on bodies of the model {model.name!r}",
            f"at least {MIN_SEEN} ({names})",
        )
    return model.with_markers(tracked)


def chosen_frames(
    trials: Sequence[MarkerTrajectories], names: Sequence[str], count: int
) -> Float[np.ndarray, "t M 3"]:
    """Positions in ground of the named markers in up to `count` frames of all trials, NaN where unseen.

    Half of the frames are shared out evenly, so that a varied trial does not crowd out a quiet one.

    Raises:
        InputError: no frame shows three markers off one line.
    """
    stacks = [_stack(trial.in_ground(), names) for trial in trials]
    step = max(1, sum(map(len, stacks)) // _CANDIDATES)
    parts = [stack[_well_seen(stack)][::step] for stack in stacks]
    positions, trial = np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    breadths = np.array([_breadth(frame) for frame in positions])
    if not (breadths > _STRAIGHT).any():
        raise InputError(
            trial_paths(trials),
            f"markers that stray {1e3 * breadths.max(initial=0):.0f} mm from a line at most",
            f"at least {MIN_SEEN} in view that are not on one line",
        )
    is_used = breadths > _STRAIGHT
    positions, trial = positions[is_used], trial[is_used]
    share = count // (2 * len(trials))
    own = [np.flatnonzero(trial == k) for k in range(len(trials))]
    even = [rows[most_different(positions[rows], share)] for rows in own if len(rows) and share]
    first = np.concatenate(even) if len(even) > 1 else None
    return positions[most_different(positions, count, first)]


def most_different(
    positions: Float[np.ndarray, "N M 3"], count: int, first: Int[np.ndarray, " f"] | None = None
) -> Int[np.ndarray, " n"]:
    """Indices, in order, of up to `count` frames, by farthest-point sampling from those in `first`, or from
    the most ordinary one.

    Shapes are compared by the distances between markers that both frames show, which no turn or shift of
    the person changes; a distance that no chosen frame shows counts as a large difference. Frames that hardly
    differ from a chosen one are not chosen: standing still a second time tells nothing new.
    """
    one, other = np.triu_indices(positions.shape[1], 1)
    shapes = np.linalg.norm(positions[:, one] - positions[:, other], axis=-1).astype(np.float32)
    known = np.isfinite(shapes)
    shapes = np.where(known, shapes, 0.0)
    mean = shapes.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    ordinary = int(np.argmin(_differences(shapes, known, mean, known.any(axis=0))))
    chosen = [ordinary] if first is None else first.tolist()
    nearest = np.full(len(shapes), np.inf)
    for index in chosen[:-1]:
        nearest = np.minimum(nearest, _differences(shapes, known, shapes[index], known[index]))
    while len(chosen) < min(count, len(shapes)):
        last = chosen[-1]
        nearest = np.minimum(nearest, _differences(shapes, known, shapes[last], known[last]))
        farthest = int(np.argmax(nearest))
        if nearest[farthest] < SAME**2:
            break
        chosen.append(farthest)
    return np.sort(np.array(chosen))


def _stack(trial: MarkerTrajectories, names: Sequence[str]) -> Float[np.ndarray, "T M 3"]:
    positions = np.full((trial.num_frames, len(names), 3), np.nan)
    for column, name in enumerate(names):
        if name in trial.names:
            positions[:, column] = trial.positions[:, trial.names.index(name)]
    positions[~np.isfinite(positions).all(axis=-1)] = np.nan
    return positions


def _well_seen(positions: Float[np.ndarray, "T M 3"]) -> Int[np.ndarray, " n"]:
    """Frames that show most of what the trial shows."""
    seen = np.isfinite(positions[..., 0]).sum(axis=1)
    return np.flatnonzero((seen >= MIN_SEEN) & (seen >= _WELL_SEEN * seen.max(initial=0)))


def _breadth(points: Float[np.ndarray, "M 3"]) -> float:
    """m; the second largest extent of the markers seen."""
    seen = points[np.isfinite(points).all(axis=-1)]
    return float(np.linalg.svd(seen - seen.mean(axis=0), compute_uv=False)[1])


def _differences(shapes: np.ndarray, known: np.ndarray, shape: np.ndarray, has: np.ndarray) -> np.ndarray:
    """(N,) mean squared differences to one shape of the distances that each knows."""
    differences = np.where(has, shapes - shape, _NEW) * known
    return (differences**2).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
