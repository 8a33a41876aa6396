"""Pose2Sim (Pagnon et al., Sensors 21, 2021; Journal of Open Source Software 7, 2022) as it is, in its own
environment, on the keypoints and cameras that the multi-step baseline gets.

With its marker augmentation these are also the steps of OpenCap (Uhlrich et al., PLOS Computational Biology
19, 2023), whose network that is; docs/benchmark.md says how they differ from OpenCap's own programs.
"""

from odah.benchmark.methods.pose2sim.environment import Environment, find_environment
from odah.benchmark.methods.pose2sim.method import Pose2Sim

__all__ = ["Environment", "Pose2Sim", "find_environment"]
