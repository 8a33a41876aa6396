"""How well a fitted body follows: errors by joint, marker and frame, and what is said of large ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

JOINTS_LIMIT_MM, MARKERS_LIMIT_MM = 10.0, 25.0
"""Mean over a clip, or over a frame, beyond which it is flagged."""
MISSING_LIMIT = 0.2
"""Share of a clip's marker positions that may be missing unsaid."""
_HALF = 0.5


@dataclass(frozen=True)
class BodyFit:
    """A body that follows a skeleton, and markers if some were measured; world (Z-up).

    betas: (B,) of `BodyFitter.body`. poses: (T, 55, 3) rotation vectors, rad. transl: (T, 3) m.
    goals: (T, J + M, 3) m; the skeleton's joints, in the order of joint_names, then, of marker_names, the
    measured markers, NaN where unseen, or else the registered ones on the skeleton. points: (T, J + M, 3)
    m; where the body has them.
    """

    betas: np.ndarray
    poses: np.ndarray
    transl: np.ndarray
    goals: np.ndarray
    points: np.ndarray
    joint_names: tuple[str, ...]
    marker_names: tuple[str, ...]

    @property
    def num_frames(self) -> int:
        return len(self.poses)

    @cached_property
    def joint_errors_mm(self) -> np.ndarray:
        """(T, J) from the body's regressed joints to the skeleton's."""
        return self._errors_mm[:, : len(self.joint_names)]

    @cached_property
    def marker_errors_mm(self) -> np.ndarray:
        """(T, M) from the markers on the body to those it follows, NaN where unseen."""
        return self._errors_mm[:, len(self.joint_names) :]

    @cached_property
    def _errors_mm(self) -> np.ndarray:
        return 1e3 * np.linalg.norm(self.points - self.goals, axis=-1)

    def moved(self, shift: np.ndarray) -> BodyFit:
        """The same body and what it follows, both shifted by (3,) m."""
        return replace(self, transl=self.transl + shift, goals=self.goals + shift, points=self.points + shift)

    def summary(self) -> dict[str, float]:
        """Mean and 95th percentile of joint and marker errors, mm."""
        parts = {"joints": self.joint_errors_mm, "markers": self.marker_errors_mm}
        return {
            f"{name}_{label}_mm": float(value)
            for name, errors in parts.items()
            for label, value in (("mean", np.nanmean(errors)), ("p95", np.nanpercentile(errors, 95)))
        }

    def by_joint(self) -> dict[str, dict[str, float]]:
        """mean, p95 and max of each joint over the clip, mm."""
        return _by_name(self.joint_names, self.joint_errors_mm)

    def by_marker(self) -> dict[str, dict[str, float]]:
        """mean, p95 and max of each marker over the frames that show it, mm; unseen ones are left out."""
        return _by_name(self.marker_names, self.marker_errors_mm)

    def frame_flags(self) -> tuple[str, ...]:
        """(T,) what is not as it should be in each frame; empty where all is."""
        shown = np.isfinite(self.marker_errors_mm)
        markers = np.where(shown, self.marker_errors_mm, 0).sum(1) / np.maximum(shown.sum(1), 1)
        marks = {
            f"joints beyond {JOINTS_LIMIT_MM:g} mm": self.joint_errors_mm.mean(1) > JOINTS_LIMIT_MM,
            f"markers beyond {MARKERS_LIMIT_MM:g} mm": markers > MARKERS_LIMIT_MM,
            "less than half of the markers": shown.mean(1) < _HALF,
        }
        told = [[text for text, is_so in marks.items() if is_so[frame]] for frame in range(self.num_frames)]
        return tuple("; ".join(texts) for texts in told)

    def flags(self) -> tuple[str, ...]:
        """Sentences about a clip that was not fitted as well as it should be; none for a good one."""
        told = []
        for name, errors, limit in (
            ("joints", self.joint_errors_mm, JOINTS_LIMIT_MM),
            ("markers", self.marker_errors_mm, MARKERS_LIMIT_MM),
        ):
            if np.nanmean(errors) > limit:
                worst = _worst(_by_name(getattr(self, f"{name[:-1]}_names"), errors))
                mean = np.nanmean(errors)
                told.append(f"{name} are {mean:.1f} mm off on average, beyond {limit:g} mm; worst: {worst}")
        missing = 1 - np.isfinite(self.marker_errors_mm).mean()
        if missing > MISSING_LIMIT:
            told.append(f"{missing:.0%} of the marker positions are missing")
        if flagged := sum(flag != "" for flag in self.frame_flags()):
            told.append(f"{flagged} of {self.num_frames} frames are flagged")
        return tuple(told)


def _by_name(names: Sequence[str], errors: np.ndarray) -> dict[str, dict[str, float]]:
    table = {}
    for name, column in zip(names, errors.T, strict=True):
        seen = column[np.isfinite(column)]
        if len(seen):
            values = seen.mean(), np.percentile(seen, 95), seen.max()
            table[name] = dict(zip(("mean", "p95", "max"), map(float, values), strict=True))
    return table


def _worst(table: dict[str, dict[str, float]], count: int = 3) -> str:
    worst = sorted(table, key=lambda name: -table[name]["mean"])[:count]
    return ", ".join(f"{name} {table[name]['mean']:.0f} mm" for name in worst)
