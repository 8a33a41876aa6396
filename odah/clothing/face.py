"""Where a face's parts are, measured on the T-pose mesh: no vertex numbers, so any SMPL-X-like head works."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odah.clothing.rest_body import RestBody
from odah.names import SIDES


@dataclass(frozen=True)
class FaceFrame:
    """Landmarks in the T-pose, m. eye: midpoint between the eyes; half: half the distance between them;
    crown: height of the head's top; axis_z: depth of the skull's middle; nose_tip, mouth, chin: heights."""

    eye: np.ndarray
    half: float
    crown: float
    axis_z: float
    nose_tip: float
    mouth: float
    chin: float

    @property
    def forehead(self) -> float:
        """Height of the head above the eyes, m."""
        return self.crown - float(self.eye[1])

    @classmethod
    def of(cls, rest: RestBody) -> FaceFrame:
        eyes = [rest.joint(f"{side}_eye") for side in SIDES]
        eye, half = np.mean(eyes, 0), abs(eyes[0][0] - eyes[1][0]) / 2
        head = rest.vertices[rest.head_weight > 0.5]
        crown = head[:, 1].max()
        skull = head[head[:, 1] > eye[1] + 0.3 * (crown - eye[1])]
        axis_z = (skull[:, 2].max() + skull[:, 2].min()) / 2
        profile = head[
            (np.abs(head[:, 0]) < 0.2 * half) & (head[:, 1] < eye[1]) & (head[:, 2] > eye[2] - 0.2 * half)
        ]
        nose = profile[profile[:, 2].argmax()]
        front = profile[profile[:, 2] > nose[2] - 1.3 * half]
        chin = float(front[:, 1].min())
        lips = rest.vertices[rest.groups.get("lips", [])]
        mouth = float(nose[1] + 0.40 * (chin - nose[1]))
        if len(lips):
            mouth = float(np.median(lips[lips[:, 2] > lips[:, 2].max() - 0.01, 1]))
        return cls(eye, float(half), float(crown), float(axis_z), float(nose[1]), mouth, chin)
