"""Bodies with SMPL-X's interface: the open body or a licensed one, and fitting them to moving skeletons."""

from odah.body.fitting.body_fitter import BodyFit, BodyFitter, virtual_markers
from odah.body.mesh import MeshClip
from odah.body.model import BodyModel, BodyPose, load_body
from odah.body.registration import Registration, load_registration

__all__ = [
    "BodyFit",
    "BodyFitter",
    "BodyModel",
    "BodyPose",
    "MeshClip",
    "Registration",
    "load_body",
    "load_registration",
    "virtual_markers",
]
