"""The numbers of the error budget that the page shows, with what good looks like."""

from __future__ import annotations

from dataclasses import dataclass

from odah.body.checks import thresholds
from odah.body.fitting.residuals import JOINTS_LIMIT_MM, MARKERS_LIMIT_MM


@dataclass(frozen=True)
class Residual:
    """key: in `error_budget`. scale: from its unit to the shown one. limit: in the shown unit, beyond which a
    clip is flagged; None where nothing is. lowest: whether small values are the bad ones."""

    key: str
    title: str
    short: str
    unit: str
    meaning: str
    limit: float | None = None
    scale: float = 1.0
    lowest: bool = False
    digits: int = 1

    def shown(self, value: float | None) -> str:
        """The value in the shown unit, a dash where there is none."""
        if value is None:
            return "–"
        return f"{self.bare(value)}\N{NO-BREAK SPACE}{self.unit.split()[0]}"

    def bare(self, value: float | None) -> str:
        """The number alone, in the shown unit."""
        return "–" if value is None else f"{self.scale * value:.{self.digits}f}"

    def is_bad(self, value: float | None) -> bool:
        if value is None or self.limit is None:
            return False
        shown = self.scale * value
        return shown < self.limit if self.lowest else shown > self.limit


RESIDUALS: tuple[Residual, ...] = (
    Residual(
        "mesh_joint_mean_mm", "Mesh to skeleton", "mesh to joints", "mm",
        "mean distance between the joints inside the visible body and the skeleton that the labels tell of; "
        "a few mm is good", JOINTS_LIMIT_MM,
    ),
    Residual(
        "mesh_marker_mean_mm", "Mesh to markers", "mesh to markers", "mm",
        "mean distance between the skin's markers and the model's; skin moves on bone, so a cm is usual",
        MARKERS_LIMIT_MM,
    ),
    Residual(
        "marker_rms_mm", "Recorded markers to model", "markers to model", "mm",
        "RMS of a recording's markers; OpenSim's guide asks for less than 20 mm; built-in actions have none",
        20.0,
    ),
    Residual(
        "sliding_excess_mm", "Feet slide", "sliding", "mm a frame",
        "how much further the body's soles slide in stance than the skeleton's, mm a frame at 60 fps; "
        "0 is perfect", thresholds.MAX_SLIDING_MM, digits=2,
    ),
    Residual(
        "penetration_p95_mm", "Below the floor", "below floor", "mm",
        "95th percentile of the depth of anything drawn below the floor; soft soles give by some 5 mm",
        1e3 * thresholds.MAX_PENETRATION,
    ),
    Residual(
        "floating_p95_mm", "Above the floor", "floating", "mm",
        "95th percentile of the gap under someone who stands; at 20 mm the shadow parts from the shoe",
        1e3 * thresholds.MAX_FLOATING,
    ),
    Residual(
        "self_penetration_mm", "Parts inside others", "overlap", "mm",
        "deepest overlap of body parts, beyond what flesh gives (20 mm; upper arm and trunk more)",
        1e3 * thresholds.MAX_SELF_PENETRATION,
    ),
    Residual(
        "reprojection_px", "Reprojection", "reprojection", "px",
        "the mesh-to-skeleton distance as it appears in the full pictures; below a pixel nobody sees it",
        digits=2,
    ),
    Residual(
        "joints_inside_mask", "Joints inside the mask", "in mask", "%",
        "share of projected joints that fall on the person's mask, those behind furniture left out; "
        "100 % is good, the audit asks for 99 %", 99.0, 100.0, lowest=True,
    ),
    Residual(
        "share_outside_views", "Out of all views", "unseen", "%",
        "share of frames in which no camera sees the person; 0 is good", 0.0, 100.0,
    ),
)  # fmt: skip
