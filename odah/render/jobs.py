"""A clip written down for Blender: one JSON file and the layers' arrays beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from odah.clothing.layers import MeshLayer
from odah.errors import InputError
from odah.render.settings import RenderSettings
from odah.render.view import View
from odah.scene.camera import Camera
from odah.scene.lighting import ambient_radiance
from odah.scene.types import Scene

MIN_CAMERA_DISTANCE = 0.25
"""Shortest allowed way from a lens to the person, m: nearer, or inside the body, no picture is of use."""


def check_clip(scene: Scene, layers: Sequence[MeshLayer]) -> None:
    """Refuse what cannot be rendered.

    Raises:
        InputError: no layers or cameras, layers that do not fit together, bad numbers, a camera at the body,
            an odd picture size.
    """
    if not layers:
        raise InputError("layers", "none", "at least one mesh")
    if not scene.cameras:
        raise InputError("scene", "no cameras", "at least one")
    names = [camera.name for camera in scene.cameras]
    if len(set(names)) < len(names) or not all(name.isidentifier() for name in names):
        raise InputError("scene, camera names", f"{names}", "different names that can be file names")
    for layer in layers:
        _check_layer(layer, num_frames=len(layers[0].vertices))
    for camera in scene.cameras:
        _check_camera(camera, layers)


def _check_camera(camera: Camera, layers: Sequence[MeshLayer]) -> None:
    where = f"camera {camera.name}"
    if camera.width % 2 or camera.height % 2:
        raise InputError(where, f"{camera.width} x {camera.height} pixels", "even width and height, for H264")
    for layer in layers:
        nearest = np.array(
            [np.linalg.norm(frame - camera.position, axis=1).min() for frame in layer.vertices]
        )
        if nearest.min() < MIN_CAMERA_DISTANCE:
            found = f"{layer.name} {nearest.min():.2f} m from the lens in frame {nearest.argmin()}"
            raise InputError(where, found, f"at least {MIN_CAMERA_DISTANCE} m")


def _check_layer(layer: MeshLayer, num_frames: int) -> None:
    where = f"layer {layer.name}"
    shape = layer.vertices.shape
    if layer.vertices.ndim != 3 or shape[2] != 3 or 0 in shape:
        raise InputError(where, f"vertices of shape {shape}", "(frames, vertices, 3), none of them 0")
    if len(layer.vertices) != num_frames:
        raise InputError(where, f"{len(layer.vertices)} frames", f"{num_frames} as in the first layer")
    is_finite = np.isfinite(layer.vertices).all(axis=(1, 2))
    if not is_finite.all():
        raise InputError(where, f"a vertex that is not finite in frame {is_finite.argmin()}", "numbers")
    faces = layer.faces
    if faces.ndim != 2 or faces.shape[1] != 3 or len(faces) == 0:
        raise InputError(where, f"faces of shape {faces.shape}", "(triangles, 3)")
    if faces.min() < 0 or faces.max() >= shape[1]:
        found = f"vertex numbers from {faces.min()} to {faces.max()} in the faces"
        raise InputError(where, found, f"0 to {shape[1] - 1}")
    allowed = {"uv": [(shape[1], 2), (len(faces), 3, 2)], "colors": [(shape[1], 3)]}
    for name, shapes in allowed.items():
        values = getattr(layer, name)
        if values is not None and values.shape not in shapes:
            raise InputError(f"{where}, {name}", f"shape {values.shape}", " or ".join(map(str, shapes)))


def write_job(
    folder: Path,
    scene: Scene,
    layers: Sequence[MeshLayer],
    views: Sequence[View],
    settings: RenderSettings,
) -> Path:
    """Write the clip into an empty folder; the job file's path. No "auto" may be left in `settings`."""
    job = {
        "scene": scene.to_dict(),
        "ambient": ambient_radiance(scene.room, scene.lights).tolist(),
        "layers": [_write_layer(folder, index, layer) for index, layer in enumerate(layers)],
        "views": [_write_view(folder, view, layers) for view in views],
        "engine": settings.engine,
        "settings": asdict(settings),
        "num_frames": len(layers[0].vertices),
    }
    path = folder / "job.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    return path


def _write_view(folder: Path, view: View, layers: Sequence[MeshLayer]) -> dict[str, object]:
    """A camera, `K` of every frame where they differ, vertices of the layers that it sees at other times."""
    first = view.pinholes[0]
    vertices: list[str | None] = [None] * len(layers)
    for index, (seen, layer) in enumerate(zip(view.layers, layers, strict=True)):
        if seen is not layer:
            vertices[index] = f"{index}_vertices_{view.name}.npy"
            np.save(folder / f"{index}_vertices_{view.name}.npy", np.asarray(seen.vertices, np.float32))
    is_moving = any(pinhole is not first for pinhole in view.pinholes)
    K_by_frame = [pinhole.K.tolist() for pinhole in view.pinholes] if is_moving else None
    return first.to_dict() | {"K_by_frame": K_by_frame, "vertices": vertices}


def _write_layer(folder: Path, index: int, layer: MeshLayer) -> dict[str, object]:
    material = layer.material
    arrays = {
        "vertices": np.asarray(layer.vertices, np.float32),
        "faces": np.asarray(layer.faces, np.int32),
        "uv": layer.uv,
        "colors": layer.colors,
        "texture": material.texture,
        "relief": material.relief,
    }
    names: dict[str, str | None] = {}
    for key, array in arrays.items():
        names[key] = None if array is None else f"{index}_{key}.npy"
        if array is not None:
            np.save(folder / f"{index}_{key}.npy", array, allow_pickle=False)
    look = {
        "kind": material.kind,
        "base_color": [float(channel) for channel in material.base_color],
        "roughness": float(material.roughness),
        "relief_depth": float(material.relief_depth),
    }
    return {"name": layer.name, "material": look, **names}
