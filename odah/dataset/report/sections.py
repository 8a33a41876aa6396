"""The numbers and plots of each section of the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from odah.dataset.audit import CHECKS, ClipAudit
from odah.dataset.reader import Dataset
from odah.dataset.report import plots
from odah.dataset.report.angles import AngleCounts, Panel, add_counts, panels
from odah.dataset.report.choose import worst_clips
from odah.dataset.report.facts import ClipFacts, number
from odah.dataset.report.people import PersonFacts, skin_groups
from odah.dataset.report.residuals import RESIDUALS, Residual
from odah.dataset.schema import SPLITS

_MOST_ACTIONS = 24
"""With a map of poses of their own; the most frequent ones."""
_PHASES = (("hip_flexion", "knee_angle"), ("knee_angle", "ankle_angle"), ("arm_flex", "elbow_flex"))


@dataclass(frozen=True)
class Figure:
    """A plot with what is said above and below it."""

    title: str
    svg: str
    caption: str = ""


@dataclass(frozen=True)
class AngleFigure(Figure):
    """visited: share of the range's bins, by side; outside: share of frames, by side."""

    sign: str = ""
    visited: Mapping[str, float] | None = None
    outside: Mapping[str, float] | None = None
    spans: Mapping[str, str] | None = None


@dataclass(frozen=True)
class ResidualFigure:
    """A residual over all clips. worst: clip ids, their values as shown, and whether that is bad."""

    residual: Residual
    svg: str
    num_known: int
    num_bad: int
    median: str
    worst: list[tuple[str, str, bool]]


def counted(values: Iterable[str]) -> dict[str, int]:
    """How often each value is there, the most frequent first."""
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))


def headline(clips: Sequence[ClipFacts], dataset: Dataset) -> dict[str, Any]:
    """The facts at the top of the page."""
    splits = Counter(clip.record["split"] for clip in clips)
    order = [*(s for s in SPLITS if s in splits), *sorted(set(splits) - set(SPLITS))]
    return {
        "clips": len(clips),
        "subjects": len({clip.record["subject"] for clip in clips}),
        "actions": len({clip.record["action"] for clip in clips}),
        "frames": sum(clip.record["num_frames"] for clip in clips),
        "duration": duration(sum(clip.seconds for clip in clips)),
        "splits": {split: splits[split] for split in order},
        "split_people": {
            split: len({clip.record["subject"] for clip in clips if clip.record["split"] == split})
            for split in order
        },
        "flagged": sum(bool(clip.record["flags"]) for clip in clips),
        "views": dataset.views,
        "size": _picture_size(dataset),
    }


def _picture_size(dataset: Dataset) -> str:
    if dataset.crop_size is not None:
        return f"crops of {dataset.crop_size} × {dataset.crop_size} px"
    config = dataset.info["config"]
    if config.get("cameras", {}).get("layout") == "file":
        return "pictures of the calibrated cameras' sizes"
    video = config.get("video", {})
    return f"{video['width']} × {video['height']} px" if {"width", "height"} <= set(video) else ""


def duration(seconds: float) -> str:
    """As people say it: "6.0 s", "12 min", "3.4 h"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def audited(audits: Mapping[str, ClipAudit]) -> dict[str, Any]:
    """What validation said, for the headline."""
    return {
        "clips": len(audits),
        "valid": sum(audit.is_valid for audit in audits.values()),
        "checks": list(CHECKS),
        "failed": counted(check for audit in audits.values() for check in audit.failures),
    }


def figures(
    clips: Sequence[ClipFacts], people: Sequence[PersonFacts], info: Mapping[str, Any]
) -> dict[str, Any]:
    """Every plot of the page, by the name that the template gives it."""
    if not clips:
        return {}
    names, ranges = info["coordinate_names"], np.array(info["coordinate_ranges"])
    counts = add_counts(clip.angles for clip in clips)
    shown = panels(names)
    body = [c for panel in shown for c in panel.columns.values() if not panel.name.startswith("pelvis")]
    pose, actions, share = _pose_maps(clips, body)
    return {
        "num_frames": counts.num_frames,
        "angles": [_angle_figure(panel, counts, ranges) for panel in shown],
        "visited": float(counts.visited()[body].mean()),
        "poses": [pose],
        "pose_share": share,
        "actions": actions,
        "phases": _phases(clips, shown),
        "cameras": _camera_figures(clips),
        "people": _people_figures(people),
        "skins": list(skin_groups(people).items()),
        "residual_figures": [_residual_figure(residual, clips) for residual in RESIDUALS],
        "joints": _joint_figure(clips, info["joint_names"]),
    }


def _angle_figure(panel: Panel, counts: AngleCounts, ranges: np.ndarray) -> AngleFigure:
    visited = counts.visited()
    return AngleFigure(
        title=panel.name,
        svg=plots.angle_histogram(panel, counts, ranges),
        sign=panel.sign,
        visited={side: float(visited[c]) for side, c in panel.columns.items()},
        outside={side: counts.outside[c] / counts.num_frames for side, c in panel.columns.items()},
        spans={side: _span(counts.minimum[c], counts.maximum[c]) for side, c in panel.columns.items()},
    )


def _span(low: float, high: float) -> str:
    """Two angles, rad, in whole degrees."""
    told = f"{round(np.rad2deg(low))} to {round(np.rad2deg(high))}°"
    return told.replace("-", "\N{MINUS SIGN}")


def _pose_maps(clips: Sequence[ClipFacts], columns: Sequence[int]) -> tuple[Figure, list[Figure], float]:
    """The map of all poses, one of each action's, and the share of the variance that the map shows."""
    poses = [clip.poses[:, columns].astype(float) for clip in clips]
    joined = np.concatenate(poses)
    centre = joined.mean(axis=0)
    _, spread, axes = np.linalg.svd(joined - centre, full_matrices=False)
    share = float((spread[:2] ** 2).sum() / max((spread**2).sum(), 1e-12))
    flat = [(pose - centre) @ axes[:2].T for pose in poses]
    everything = np.concatenate(flat)
    named: dict[str, list[np.ndarray]] = {}
    for clip, points in zip(clips, flat, strict=True):
        named.setdefault(clip.record["action"], []).append(points)
    frequent = sorted(named, key=lambda action: (-len(named[action]), action))[:_MOST_ACTIONS]
    maps = [
        Figure(
            action.replace("_", " "),
            plots.pose_map(np.concatenate(named[action]), everything, action, small=True),
            f"{len(named[action])} clip{'s' if len(named[action]) > 1 else ''}",
        )
        for action in sorted(frequent)
    ]
    whole = plots.pose_map(everything, everything, "all")
    return Figure("All poses", whole, f"{len(everything):,} poses"), maps, share


def _phases(clips: Sequence[ClipFacts], shown: Sequence[Panel]) -> list[Figure]:
    by_name = {panel.name: panel for panel in shown}
    poses = np.concatenate([clip.poses for clip in clips]).astype(float)
    found = []
    for x, y in _PHASES:
        if x in by_name and y in by_name:
            pairs = {
                side: (poses[:, column], poses[:, by_name[y].columns[side]])
                for side, column in by_name[x].columns.items()
                if side in by_name[y].columns
            }
            found.append(Figure(f"{y} against {x}", plots.phase_plot(pairs, x, y)))
    return found


def _camera_figures(clips: Sequence[ClipFacts]) -> list[Figure]:
    uses = [use for clip in clips for use in clip.cameras]
    views = list(dict.fromkeys(use.view for use in uses))
    around = {
        view: (
            np.concatenate([use.azimuth for use in uses if use.view == view]),
            np.concatenate([use.distance for use in uses if use.view == view]),
        )
        for view in views
    }
    distances = np.concatenate([use.distance for use in uses])
    sizes = np.concatenate([use.mm_per_px for use in uses])
    heights = [use.height for use in uses]
    return [
        Figure("Around the person", plots.camera_map(around),
               f"From above, the person faces up; rings in metres on the floor. n = {len(distances)} places "
               f"of {len(uses)} cameras; they move as the person turns and walks."),
        Figure("Height of the cameras", plots.histogram("height", "height", heights, "m", 1.0),
               f"Above the floor; n = {len(uses)} cameras."),
        Figure("Distance", plots.histogram("distance", "distance", distances.tolist(), "m", 2.0),
               f"Along the floor, from the hips; n = {len(distances)}."),
        Figure("Size of a pixel", plots.histogram("pixel", "size of a pixel", sizes.tolist(), "mm", 4.0),
               "At the depth of the hips, in the full picture. Good: below 10 mm, 25 pixels a forearm."),
    ]  # fmt: skip


def _people_figures(people: Sequence[PersonFacts]) -> list[Figure]:
    found = []
    measured = [person for person in people if person.bmi is not None]
    if measured:
        found.append(Figure(
            "Height, body mass index, sex", plots.people_map(measured),
            f"n = {len(measured)} people in the colour of their skin; height and mass of the body's mesh.",
        ))  # fmt: skip
    ages = [person.age for person in people if person.age is not None]
    if ages:
        found.append(
            Figure("Age", plots.histogram("age", "age", ages, "years", 60.0), f"n = {len(ages)} people.")
        )
    return found


def _residual_figure(residual: Residual, clips: Sequence[ClipFacts]) -> ResidualFigure:
    values = [value for clip in clips if (value := clip.residual(residual.key)) is not None]
    worst = worst_clips(clips, residual.key, residual.lowest)
    return ResidualFigure(
        residual=residual,
        svg=plots.residual_histogram(residual, values) if values else "",
        num_known=len(values),
        num_bad=sum(residual.is_bad(value) for value in values),
        median=residual.shown(float(np.median(values)) if values else None),
        worst=[(clip.clip_id, residual.shown(value), residual.is_bad(value)) for clip, value in worst],
    )


def _joint_figure(clips: Sequence[ClipFacts], names: Sequence[str]) -> str | None:
    found = [clip.record["error_budget"].get("mesh_joint_mm") for clip in clips]
    rows = [
        row
        for row in found
        if isinstance(row, list)
        and len(row) == len(names)
        and all(number(value) is not None for value in row)
    ]
    return plots.joint_residuals(names, np.array(rows, dtype=float)) if rows else None
