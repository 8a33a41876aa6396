"""What is still plausible: the thresholds of the checks, each with its reason; m, m/s, rad."""

from __future__ import annotations

import numpy as np

CONTACT_SPEED = 0.15
"""A point that touches the floor and moves slower than this stands on it: 5 mm in a frame at 30 fps (Rempe et
al. 2021, HuMoR: how contacts are labelled on AMASS)."""
SLIDING_SPEED = 2 * CONTACT_SPEED
"""A sole near the floor and slower than this stands and perhaps slides; swinging feet pass the floor at
several m/s (Winter 1992, Foot trajectory in human gait)."""
CONTACT_HEIGHT = 0.04
"""Soles below this height are near the floor (Rempe et al. 2021: toe joints of someone who stands)."""
MAX_JUMP = 1.0
"""More than anyone jumps, so that a clip in the air is told from a recording with its origin elsewhere."""

MAX_SLIDING_MM = 2.0
"""Mean sliding of the mesh beyond the skeleton's own, mm a frame at 60 fps: 0.12 m/s, less than
`CONTACT_SPEED`."""
MAX_PENETRATION = 0.005
"""95th percentile of the depth below the floor: soft soles give by about as much under a person's weight."""
MAX_FLOATING = 0.020
"""95th percentile of the gap below someone who stands: the height of a shoe's sole, where shadows part."""
MAX_SELF_PENETRATION = 0.020
"""Flesh gives by a centimetre or two where limbs press on it; what goes deeper should be elsewhere."""
MAX_ARMPIT_PENETRATION = 0.05
"""Upper arm against trunk: where an arm hangs, its inner side and the ribs flatten one another over half the
arm's thickness, which skinned meshes show as overlap in every standing pose."""
MAX_SELF_PENETRATION_SHARE = 0.02
"""Share of a clip's frames that may be worse, so that a single touch does not condemn a clip."""

HINGE_LIMITS: dict[str, tuple[float, float]] = {
    "knee": (np.deg2rad(-15.0), np.deg2rad(160.0)),
    "elbow": (np.deg2rad(-15.0), np.deg2rad(160.0)),
}
"""Flexion of the body's own joints, from the straight limb of its T-pose. Men reach 142 (sd 5) degrees at
the knee and 143 (sd 6) at the elbow by themselves, and -1 to -10 in extension (Boone and Azen 1979); kneeling
on the heels takes 157 (Hefzy et al. 1998)."""
