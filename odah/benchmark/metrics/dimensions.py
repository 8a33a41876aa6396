"""How large a model's bodies are along their own axes, so that errors of scale factors become lengths."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from odah.osim.model import Model


def body_dimensions(model: Model) -> Float[np.ndarray, "K 3"]:
    """Extents of the bodies, m, in the order of the model's.

    The box around a body's origin, joints and markers. Bones that end without a joint, as those of forearm,
    hand and toes, have their mass centre beyond it, about half way along: there the box reaches as far again.
    The D3KE paper (section 3.1.1) does not say how it measures dimensions; this needs no meshes.
    """
    points = {body.name: [np.zeros(3)] for body in model.bodies}
    known = [(marker.body, marker.offset) for marker in model.markers]
    for joint in model.joints:
        known += [(joint.parent, joint.T_parent[:3, 3]), (joint.child, joint.T_child[:3, 3])]
    for name, point in known:
        if name in points:  # and not ground
            points[name].append(point)
    return np.array([_extents(np.array(points[body.name]), body.com) for body in model.bodies])


def _extents(points: Float[np.ndarray, "N 3"], com: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " 3"]:
    is_inside = (points.min(axis=0) <= com) & (com <= points.max(axis=0))
    return np.ptp(points if is_inside.all() else np.vstack([points, 2 * com]), axis=0)
