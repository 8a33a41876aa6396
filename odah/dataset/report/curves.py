"""A clip's main joint angles over time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from odah.dataset.report.svg import SIDE_COLORS, Plot
from odah.names import side_of

_CURVES: tuple[str, ...] = ("hip_flexion", "knee_angle", "ankle_angle", "arm_flex", "elbow_flex", "lumbar")
_MIN_SPAN_DEG = 30.0
"""Shown at least, so that a joint that rests looks at rest."""
_MOST_POINTS = 200


def angle_curves(
    key: str, time: np.ndarray, coordinates: np.ndarray, names: Sequence[str]
) -> list[tuple[str, str]]:
    """(title, SVG) of the main joint angles in degrees over time; right orange, left blue."""
    step = max(1, len(time) // _MOST_POINTS)
    found = []
    for title in _CURVES:
        columns = [k for k, name in enumerate(names) if name.startswith(title) and not name.endswith("_beta")]
        if not columns:
            continue
        with Plot(f"{key} {title}", f"{title} over time", 2.6, 1.25, (0.3, 0.34, 0.06, 0.06)) as (plot, axes):
            for n, k in enumerate(columns):
                side = side_of(names[k])
                style = "-" if side != "middle" else ("-", "--", ":")[n % 3]
                axes.plot(
                    time[::step], np.rad2deg(coordinates[::step, k]), style, lw=1.2,
                    color=SIDE_COLORS[side],
                )  # fmt: skip
            low, high = axes.get_ylim()
            spare = max(0.0, _MIN_SPAN_DEG - (high - low)) / 2
            axes.set(
                ylim=(low - spare, high + spare),
                xlabel="s",
                xlim=(time[0], time[-1]) if len(time) > 1 else None,
            )
        keys = [
            f"{names[k].removeprefix(title + '_')} {key}"
            for k, key in zip(columns, ("—", "- -", "···"), strict=False)
        ]
        is_pair = side_of(names[columns[0]]) != "middle"
        found.append((title if is_pair else f"{title}: {', '.join(keys)}", plot.svg))
    return found
