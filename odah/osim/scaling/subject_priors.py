"""What is known of a person's bones and of where markers are worn, before any marker is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from odah.osim.full_body import left
from odah.osim.markersets import MarkerSet
from odah.osim.model import Model


@dataclass(frozen=True)
class SubjectPriors:
    """Standard deviations, of normal distributions about the generic model.

    The logarithm of a body's scale factor along an axis is a sum of independent effects: `size` of the whole
    person, `segment` (one for all bodies that `segments` gives the same name, else one for each), `axis` of
    the body, and `side` of the body itself; without that, left and right are equal. Mirror images share the
    others; they are known by `_r` and `_l` in their names. Size is left to the markers. Proportions vary
    little: lengths of segments have coefficients of variation about 5 % and correlate with stature at 0.8 to
    0.9 (surveys such as Gordon et al. 1989), which leaves 2 to 3 % between people of one height.

    markers: (3,) in m by name, along the axes of the marker's body; `marker` where there is none. Trained
    examiners differ by 13 to 25 mm in where they find a landmark (Della Croce et al. 1999).
    noise: of one marker coordinate in one frame, m, for a marker of mean weight; mostly skin that slides over
    bone (Leardini et al. 2005). Such errors repeat themselves, so that any number of frames tells as much as
    `frames` independent ones. outlier: standard deviations of that noise beyond which a marker does not pull
    harder (Huber 1964): frames that differ most are also those that the model's joints follow worst.
    """

    size: float = 0.3
    segment: float = 0.03
    axis: float = 0.02
    side: float = 0.0
    marker: float = 0.02
    noise: float = 0.01
    frames: float = 10.0
    outlier: float = 3.0
    segments: Mapping[str, str] = field(default_factory=dict)
    markers: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("size", "noise", "frames", "outlier"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} {getattr(self, name)}, expected a positive number")


LANDMARK, SOFT, FIXED = 0.02, 0.05, 0.005
"""Standard deviations of a marker's place, m: of landmarks, along axes that a marker set frees, and along
axes where it says what the body's neutral orientation is. Nothing else does: a pelvis that tilts, on hips and
under a back that make up for it, looks the same to all other markers."""


def priors_of_marker_set(marker_set: MarkerSet) -> SubjectPriors:
    """Its segments; markers may move along their movable axes, hardly along their fixed ones."""
    markers = {
        name: np.where(rule.fixed, FIXED, np.where(rule.movable, SOFT, LANDMARK))
        for name, rule in marker_set.rules.items()
    }
    return SubjectPriors(segments=marker_set.segments, markers=markers)


def mirror_pairs(model: Model) -> dict[str, str]:
    """By body, the name that it shares with its mirror image: that of the right one."""
    rights = {left(name): name for name in model.body_names if left(name) != name}
    return {name: rights.get(name, name) for name in model.body_names}


def scale_effects(model: Model, priors: SubjectPriors) -> Float[np.ndarray, "K 3 E"]:
    """Log scale factors by effects in their standard deviations; the first is the whole person's size."""
    pairs = mirror_pairs(model)
    axes = np.arange(3)
    segments = [priors.segments.get(body, pairs[body]) for body in model.body_names]
    blocks = [np.full((len(segments), 3, 1), priors.size)]
    blocks.append(priors.segment * _indicators([[segment] * 3 for segment in segments]))
    blocks.append(priors.axis * _indicators([[(pairs[body], a) for a in axes] for body in model.body_names]))
    if priors.side > 0:
        blocks.append(priors.side * _indicators([[(body, a) for a in axes] for body in model.body_names]))
    return np.concatenate(blocks, axis=-1)


def marker_deviations(model: Model, priors: SubjectPriors) -> Float[np.ndarray, "M 3"]:
    """m, in the order of the model's markers."""
    default = np.full(3, priors.marker)
    return np.array([priors.markers.get(name, default) for name in model.marker_names], dtype=float)


def _indicators(names: list[list[object]]) -> Float[np.ndarray, "K 3 E"]:
    """1 where a body's axis has the effect's name."""
    distinct = list(dict.fromkeys(name for row in names for name in row))
    return np.array([[[float(name == each) for each in distinct] for name in row] for row in names])
