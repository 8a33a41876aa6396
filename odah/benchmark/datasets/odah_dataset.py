"""Datasets that odah itself made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
from jaxtyping import Int

from odah.benchmark.datasets.findings import Findings
from odah.benchmark.recording import Motion, Recording, View
from odah.dataset.reader import Clip, open_dataset
from odah.dataset.schema import SPLITS
from odah.dataset.sequences import Cameras
from odah.errors import InputError


def read_odah_dataset(
    folder: str | Path, split: str | None = "test", *, cameras: Cameras = "true", strict: bool = False
) -> tuple[list[Recording], list[str]]:
    """The finished clips of a dataset, in name order; and notes on what is left out.

    World: the dataset's, z up. The truth is that of the labels; its model is the person's `model.osim`.

    Args:
        split: train, val or test; None for all.
        cameras: those that took the pictures, or what a calibration would say of them. The former tell when
            their pictures come late; of the latter's nobody knows.
        strict: refuse a dataset in which something is missing or damaged.

    Raises:
        InputError: no dataset, no such split, nothing in it.
    """
    if cameras not in get_args(Cameras):
        raise InputError("cameras", repr(cameras), " or ".join(get_args(Cameras)))
    if split is not None and split not in SPLITS:
        raise InputError("split", repr(split), f"one of {', '.join(SPLITS)}")
    dataset = open_dataset(folder)
    findings = Findings(strict)
    recordings = []
    for clip in dataset:
        with findings.going_on():
            if split in (None, clip.split):
                recordings.append(_recording(clip, cameras, findings))
    if not recordings:
        where = "" if split is None else f" in the split {split}"
        raise InputError(dataset.paths.root, f"no clips that can be read{where}", "some")
    return recordings, findings.notes


def _recording(clip: Clip, cameras: Cameras, findings: Findings) -> Recording:
    views = dict(_views(clip, cameras, findings))
    if not views:
        raise InputError(clip.folder, "no videos", f"those of {', '.join(clip.views)}")
    if not clip.model_path.is_file():
        findings.left_out(str(clip.model_path), "no such file", "the person's model")
    return Recording(
        dataset=str(clip.info["name"]),
        name=clip.clip_id,
        subject=clip.subject,
        action=clip.action,
        rate=clip.rate,
        num_frames=clip.num_frames,
        views=views,
        T_world_ground=np.asarray(clip.labels.T_world_ground, dtype=float),
        read_truth=partial(_truth, clip),
        height=_of_body(clip, "height"),
        mass=_of_body(clip, "mass"),
    )


def _views(clip: Clip, cameras: Cameras, findings: Findings) -> Iterator[tuple[str, View]]:
    chosen = clip.cameras if cameras == "true" else clip.calibrated_cameras
    crops = clip.labels.crops
    if (crops is None) != (clip.info["crop_size"] is None):
        raise InputError(clip.folder / "labels.npz", "crops or none", "as dataset.json says")
    for v, name in enumerate(clip.views):
        if name not in chosen:
            findings.left_out(f"{clip.folder / 'clip.json'}: cameras", f"no {name}", "one for each view")
        elif not clip.video(name).is_file():
            findings.left_out(str(clip.video(name)), "no such file", "a video")
        else:
            frames = _frames(clip.num_frames, chosen[name].frame_offset)
            mask = clip.picture(name, "mask")
            yield (
                name,
                View(
                    camera=replace(chosen[name], frame_offset=0),
                    video=clip.video(name),
                    frames=frames,
                    mask=mask if mask.is_file() else None,
                    crops=None if crops is None else np.asarray(crops[v], dtype=float)[frames],
                ),
            )


def _frames(num_frames: int, offset: int) -> Int[np.ndarray, " T"]:
    """Where a video shows each frame of the motion, which it shows `offset` frames late, the ends held."""
    return np.clip(np.arange(num_frames) + offset, 0, num_frames - 1)


def _of_body(clip: Clip, name: str) -> float | None:
    body = clip.record.get("body")
    value = body.get(name) if isinstance(body, dict) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _truth(clip: Clip) -> Motion:
    labels, info = clip.labels, clip.info
    names = {key: tuple(info[key]) for key in ("coordinate_names", "joint_names", "body_names")}
    for key, count in (
        ("coordinate_names", labels.coordinates.shape[1]),
        ("joint_names", labels.joints.shape[1]),
        ("body_names", len(labels.scale_factors)),
    ):
        if len(names[key]) != count:
            found = f"{len(names[key])} names in dataset.json: {key}"
            raise InputError(clip.folder / "labels.npz", found, f"{count}, as in its labels")
    return Motion(
        times=np.asarray(labels.time - labels.time[0], dtype=float),
        coordinates=np.asarray(labels.coordinates, dtype=float),
        joints=np.asarray(labels.joints, dtype=float),
        scale_factors=np.asarray(labels.scale_factors, dtype=float),
        model=clip.model_path if clip.model_path.is_file() else None,
        **names,
    )
