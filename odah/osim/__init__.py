"""OpenSim models, coordinates and markers: read, write, move, scale, solve."""

from odah.osim.fk import ForwardKinematics, SkeletonPose
from odah.osim.full_body import full_body_model
from odah.osim.model import Body, Coordinate, Coupler, Joint, Marker, Model
from odah.osim.parse import read_model
from odah.osim.scale import scale_model
from odah.osim.write import write_model

__all__ = [
    "Body",
    "Coordinate",
    "Coupler",
    "ForwardKinematics",
    "Joint",
    "Marker",
    "Model",
    "SkeletonPose",
    "full_body_model",
    "read_model",
    "scale_model",
    "write_model",
]
