"""Colours of lamps and surfaces in linear sRGB."""

from __future__ import annotations

import colorsys

import numpy as np

_RGB_FROM_XYZ = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def black_body_rgb(temperature: float) -> np.ndarray:
    """(3,) linear sRGB of luminance 1 of a black body, `temperature` in K between 1667 and 25000.

    The cubic fit to the Planckian locus of Kim et al., US patent 7024034 (2006).
    """
    t = 1000.0 / temperature
    if temperature <= 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if temperature <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif temperature <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    rgb = np.clip(_RGB_FROM_XYZ @ [x / y, 1.0, (1 - x - y) / y], 0.0, None)
    return rgb / (_LUMINANCE @ rgb)


def lamp_rgb(temperature: float, white_temperature: float) -> np.ndarray:
    """(3,) linear sRGB of luminance 1 of a lamp, K, to a camera balanced to `white_temperature`, K."""
    rgb = black_body_rgb(temperature) / black_body_rgb(white_temperature)
    return rgb / (_LUMINANCE @ rgb)


def hsv_to_linear(hue: float, saturation: float, value: float) -> tuple[float, float, float]:
    """Hue, saturation, value in 0..1 of a display colour to linear RGB."""
    r, g, b = (srgb_to_linear(channel) for channel in colorsys.hsv_to_rgb(hue, saturation, value))
    return r, g, b


def srgb_to_linear(value: float) -> float:
    """One display value in 0..1 to linear light (IEC 61966-2-1)."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def rounded_rgb(color: tuple[float, ...]) -> tuple[float, float, float]:
    """Plain floats of five digits, which is what a description file needs."""
    r, g, b = (round(float(channel), 5) for channel in color)
    return r, g, b
