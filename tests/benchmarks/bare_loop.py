"""Runs inside Blender's Python: renders a written job with nothing but a loop around the render call."""

import json
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[2])

import bpy
import engines
import people
import rooms

job_path = Path(sys.argv[1])
job = json.loads(job_path.read_text())
bpy.ops.wm.read_factory_settings(use_empty=True)
rooms.build_room(job["scene"]["room"])
rooms.build_lights(job["scene"]["lights"])
layers = [people.LayerMesh(values, job_path.parent) for values in job["layers"]]
engines.apply_settings(job)
views = [(values, rooms.build_camera(values)) for values in job["scene"]["cameras"]]
scene = bpy.context.scene
for frame in range(job["num_frames"]):
    for layer in layers:
        layer.pose(frame)
    for values, camera in views:
        scene.camera = camera
        scene.render.resolution_x, scene.render.resolution_y = values["width"], values["height"]
        scene.render.filepath = str(job_path.parent / f"{values['name']}_{frame}.bmp")
        bpy.ops.render.render(write_still=True)
