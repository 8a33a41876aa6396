"""Render engines and their settings: no motion blur, no ray tracing in EEVEE, one noise for all frames."""

from __future__ import annotations

import ctypes

import bpy
import surroundings

GPU_KINDS = ("OPTIX", "CUDA", "HIP", "METAL", "ONEAPI")
"""What Cycles can run on besides the CPU, best first."""


def probe_gl(picture: str) -> dict:
    """Render one tiny picture with OpenGL and say what drew it. Run it in a process of its own.

    Without libEGL Blender aborts the process; that case is told before it happens.
    """
    try:
        ctypes.CDLL("libEGL.so.1")
    except OSError as error:
        if bpy.app.build_platform.startswith(b"Linux"):
            return {"renderer": None, "missing": str(error)}
    import gpu

    scene = bpy.context.scene
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_x = scene.render.resolution_y = 8
    scene.render.filepath = picture
    bpy.ops.render.render(write_still=True)
    return {"renderer": gpu.platform.renderer_get(), "missing": None}


def gpu_names() -> list[str]:
    """Graphics processors for Cycles, which are switched on by asking; of the best kind that there is."""
    preferences = bpy.context.preferences.addons["cycles"].preferences
    for kind in GPU_KINDS:
        try:
            preferences.compute_device_type = kind
        except TypeError:  # this Blender was built without it
            continue
        preferences.refresh_devices()
        devices = [device for device in preferences.devices if device.type == kind]
        if devices:
            for device in preferences.devices:
                device.use = device.type == kind
            return [f"{device.name} ({kind})" for device in devices]
    return []


def eevee_id() -> str:
    """EEVEE's name: it carried another one from 4.2 to 4.5."""
    return "BLENDER_EEVEE_NEXT" if (4, 2) <= bpy.app.version[:2] < (5, 0) else "BLENDER_EEVEE"


def apply_settings(job: dict) -> None:
    """Set up the scene's renderer for a job's engine: "eevee", "cycles" or "workbench"."""
    scene, settings = bpy.context.scene, job["settings"]
    render = scene.render
    render.use_motion_blur = False
    render.resolution_percentage = 100
    render.film_transparent = False
    render.use_compositing = render.use_sequencer = False
    render.threads_mode = "FIXED" if settings["threads"] else "AUTO"
    if settings["threads"]:
        render.threads = settings["threads"]
    render.image_settings.file_format = "BMP"  # without loss, and six times faster to write than PNG
    render.image_settings.color_mode = "RGB"
    scene.display_settings.display_device = "sRGB"
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.view_settings.exposure = job["scene"]["exposure"]
    is_open = not job["scene"]["room"]["walls"]
    surroundings.set_world(job["ambient"], job["scene"]["environment"] if is_open else None)
    {"eevee": _eevee, "cycles": _cycles, "workbench": _workbench}[job["engine"]](scene, job)


def _cycles(scene: bpy.types.Scene, job: dict) -> None:
    """Path tracing: one bounce, then the ambient light where nothing is near; then denoised."""
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device = job["settings"]["device"].upper()
    if cycles.device == "GPU" and not gpu_names():
        raise RuntimeError("Cycles finds no graphics processor any more")
    cycles.samples = job["settings"]["samples"]
    cycles.use_adaptive_sampling = False
    cycles.seed = job["scene"]["seed"] % 2**31
    cycles.use_animated_seed = False
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 2, 1, 1
    cycles.transmission_bounces = cycles.volume_bounces = cycles.transparent_max_bounces = 0
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.use_light_tree = False  # it pays from dozens of lamps on
    cycles.use_fast_gi, cycles.fast_gi_method, cycles.ao_bounces_render = True, "REPLACE", 1
    scene.world.light_settings.distance = 2.0
    scene.world.light_settings.ao_factor = 1.0
    cycles.use_denoising = True
    cycles.denoiser = "OPENIMAGEDENOISE"
    cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    cycles.denoising_prefilter = "FAST"
    if hasattr(cycles, "denoising_quality"):  # since 4.2
        cycles.denoising_quality = "FAST"


def _eevee(scene: bpy.types.Scene, job: dict) -> None:
    """Rasterization with soft shadows; the ambient light reaches everything."""
    scene.render.engine = eevee_id()
    scene.eevee.taa_render_samples = job["settings"]["samples"]
    for switch in ("use_raytracing", "use_ssr", "use_bloom", "use_motion_blur"):
        if hasattr(scene.eevee, switch):  # names come and go between releases
            setattr(scene.eevee, switch, False)


def _workbench(scene: bpy.types.Scene, job: dict) -> None:
    """One flat colour a mesh, sharp edges, no lamps or shadows: shows what is where, fast."""
    del job
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.display.shading.light = "FLAT"
    scene.display.shading.color_type = "MATERIAL"
    scene.display.render_aa = "OFF"
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.look = "None"
