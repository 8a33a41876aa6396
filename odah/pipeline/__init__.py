"""From a config to a dataset: the only place where the stages meet."""

from odah.pipeline.generate import generate_dataset
from odah.pipeline.recordings import solve_recordings

__all__ = ["generate_dataset", "solve_recordings"]
