"""The multi-step baseline: 2D keypoints of calibrated views -> triangulation -> filter -> scaling -> IK.

What markerless motion capture mostly does (Pose2Sim: Pagnon et al., Sensors 21, 2021; OpenCap: Uhlrich et
al., PLOS Computational Biology 19, 2023), with the project's own scaling and inverse kinematics.
"""

from odah.benchmark.methods.multi_step.blazepose_keypoints import BlazePoseKeypoints
from odah.benchmark.methods.multi_step.json_keypoints import JsonKeypoints
from odah.benchmark.methods.multi_step.keypoint_sets import KeypointSet, keypoint_set
from odah.benchmark.methods.multi_step.keypoints import Keypoints, KeypointSource
from odah.benchmark.methods.multi_step.method import MultiStep
from odah.benchmark.methods.multi_step.projected_truth import Noise, ProjectedTruth
from odah.benchmark.methods.multi_step.settings import MultiStepSettings

__all__ = [
    "BlazePoseKeypoints",
    "JsonKeypoints",
    "KeypointSet",
    "KeypointSource",
    "Keypoints",
    "MultiStep",
    "MultiStepSettings",
    "Noise",
    "ProjectedTruth",
    "keypoint_set",
]
