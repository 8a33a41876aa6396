"""Marker inverse kinematics: all frames of a trial at once."""

from odah.osim.ik.solve import InverseKinematics, inverse_kinematics
from odah.osim.ik.trial import CoordinateTask

__all__ = ["CoordinateTask", "InverseKinematics", "inverse_kinematics"]
