"""The colours of the sides where a skeleton lies over a picture: right orange, left blue, spine white."""

from __future__ import annotations

SIDE_COLORS_RGB = {"right": (255, 140, 0), "left": (40, 150, 255), "middle": (255, 255, 255)}
