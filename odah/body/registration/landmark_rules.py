"""Where an OpenSim full-body model's markers are palpated, as rays inside a T-pose body.

Rules are for the left side of a 1.70 m body in SMPL-X's T-pose (left +X, up +Y, front +Z, palms
down) and scale with stature: from a point relative to the body's joints a ray runs outwards to the
skin. Anatomy after Wu et al. 2002, 2005 (ISB) and the marker set of Rajagopal et al. 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

STATURE = 1.70
"""m; stature at which the offsets of the rules are metres."""


@dataclass(frozen=True)
class LandmarkRule:
    """name: of the marker without its L/R; bone: OpenSim body without _l/_r.

    A ray starts on the segment from joint `start` to joint `end`, at `fraction` of it, moved by
    `offset` (m at `STATURE`), and runs along `direction`.
    """

    name: str
    bone: str
    description: str
    start: str
    direction: tuple[float, float, float]
    end: str = ""
    fraction: float = 0.0
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)


_LATERAL, _MEDIAL = (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0)
_UP, _DOWN = (0.0, 1.0, 0.0), (0.0, -1.0, 0.0)
_FRONT, _BACK = (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)

MIDLINE_RULES: tuple[LandmarkRule, ...] = (
    LandmarkRule("C7", "torso", "spinous process of the 7th cervical vertebra", "neck", _BACK),
    LandmarkRule("CLAV", "torso", "suprasternal notch", "neck", _FRONT, offset=(0, -0.055, 0)),
)

SIDE_RULES: tuple[LandmarkRule, ...] = (
    LandmarkRule("ACR", "torso", "acromion", "shoulder", _UP, offset=(-0.035, 0, 0)),
    LandmarkRule("ASH", "torso", "front of the shoulder", "shoulder", _FRONT, offset=(-0.045, 0.005, 0)),
    LandmarkRule("PSH", "torso", "back of the shoulder", "shoulder", _BACK, offset=(-0.045, 0.005, 0)),
    LandmarkRule("UA1", "humerus", "deltoid, lateral", "shoulder", _UP, "elbow", 0.20),
    LandmarkRule("UA2", "humerus", "upper arm, lateral, above the elbow", "shoulder", _UP, "elbow", 0.70),
    LandmarkRule("UA3", "humerus", "upper arm, front", "shoulder", (0, 0.6, 1), "elbow", 0.47),
    LandmarkRule("LEL", "humerus", "lateral epicondyle of the humerus", "elbow", _UP),
    LandmarkRule("MEL", "humerus", "medial epicondyle of the humerus", "elbow", _DOWN),
    LandmarkRule("FAsuperior", "ulna", "forearm, upper third", "elbow", _UP, "wrist", 0.33),
    LandmarkRule(
        "FAradius", "radius", "styloid process of the radius", "wrist", _FRONT, offset=(-0.008, 0, 0)
    ),
    LandmarkRule("FAulna", "radius", "styloid process of the ulna", "wrist", _BACK, offset=(-0.008, 0, 0)),
    LandmarkRule("MC2", "hand", "head of the 2nd metacarpal, back of the hand", "index1", _UP),
    LandmarkRule("MC5", "hand", "head of the 5th metacarpal, back of the hand", "pinky1", _UP),
    LandmarkRule(
        "ASI", "pelvis", "anterior superior iliac spine", "hip", (0.35, 0, 1), offset=(0.03, 0.068, 0)
    ),
    LandmarkRule("PSI", "pelvis", "posterior superior iliac spine", "hip", _BACK, offset=(-0.043, 0.085, 0)),
    LandmarkRule("TH1", "femur", "thigh, lateral, upper third", "hip", (1, 0, 0.2), "knee", 0.37),
    LandmarkRule("TH2", "femur", "thigh, front, middle", "hip", _FRONT, "knee", 0.57),
    LandmarkRule("TH3", "femur", "thigh, lateral, lower third", "hip", (1, 0, 0.1), "knee", 0.74),
    LandmarkRule("LFC", "femur", "lateral epicondyle of the femur", "knee", _LATERAL, offset=(0, 0, 0.005)),
    LandmarkRule("MFC", "femur", "medial epicondyle of the femur", "knee", _MEDIAL, offset=(0, 0, 0.005)),
    LandmarkRule("TB1", "tibia", "shank, lateral, upper third", "knee", _LATERAL, "ankle", 0.37),
    LandmarkRule("TB2", "tibia", "shank, front, middle", "knee", _FRONT, "ankle", 0.56),
    LandmarkRule("TB3", "tibia", "shank, lateral, lower third", "knee", (1, 0, 0.2), "ankle", 0.72),
    LandmarkRule("LMAL", "tibia", "lateral malleolus", "ankle", _LATERAL, offset=(0, 0.003, 0.008)),
    LandmarkRule("MMAL", "tibia", "medial malleolus", "ankle", _MEDIAL, offset=(0, 0.006, 0.013)),
    LandmarkRule("CAL", "calcn", "back of the heel", "ankle", _BACK, offset=(0, -0.045, 0)),
    LandmarkRule("TOE", "calcn", "head of the 1st metatarsal, top", "foot", _UP, offset=(-0.025, 0, 0.005)),
    LandmarkRule(
        "MT5", "calcn", "head of the 5th metatarsal", "foot", (1, 0.35, 0), offset=(0.015, 0, -0.02)
    ),
)
