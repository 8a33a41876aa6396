"""Markers that were not labelled as they should be: left and right exchanged, or hardly any seen.

A skeleton solved from exchanged names still fits them: bones stretch, markers move along their bodies.
What gives them away is where they then sit, and that they point against the other pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from odah.errors import InputError
from odah.motion.types import MarkerTrajectories
from odah.osim.full_body import full_body_model
from odah.osim.kinematics import Kinematics, model_markers
from odah.osim.markersets import choose_marker_set
from odah.osim.model import Marker

Solve = Callable[[MarkerTrajectories], Kinematics]

_OTHER_SIDE = (("Right", "Left"), ("right", "left"), ("R", "L"), ("r", "l"))
_FRAMES = 12
"""What a trial with other names is solved on."""
_SUSPECT = 0.075
"""m; the RMS distance of markers from their usual places. With right names 0.035 to 0.045 on recordings with
the Vicon set of 41 markers, with exchanged ones 0.07 to 0.16."""
_MUCH_LESS = 0.75
_MOST = 0.5


def side_pairs(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """(right, left) names that differ by their side only: RKNE and LKNE, R.Knee and L.Knee."""
    there, pairs = set(names), []
    for name in names:
        for right, left in _OTHER_SIDE:
            places = [k for k in range(len(name)) if name.startswith(right, k)]
            others = [name[:k] + left + name[k + len(right) :] for k in places]
            found = [other for other in others if other in there]
            if found:
                pairs.append((name, found[0]))
                break
    return tuple(pairs)


def crossed_pairs(markers: MarkerTrajectories) -> tuple[tuple[str, str], ...]:
    """Pairs whose left-to-right vectors point against those of most other pairs, over the clip.

    Either they are exchanged, or the others are. Each pair is given the sign that agrees with the rest.
    """
    pairs = side_pairs(markers.names)
    if len(pairs) < 3:
        return ()
    column = {name: k for k, name in enumerate(markers.names)}
    across = np.stack([markers.positions[:, column[a]] - markers.positions[:, column[b]] for a, b in pairs])
    widths = np.linalg.norm(across, axis=-1, keepdims=True)
    seen = widths > 0
    across = np.divide(across, widths, out=np.zeros_like(across), where=seen)
    together = seen[..., 0].astype(float) @ seen[..., 0].T
    agreement = np.tensordot(across, across, ([1, 2], [1, 2])) / np.maximum(together, 1)
    np.fill_diagonal(agreement, 0)
    signs = np.ones(len(pairs))
    for _ in pairs:
        support = signs * (agreement @ signs)
        if support.min() >= 0:
            break
        signs[np.argmin(support)] *= -1
    crossed = tuple(pair for pair, sign in zip(pairs, signs, strict=True) if sign < 0)
    return crossed if 2 * len(crossed) <= len(pairs) else tuple(pair for pair in pairs if pair not in crossed)


def exchanged(markers: MarkerTrajectories, pairs: Sequence[tuple[str, str]]) -> MarkerTrajectories:
    """The same markers, the names of these pairs exchanged."""
    other = {a: b for pair in pairs for a, b in (pair, pair[::-1])}
    return replace(markers, names=tuple(other.get(name, name) for name in markers.names))


def misplacement(markers: MarkerTrajectories, solved: Kinematics) -> float:
    """RMS distance (m) of measured markers from where the solved skeleton would usually wear them.

    Usually: as the generic model's markers, scaled with its bones; a marker that no known set has, where
    the solved model carries it.
    """
    places = _usual_places(solved)
    names = tuple(place.name for place in places)
    usual = model_markers(solved.model.with_markers(places), solved.coordinates)
    measured = during(markers.in_ground(), solved, names)
    return float(np.sqrt(np.nanmean(((measured - usual) ** 2).sum(-1))))


def during(markers: MarkerTrajectories, solved: Kinematics, names: Sequence[str]) -> np.ndarray:
    """(T, M, 3) positions of the named markers in the frames that were solved."""
    first = round((solved.start_time - markers.start_time) * markers.rate)
    columns = [markers.names.index(name) for name in names]
    return markers.positions[first : first + solved.num_frames, columns]


def check_sides(markers: MarkerTrajectories, solved: Kinematics, solve: Solve) -> None:
    """Refuse a recording whose left and right names are exchanged, of all markers or of some.

    A suspicion is tested by solving a few frames with the names exchanged, with `solve`.

    Raises:
        InputError: with other names the markers sit much closer to their usual places; names the pairs.
    """
    pairs, crossed = side_pairs(markers.names), crossed_pairs(markers)
    own = misplacement(markers, solved)
    if not pairs or (not crossed and own < _SUSPECT):
        return
    spread = np.linspace(0, markers.num_frames - 1, min(_FRAMES, markers.num_frames)).round().astype(int)
    few = replace(markers, positions=markers.positions[spread])
    rest = tuple(pair for pair in pairs if pair not in crossed)
    choice, least = (), own
    for other in filter(None, dict.fromkeys([crossed, rest, pairs])):
        score = _score(exchanged(few, other), solve)
        choice, least = (other, score) if score < least else (choice, least)
        if least < min(_SUSPECT, _MUCH_LESS * own):
            break
    if least < _MUCH_LESS * own:
        which = "all left and right names" if choice == pairs else " and ".join(map("/".join, choice))
        raise InputError(
            f"{markers.source.path}, marker names",
            f"{which} exchanged (markers {1e3 * own:.0f} mm from their usual places, "
            f"{1e3 * least:.0f} mm with the names exchanged)",
            "each name on its own side",
        )


def check_seen(markers: MarkerTrajectories, solved: Kinematics) -> None:
    """Refuse a recording that lacks most positions of the markers that it names.

    Raises:
        InputError: less than half of the positions are there.
    """
    seen = np.isfinite(during(markers, solved, solved.tracked_markers)).all(-1).mean()
    if seen < _MOST:
        raise InputError(
            f"{markers.source.path}, marker positions", f"{1 - seen:.0%} of them missing",
            f"at least {_MOST:.0%} present",
        )  # fmt: skip


def _score(markers: MarkerTrajectories, solve: Solve) -> float:
    try:
        return misplacement(markers, solve(markers))
    except InputError:  # what cannot even be solved is not how the markers were named
        return np.inf


def _usual_places(solved: Kinematics) -> tuple[Marker, ...]:
    own = {marker.name: marker for marker in solved.model.markers}
    factors = dict(zip(solved.model.body_names, solved.scale_factors, strict=True))
    try:
        known = choose_marker_set(solved.tracked_markers, full_body_model()).places(full_body_model())
    except InputError:
        known = {}
    usual = {
        name: replace(place, offset=place.offset * factors[place.body])
        for name, place in known.items()
        if place.body in factors
    }
    return tuple(usual.get(name, own[name]) for name in solved.tracked_markers)
