"""Markers worn on the head, where the OpenSim model has no bone: which, where worn, and how the head turns.

Positions on the head are in SMPL-X's axes (left +X, up +Y, front +Z), m, from the middle of its cap: the
skin above the brow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.spatial.transform import Rotation

from odah.body.body_model import BodyModel
from odah.body.fitting.marker_checks import during, exchanged, side_pairs
from odah.errors import InputError
from odah.motion.types import MarkerTrajectories
from odah.names import SMPLX_INDEX
from odah.osim.fk import ForwardKinematics
from odah.osim.kinematics import Kinematics

HEAD = "head"
"""What such markers have for a body."""
MIN_MARKERS = 3
"""Fewer do not tell how the head turns."""

_SIDED = {
    "lfhd rfhd lfhead rfhead": (0.072, -0.025, 0.072),
    "lbhd rbhd lbhead rbhead": (0.060, -0.060, -0.072),
    "headl headr lhead rhead": (0.085, -0.040, 0.0),
}
_CENTRAL = {
    "ariel tophead headtop": (0.0, 0.070, 0.0),
    "fronthead headfront": (0.0, -0.025, 0.105),
    "rearhead headback": (0.0, -0.060, -0.105),
}
"""Names without prefix, separators and capitals, left before right, and the left one's place. In use by Vicon
(Plug-in Gait: a band, at the temples and the back of the head), Qualisys, Motion Analysis and MoSh. Bands
tilt: their back is lower, under the bulge of the head."""

_CAP = 0.4
"""Part of the head's height above its joint where the cap begins, about the brow."""
_STANDS_OFF = 0.01
"""m from the skin: a marker's radius, and the band."""
_MOST = 0.5
_TURNED_TOO_FAR_DEG = 110.0
"""Between head and chest; beyond any neck, as a median over a clip."""
_MISFIT = 0.030
"""m, RMS, from the places that the table says. At most 0.02 on recordings with Vicon's four; 0.077 and more
with left and right of one pair exchanged."""


@dataclass(frozen=True)
class HeadMarkers:
    """names (H,) and positions (T, H, 3), ground, m, of those to follow; notes: why there are none, if some
    could have been."""

    names: tuple[str, ...]
    positions: Float[np.ndarray, "T H 3"]
    notes: tuple[str, ...] = ()


def head_places(names: Sequence[str]) -> dict[str, np.ndarray]:
    """Where a head wears those of `names` that are known to be on it; of two alike, the first."""
    known, found = _known_places(), {}
    for name in names:
        plain = re.sub(r"[\s_.\-]", "", name.rsplit(":", 1)[-1].lower())
        if plain in known:
            found.setdefault(plain, name)
    return {name: known[plain] for plain, name in found.items()}


def head_markers(markers: MarkerTrajectories, solved: Kinematics) -> HeadMarkers:
    """The markers on the head that `solved` did not use, in its frames; none unless they tell how it turns.

    Raises:
        InputError: left and right of them are exchanged; names the pairs.
    """
    places = head_places([name for name in markers.names if name not in solved.tracked_markers])
    none = HeadMarkers((), np.zeros((solved.num_frames, 0, 3)))
    if not places:
        return none
    names = tuple(places)
    positions = during(markers.in_ground(), solved, names)
    together = np.isfinite(positions).all(-1).sum(1) >= MIN_MARKERS
    if together.mean() < _MOST:
        return replace(none, notes=(_note(names, f"fewer than {MIN_MARKERS} of them are seen together"),))
    misfit, turn_deg = _judged(places, positions, solved)
    if misfit < _MISFIT and turn_deg < _TURNED_TOO_FAR_DEG:
        return HeadMarkers(names, positions)
    told = f"they sit {1e3 * misfit:.0f} mm from their usual places on a head turned {turn_deg:.0f} deg"
    if pairs := _exchanged_pairs(markers, places, solved):
        raise InputError(
            f"{markers.source.path}, marker names",
            f"{' and '.join(map('/'.join, pairs))} exchanged ({told} from the chest)",
            "each name on its own side of the head",
        )
    return replace(none, notes=(_note(names, f"{told} from the chest"),))


def place_on_head(
    body: BodyModel, betas: np.ndarray, names: Sequence[str], pool: Int[np.ndarray, " V"]
) -> tuple[Int[np.ndarray, " H"], Float[np.ndarray, "H 3"]]:
    """The vertices of `pool`, the head's skin, nearest to the places of markers, and offsets outwards from
    them in the T-pose, m."""
    skin, joint = _rest(body, betas, pool)
    height = skin[:, 1] - joint[1]
    cap = skin[height > _CAP * height.max()]
    middle = 0.5 * (cap.min(0) + cap.max(0))
    known = head_places(names)
    places = np.stack([known[name] for name in names])
    nearest = np.linalg.norm(skin - (middle + places)[:, None], axis=-1).argmin(1)
    return pool[nearest], _STANDS_OFF * places / np.linalg.norm(places, axis=1, keepdims=True)


def head_turns(
    worn: Float[np.ndarray, "H 3"], seen: Float[np.ndarray, "T H 3"], chest: Float[np.ndarray, "T 3 3"]
) -> Float[np.ndarray, "T 3"] | None:
    """Rotation vectors (rad) of the head in the chest's frame that bring `worn`, in the T-pose, to `seen`.

    Frames that show fewer than three markers are filled in between; None if all are such.
    """
    rotmats, _ = _turned(worn, seen)
    told = np.flatnonzero(np.isfinite(rotmats).all((1, 2)))
    if not len(told):
        return None
    turns = Rotation.from_matrix(chest[told].mT @ rotmats[told]).as_rotvec()
    frames = np.arange(len(seen))
    return np.stack([np.interp(frames, told, component) for component in turns.T], axis=1)


def rest_places(
    body: BodyModel, betas: np.ndarray, vertices: Int[np.ndarray, " H"], offsets: Float[np.ndarray, "H 3"]
) -> Float[np.ndarray, "H 3"]:
    """Where markers placed on a body of that shape are in the T-pose, m."""
    return _rest(body, betas, vertices)[0] + offsets


def _known_places() -> dict[str, np.ndarray]:
    places = {name: np.array(place) for names, place in _CENTRAL.items() for name in names.split()}
    for names, place in _SIDED.items():
        for k, name in enumerate(names.split()):
            places[name] = np.array(place) * [(-1) ** k, 1, 1]
    return places


def _note(names: Sequence[str], why: str) -> str:
    return f"markers on the head ({', '.join(names)}) are not followed, its posture is assumed: {why}"


def _judged(places: dict[str, np.ndarray], positions: np.ndarray, solved: Kinematics) -> tuple[float, float]:
    """Medians over the clip of the RMS distance (m) from the places, and of the angle (deg) to the chest."""
    rotmats, misfits = _turned(np.stack(list(places.values())), positions)
    told = np.isfinite(misfits)
    with torch.no_grad():
        pose = ForwardKinematics(solved.model)(torch.as_tensor(solved.coordinates[told]))
    torso = pose.body_rotmats[:, solved.model.body_names.index("torso")].double().numpy()
    # OpenSim's torso: front +X, up +Y, right +Z.
    chest = torso @ np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    angles = Rotation.from_matrix(chest.mT @ rotmats[told]).magnitude()
    return float(np.median(misfits[told])), float(np.rad2deg(np.median(angles)))


def _exchanged_pairs(
    markers: MarkerTrajectories, places: dict[str, np.ndarray], solved: Kinematics
) -> tuple[tuple[str, str], ...]:
    """The fewest (right, left) pairs with whose names exchanged the markers sit on a head as they should."""
    pairs = side_pairs(tuple(places))
    for count in range(1, len(pairs) + 1):
        for some in combinations(pairs, count):
            other = during(exchanged(markers.in_ground(), some), solved, tuple(places))
            misfit, turn_deg = _judged(places, other, solved)
            if misfit < _MISFIT and turn_deg < _TURNED_TOO_FAR_DEG:
                return some
    return ()


def _turned(
    worn: Float[np.ndarray, "H 3"], seen: Float[np.ndarray, "T H 3"]
) -> tuple[Float[np.ndarray, "T 3 3"], Float[np.ndarray, " T"]]:
    """Rotations that bring `worn` nearest to `seen` up to a shift (Kabsch 1976), and RMS distances left.

    NaN in frames that show fewer than three.
    """
    shown = np.asarray(np.isfinite(seen).all(-1))
    told = shown.sum(1) >= MIN_MARKERS
    counted = shown[told, :, None]
    weights = counted / counted.sum(1, keepdims=True)
    there = np.where(counted, seen[told], 0)
    there = (there - (weights * there).sum(1, keepdims=True)) * counted
    here = worn - (weights * worn).sum(1, keepdims=True)
    left, _, right = np.linalg.svd(there.mT @ (weights * here))
    left[..., 2] *= np.linalg.det(left @ right)[:, None]
    rotmats, misfits = np.full((len(seen), 3, 3), np.nan), np.full(len(seen), np.nan)
    rotmats[told] = left @ right
    off = here @ rotmats[told].mT - there
    misfits[told] = np.sqrt((weights * off**2).sum((1, 2)))
    return rotmats, misfits


def _rest(body: BodyModel, betas: np.ndarray, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) and the head joint (3,) of the body in the T-pose, m."""
    part = body.restricted_to(vertices)
    still = torch.zeros(1, len(SMPLX_INDEX), 3, dtype=body.dtype)
    with torch.no_grad():
        posed = part(torch.as_tensor(betas, dtype=body.dtype), still, still[:, 0])
    skin, joints = posed.vertices[0].double().numpy(), posed.joints[0].double().numpy()
    return skin, joints[SMPLX_INDEX["head"]]
