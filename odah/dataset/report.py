"""One self-contained HTML page that shows a dataset: frames, skeleton, angles, residuals, audit."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import cv2
import jinja2
import numpy as np

from odah import __version__
from odah.dataset.overlay import draw_skeleton
from odah.dataset.plots import angle_curves, joint_residuals
from odah.dataset.reader import Clip, Dataset
from odah.dataset.validate import ClipAudit
from odah.errors import InputError
from odah.files import atomic_path
from odah.render.video import read_frames

FRAMES_PER_VIEW = 4
THUMBNAIL_WIDTH = 360


@dataclass(frozen=True)
class ClipView:
    """What the page shows of one clip."""

    clip_id: str
    record: dict[str, Any]
    sheet: str
    curves: str
    failures: dict[str, str]


def contact_sheet(clip: Clip, dataset: Dataset) -> np.ndarray:
    """(H, W, 3) uint8 RGB: a row a view, frames spread over the clip, the skeleton on every other one."""
    labels, joint_names = clip.labels, dataset.info["joint_names"]
    chosen = np.linspace(0, len(labels["time"]) - 1, FRAMES_PER_VIEW).round().astype(int)
    rows = []
    for v, view in enumerate(dataset.views):
        keypoints = clip.video_keypoints(v, dataset.crop_size)
        frames = {t: frame for t, frame in enumerate(read_frames(clip.video(view))) if t in chosen}
        tiles = [
            draw_skeleton(frames[t], keypoints[t], joint_names) if k % 2 else frames[t]
            for k, t in enumerate(chosen.tolist())
        ]
        rows.append(np.concatenate([_thumbnail(tile) for tile in tiles], axis=1))
    return np.concatenate(rows)


def _thumbnail(image: np.ndarray) -> np.ndarray:
    scale = THUMBNAIL_WIDTH / image.shape[1]
    size = (THUMBNAIL_WIDTH, round(image.shape[0] * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def _data_uri(image: np.ndarray) -> str:
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


def _clip_view(clip: Clip, dataset: Dataset, audit: ClipAudit | None) -> ClipView:
    labels, info = clip.labels, dataset.info
    return ClipView(
        clip_id=clip.clip_id,
        record=clip.record,
        sheet=_data_uri(contact_sheet(clip, dataset)),
        curves=angle_curves(labels["time"], labels["coordinates"], info["coordinate_names"]),
        failures=audit.failures if audit else {},
    )


def _check_record(clip: Clip) -> None:
    """Refuse a record that lacks what the page shows, by the name of its first missing field."""
    fields = ("split", "num_frames", "action", "source", "render", "flags", "notes", "error_budget")
    for name in fields:
        if name not in clip.record:
            raise InputError(f"{clip.folder / 'clip.json'}: {name}", "nothing", "a value, for it is required")


def write_report(dataset: Dataset, audits: Sequence[ClipAudit] = (), note: str = "") -> str:
    """Write `report/index.html` and return its path; `audits` adds what validation said."""
    by_clip = {audit.clip_id: audit for audit in audits}
    for clip in dataset.clips:
        _check_record(clip)
    views = [_clip_view(clip, dataset, by_clip.get(clip.clip_id)) for clip in dataset.clips]
    residuals = np.array([clip.record["error_budget"]["mesh_joint_mm"] for clip in dataset.clips])
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        files("odah.dataset").joinpath("report.html.j2").read_text()
    )
    page = template.render(
        info=dataset.info,
        clips=views,
        views=dataset.views,
        is_audited=bool(audits),
        residual_plot=joint_residuals(dataset.info["joint_names"], residuals) if len(residuals) else "",
        note=note,
        version=__version__,
    )
    path = dataset.paths.report
    with atomic_path(path) as temporary:
        temporary.write_text(page)
    return str(path)
