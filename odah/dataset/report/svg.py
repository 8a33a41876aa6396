"""Matplotlib figures as small SVG that takes its colours and font from the page it stands in."""

from __future__ import annotations

import io
import re
from html import escape
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK, SOFT, LINE, BAND, ACCENT, BAD, RIGHT, LEFT = (f"#0101{k:02x}" for k in range(16, 24))
"""Stand for colours that the style sheet defines, once for light and once for dark screens."""
_VARIABLES = dict(
    zip(
        (INK, SOFT, LINE, BAND, ACCENT, BAD, RIGHT, LEFT),
        ("ink", "soft", "line", "band", "accent", "bad", "right", "left"),
        strict=True,
    )
)
ACCENT_RGB = (74, 134, 196)
"""Of densities, which are pictures: readable on white as on black."""
SIDE_COLORS = {"right": RIGHT, "left": LEFT, "middle": SOFT}
VIEW_COLORS = ("#0f8f83", "#b8479b", "#8a6d1c", "#6f5bc2")
"""Of cameras; none looks like a side's."""
SIDE_RGB = {"right": (224, 123, 0), "left": (31, 122, 224)}
Margins = tuple[float, float, float, float]
_FONT_PT = 7.5
_LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_STYLE = {
    "svg.fonttype": "none",
    "text.color": INK,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": SOFT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "font.size": _FONT_PT,
    "axes.labelsize": _FONT_PT,
    "xtick.labelsize": _FONT_PT,
    "ytick.labelsize": _FONT_PT,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "axes.labelpad": 2.0,
}


class Plot:
    """One pair of axes of a given size in inches; a context in which to draw, and then its SVG.

    label: what a screen reader says. key: keeps the ids of one page's plots apart. margins: left, bottom,
    right and top, inches; to find them by measuring would take as long as drawing.
    """

    def __init__(
        self,
        key: str,
        label: str,
        width: float = 2.9,
        height: float = 1.3,
        margins: Margins = (0.1, 0.34, 0.1, 0.06),
        **axes: str,
    ) -> None:
        self.label, self.svg = label, ""
        style: dict[Any, Any] = {**_STYLE, "svg.hashsalt": key}
        self._context = matplotlib.rc_context(style)
        self._size, self._margins, self._axes = (width, height), margins, axes

    def __enter__(self) -> tuple[Plot, Axes]:
        self._context.__enter__()
        self._figure = Figure(figsize=self._size)
        return self, self._figure.add_subplot(**self._axes)  # type: ignore[arg-type]

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self._place()
            buffer = io.StringIO()
            self._figure.dpi = 72  # as in an SVG a point is a pixel
            FigureCanvasSVG(self._figure).print_svg(buffer)
            self.svg = _for_page(buffer.getvalue(), self.label)
        self._context.__exit__(*error)  # type: ignore[arg-type]

    def _place(self) -> None:
        (width, height), (left, bottom, right, top) = self._size, self._margins
        self._figure.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - top / height)


def _for_page(text: str, label: str) -> str:
    """Without what only a file of its own needs; numbers to 0.1 pt; colours as the page's variables."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r" (xmlns:xlink|xmlns|version)=\"[^\"]*\"", "", text)
    used = set(re.findall(r"(?:url\(|href=\")#([^)\"]+)", text))
    text = re.sub(r" id=\"([^\"]+)\"", lambda found: found[0] if found[1] in used else "", text)
    text = re.sub(
        r" (d|x|y|width|height|transform|viewBox)=\"[^\"]*\"",
        lambda found: _LONG_NUMBER.sub(lambda number: f"{float(number[0]):.1f}", found[0]),
        text,
    )
    for color, name in _VARIABLES.items():
        text = text.replace(color, f"var(--{name})")
    text = re.sub(r"font: [^;\"]*?([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    text = re.sub(r"\s*\n\s*", "\n", text)
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1)


def density_image(counts: np.ndarray, color: tuple[int, int, int] = ACCENT_RGB) -> np.ndarray:
    """(H, W, 4) uint8 of `counts` (H, W): one colour, the more opaque the more there is, logarithmically."""
    opacity = np.log1p(counts) / max(np.log1p(counts.max()), 1e-9)
    image = np.empty((*counts.shape, 4), np.uint8)
    image[..., :3] = color
    image[..., 3] = np.where(counts > 0, 60 + 195 * opacity, 0)
    return image
