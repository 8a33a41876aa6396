"""Bodies with SMPL-X's interface: the open body or a licensed one, and fitting them to moving skeletons."""

from odah.body.animation import BodyAnimation, load_animation, write_animation
from odah.body.fitting.body_fitter import BodyFit, BodyFitter, FittedSubject, virtual_markers
from odah.body.fitting.measured_markers import MarkerPlacement, MeasuredMarkers, measured_markers
from odah.body.mesh import MeshClip
from odah.body.model import BodyModel, BodyPose, load_body
from odah.body.registration import Registration, load_registration

__all__ = [
    "BodyAnimation",
    "BodyFit",
    "BodyFitter",
    "BodyModel",
    "BodyPose",
    "FittedSubject",
    "MarkerPlacement",
    "MeasuredMarkers",
    "MeshClip",
    "Registration",
    "load_animation",
    "load_body",
    "load_registration",
    "measured_markers",
    "virtual_markers",
    "write_animation",
]
