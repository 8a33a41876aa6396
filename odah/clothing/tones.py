"""The colours people come in: skin along the range of human tones, hair by tone and age, eyes."""

from __future__ import annotations

import numpy as np

from odah.clothing.textures import RGB

_SKIN_LIGHTNESS = np.array([73.0, 65.0, 56.0, 45.0, 35.0, 25.0])
_SKIN_RED = np.array([11.0, 12.5, 13.5, 14.0, 11.5, 7.5])
_SKIN_YELLOW = np.array([15.0, 18.0, 20.5, 19.5, 14.0, 8.5])
"""CIELAB (D65) of unexposed to very dark skin: individual typology angles from 57 to -71 degrees, the whole
of the range that Del Bino and Bernerd 2013 (British Journal of Dermatology 169) divide into six."""
_D65 = np.array([0.95047, 1.0, 1.08883])
_XYZ_TO_RGB = np.array(
    [
        [3.2404542, -1.5371385, -0.4985314],
        [-0.9692660, 1.8760108, 0.0415560],
        [0.0556434, -0.2040259, 1.0572252],
    ]
)
HAIR_COLORS: dict[str, RGB] = {
    "black": (24, 20, 18), "dark_brown": (44, 30, 22), "brown": (74, 50, 34), "light_brown": (112, 80, 52),
    "blond": (168, 132, 84), "red": (106, 54, 32),
}  # fmt: skip
_HAIR_ODDS = {"light": (0.12, 0.26, 0.26, 0.16, 0.14, 0.06), "dark": (0.72, 0.24, 0.03, 0.0, 0.005, 0.005)}
_GREY: RGB = (168, 164, 160)
_WHITE: RGB = (214, 211, 206)
_LIGHT_EYES: tuple[RGB, ...] = ((84, 56, 30), (104, 94, 54), (92, 118, 138), (74, 100, 76), (112, 132, 148))
_DARK_EYES: tuple[RGB, ...] = ((46, 28, 16), (60, 38, 22), (78, 52, 28))


def srgb_to_linear(color: RGB | np.ndarray) -> np.ndarray:
    """sRGB 0-255 to linear 0-1 (IEC 61966-2-1)."""
    c = np.asarray(color, float) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(color: np.ndarray) -> np.ndarray:
    """The inverse of `srgb_to_linear`; not rounded."""
    c = np.clip(color, 0, 1)
    return 255 * np.where(c <= 0.0031308, 12.92 * c, 1.055 * np.maximum(c, 1e-9) ** (1 / 2.4) - 0.055)


def lab_to_srgb(lab: np.ndarray) -> RGB:
    """CIELAB (D65) to sRGB 0-255."""
    y = (lab[0] + 16) / 116
    f = np.array([y + lab[1] / 500, y, y - lab[2] / 200])
    xyz = _D65 * np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    red, green, blue = np.clip(linear_to_srgb(_XYZ_TO_RGB @ xyz), 0, 255).round().astype(int)
    return int(red), int(green), int(blue)


def skin_tone(depth: float, undertone: float = 0.0, redness: float = 0.0) -> RGB:
    """sRGB of skin: depth 0 the lightest to 1 the darkest, undertone -1 pink to 1 olive, redness -1 to 1."""
    at = depth * (len(_SKIN_LIGHTNESS) - 1)
    knots = np.arange(len(_SKIN_LIGHTNESS))
    lab = np.array([np.interp(at, knots, values) for values in (_SKIN_LIGHTNESS, _SKIN_RED, _SKIN_YELLOW)])
    chroma = np.interp(depth, [0, 0.5, 1], [0.9, 1.0, 0.6])
    lab[1:] += chroma * np.array([1.6 * redness - 1.8 * undertone, 2.6 * undertone])
    return lab_to_srgb(lab)


def sample_skin_tone(rng: np.random.Generator) -> tuple[RGB, float]:
    """A skin colour, and its depth 0 to 1, uniform."""
    depth = float(rng.uniform())
    undertone, redness = np.clip(rng.normal(0, 0.6, 2), -1.5, 1.5)
    return skin_tone(depth, float(undertone), float(redness)), depth


def grey_share(age: float, onset: float) -> float:
    """How much of the hair is grey, 0 to 1, of someone whose hair is half grey at `onset` years."""
    return float(1 / (1 + np.exp(-(age - onset) / 4.5)))


def sample_hair_color(rng: np.random.Generator, depth: float, age: float) -> RGB:
    """A hair colour for skin of `depth` at `age` years: natural colour odds by skin, then greying.

    Half grey at 60 +- 9 years: from 45 to 65, 74 % of people have grey hair, 27 % of it on average (Panhard
    et al. 2012, British Journal of Dermatology 167). A third dye it.
    """
    light = np.clip((0.45 - depth) / 0.25, 0, 1)
    odds = light * np.array(_HAIR_ODDS["light"]) + (1 - light) * np.array(_HAIR_ODDS["dark"])
    natural = np.array(list(HAIR_COLORS.values()), float)[rng.choice(len(odds), p=odds / odds.sum())]
    share = grey_share(age, float(rng.normal(60, 9)))
    is_dyed = rng.random() < 0.33
    share *= 0.15 if is_dyed else 1.0
    target = np.asarray(_GREY, float) + np.clip((age - 60) / 20, 0, 1) * (np.asarray(_WHITE, float) - _GREY)
    warmth = rng.normal(0, 2.5) * np.array([1.0, 0.3, -1.0])
    mixed = natural + share * (target - natural) + warmth + rng.normal(0, 4)
    mixed = np.minimum.accumulate(mixed)  # hair is warm or grey, never green or blue
    red, green, blue = np.clip(mixed, 8, 235).round().astype(int)
    return int(red), int(green), int(blue)


def sample_eye_color(rng: np.random.Generator, depth: float) -> RGB:
    """Blue, green and hazel eyes occur in light skin; others are brown."""
    is_light = rng.random() < 0.75 * np.clip((0.42 - depth) / 0.3, 0, 1)
    options = _LIGHT_EYES if is_light else _DARK_EYES
    return options[int(rng.integers(len(options)))]
