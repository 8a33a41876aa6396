"""The dataset's own README: what it is, what is in it, whose it is, and what it cannot do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

import jinja2

from odah.dataset.reader import Dataset
from odah.files import atomic_path


def write_card(dataset: Dataset) -> None:
    """Write `README.md` from `dataset.json` and the clips' own records."""
    records = [clip.record for clip in dataset.clips]
    template = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(files("odah.dataset").joinpath("card.md.j2").read_text())
    text = template.render(
        info=dataset.info,
        num_clips=len(records),
        num_frames=sum(record["num_frames"] for record in records),
        seconds=sum(record["num_frames"] / record["rate"] for record in records),
        subjects=sorted({record["subject"] for record in records}),
        splits=_counted(record["split"] for record in records),
        actions=_counted(record["action"] for record in records),
        motions=_counted(
            f"{record['source']['format']}: {record['source']['licence']}" for record in records
        ),
        bodies=_counted(f"{record['body']['kind']}: {record['body']['licence']}" for record in records),
        textures=_counted(record["textures"]["licence"] for record in records),
        size=_size(dataset, records),
        engines=_counted(record["render"]["engine"] for record in records),
        residuals=_residuals(records),
        flagged=[record["clip"] for record in records if record["flags"]],
    )
    with atomic_path(dataset.paths.card) as temporary:
        temporary.write_text(text)


def _size(dataset: Dataset, records: list[dict[str, Any]]) -> str:
    if dataset.crop_size is not None:
        return f"crops of {dataset.crop_size}x{dataset.crop_size}"
    cameras = [camera for record in records for camera in record["scene"]["cameras"]]
    return " and ".join(sorted({f"{camera['width']}x{camera['height']}" for camera in cameras}))


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def _residuals(records: list[dict[str, Any]]) -> dict[str, float]:
    """Means over clips of the error budget, for those clips that have the figure."""
    means = {}
    for name in (
        "marker_rms_mm",
        "mesh_joint_mean_mm",
        "mesh_joint_p95_mm",
        "mesh_marker_mean_mm",
        "joints_inside_mask",
    ):
        known = [
            record["error_budget"][name] for record in records if record["error_budget"][name] is not None
        ]
        if known:
            means[name] = sum(known) / len(known)
    return means
