"""From a config to a dataset: the only place where the stages meet."""

from odah.pipeline.generate import generate_dataset
from odah.pipeline.recording import recording_kinematics

__all__ = ["generate_dataset", "recording_kinematics"]
