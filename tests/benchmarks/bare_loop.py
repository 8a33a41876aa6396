"""Runs inside Blender's Python: renders a written job with nothing but a loop around the render call."""

import json
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[2])

import bpy
import worker

job_path = Path(sys.argv[1])
job = json.loads(job_path.read_text())
bpy.ops.wm.read_factory_settings(use_empty=True)
layers, views = worker.build(job, job_path.parent)
for frame in range(job["num_frames"]):
    for layer in layers:
        layer.pose(frame)
    for view in views:
        view.render(frame, job_path.parent / f"{view.name}_{frame}.bmp")
