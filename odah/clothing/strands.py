"""How hair is drawn: a picture of strands, or of curls, and their relief."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from odah.clothing.layers import Material
from odah.clothing.textures import RGB

_SIZE = 512
_CURLY = ("curly", "afro")


def hair_material(color: RGB, style: str, seed: int) -> Material:
    """Hair of an sRGB colour; the strands run along the texture's rows (v), curls any way."""
    rng = np.random.default_rng(seed)
    if style in _CURLY:
        sigmas, relief_depth = ((2.2, 2.2), (5.0, 5.0), (24.0, 24.0)), 0.0040
    else:
        sigmas, relief_depth = ((40.0, 1.2), (70.0, 4.0), (24.0, 24.0)), 0.0016
    fine, locks, soft = (_noise(rng, sigma) for sigma in sigmas)
    strands = 0.6 * fine + 0.45 * locks
    lightness = np.exp(0.20 * strands + 0.05 * soft)
    image = np.asarray(color, float) * lightness[..., None]
    relief = np.clip(128 + 45 * strands, 0, 255).astype(np.uint8)
    texture = np.clip(image + 0.5, 0, 255).astype(np.uint8)
    return Material("hair", roughness=0.5, texture=texture, relief=relief, relief_depth=relief_depth)


def _noise(rng: np.random.Generator, sigma: tuple[float, float]) -> np.ndarray:
    """(S, S) periodic noise of unit deviation, blurred by sigma px (vertical, horizontal)."""
    field = gaussian_filter(rng.standard_normal((_SIZE, _SIZE)), sigma, mode="wrap")
    return field / field.std()
