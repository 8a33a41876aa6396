"""Checks of a clip's files as files: there, unchanged, readable, of the right kind and length."""

from __future__ import annotations

import numpy as np

from odah.dataset.audit.containers import read_container
from odah.dataset.audit.context import Context, expect
from odah.dataset.audit.records import ClipRecord, check_record, read_json
from odah.dataset.schema import clip_files, file_hash, video_files
from odah.scene import Scene

_CODECS = {".mp4": "h264", ".mkv": "ffv1"}


def check_record_file(context: Context) -> None:
    """`clip.json` has every field, is this clip's own, and its scene has the dataset's cameras."""
    path = context.clip.folder / "clip.json"
    record = read_json(path)
    check_record(ClipRecord, path, record)
    for key, stated in (("clip", context.clip.clip_id), ("rate", context.dataset.info["rate"])):
        found = record[key]
        expect(found == stated, f"clip.json: {key}: found {found!r}, expected {stated!r}")
    scene = Scene.from_dict(record["scene"])
    expect(
        tuple(camera.name for camera in scene.cameras) == context.dataset.views,
        f"clip.json: scene.cameras: found {[camera.name for camera in scene.cameras]}, "
        f"expected {list(context.dataset.views)}",
    )
    expect(
        scene.rate == record["rate"], f"clip.json: scene.rate: found {scene.rate}, expected {record['rate']}"
    )


def check_files(context: Context) -> None:
    """Every file is there and is byte for byte the one that was written."""
    hashes: dict[str, str] = context.clip.record["sha256"]
    wanted = clip_files(context.dataset.info)
    for name in dict.fromkeys((*wanted, *hashes)):
        path = context.clip.folder / name
        expect(path.is_file(), f"{name} is missing")
        expect(name in hashes, f"clip.json: sha256: no hash of {name}")
        expect(file_hash(path) == hashes[name], f"{name} has changed since it was written")


def unknown_files(context: Context) -> list[str]:
    """Names of what lies in the clip's folder beside its own files."""
    known = {"clip.json", *clip_files(context.dataset.info), *context.clip.record["sha256"]}
    return sorted(path.name for path in context.clip.folder.iterdir() if path.name not in known)


def check_containers(context: Context) -> None:
    """Each video has one frame a label, at the labels' times, of the camera's size, in its codec."""
    rate = context.clip.record["rate"]
    for v, view in enumerate(context.dataset.views):
        size = context.picture_size(v)
        for name in video_files({**context.dataset.info, "views": [view]}):
            path = context.clip.folder / name
            found = read_container(path)
            codec = _CODECS[path.suffix]
            expect(found.codec == codec, f"{name} is coded as {found.codec}, expected {codec}")
            expect(found.size == size, f"{name} is {found.size} px, expected {size}")
            count = len(found.times)
            expect(count == context.num_frames, f"{name} has {count} frames, labels.npz {context.num_frames}")
            late = np.abs(found.times - np.arange(count) / rate).max()
            expect(
                late <= max(found.time_step, 1e-6),
                f"{name} shows frames up to {late:.4f} s away from the labels' times "
                f"(from {found.times[0]:.4f} s on, expected from 0 at {rate:g} a second)",
            )
