"""How hair is drawn: a picture of strands, or of curls, and their relief."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from odah.clothing.layers import Material
from odah.clothing.textures import RGB
from odah.clothing.tones import srgb_to_linear

_SIZE = 512
_CURLY = ("curly", "afro")


def hair_material(color: RGB, style: str, seed: int) -> Material:
    """Hair of an sRGB colour; the strands run along the texture's rows (v), curls any way."""
    rng = np.random.default_rng(seed)
    if style in _CURLY:
        sigmas, relief_depth = ((2.2, 2.2), (5.0, 5.0), (24.0, 24.0)), 0.0040
    else:
        sigmas, relief_depth = ((40.0, 1.2), (70.0, 4.0), (24.0, 24.0)), 0.0010
    fine, locks, soft = (_noise(rng, sigma) for sigma in sigmas)
    strands = 0.6 * fine + 0.45 * locks
    lightness = np.exp(0.20 * strands + 0.07 * soft)
    image = np.asarray(color, float) * lightness[..., None]
    relief = np.clip(128 + 45 * strands, 0, 255).astype(np.uint8)
    texture = np.clip(image + 0.5, 0, 255).astype(np.uint8)
    return Material("hair", roughness=0.62, texture=texture, relief=relief, relief_depth=relief_depth)


def hair_tint(cover: np.ndarray, color: RGB, skin: RGB) -> np.ndarray:
    """(N, 3) linear RGB, what to multiply hair by where it hides only `cover` (N,) of the skin: above 1 where
    the skin is lighter. color, skin: sRGB."""
    ratio = (srgb_to_linear(skin) + 0.01) / (srgb_to_linear(color) + 0.01)
    return np.exp(np.log(ratio) * (1 - cover[:, None]))


def _noise(rng: np.random.Generator, sigma: tuple[float, float]) -> np.ndarray:
    """(S, S) periodic noise of unit deviation, blurred by sigma px (vertical, horizontal)."""
    field = gaussian_filter(rng.standard_normal((_SIZE, _SIZE)), sigma, mode="wrap")
    return field / field.std()
