"""Motion files and built-in actions as plain arrays whose axes, units and rate are said."""

from odah.motion.actions import builtin_action
from odah.motion.amass_writer import write_amass
from odah.motion.load import SUFFIXES, load_motion
from odah.motion.resample import resample
from odah.motion.types import CoordinateTrajectory, MarkerTrajectories, Motion, Source

__all__ = [
    "SUFFIXES",
    "CoordinateTrajectory",
    "MarkerTrajectories",
    "Motion",
    "Source",
    "builtin_action",
    "load_motion",
    "resample",
    "write_amass",
]
