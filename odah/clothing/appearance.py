"""What a person looks like: plain values, drawn from a seed, stored with the subject."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from odah.clothing.hair import HAIR_STYLES
from odah.clothing.patterns import LOWERS, UPPERS
from odah.clothing.textures import RGB, Texture, check_texture
from odah.errors import InputError

SKIN_TONES: tuple[RGB, ...] = (
    (243, 205, 180), (234, 188, 156), (222, 172, 137), (207, 153, 116), (190, 132, 95),
    (168, 111, 76), (143, 90, 60), (116, 70, 46), (90, 54, 37), (66, 41, 30),
)  # fmt: skip
"""sRGB, light to dark, ten steps like the Monk scale but as sunless albedo."""
HAIR_COLORS: dict[str, RGB] = {
    "black": (26, 22, 20), "dark_brown": (48, 33, 24), "brown": (82, 56, 38), "light_brown": (120, 86, 56),
    "blond": (176, 138, 88), "red": (128, 60, 30), "grey": (140, 136, 132), "white": (205, 202, 198),
}  # fmt: skip
EYE_COLORS: tuple[RGB, ...] = ((60, 38, 22), (84, 56, 30), (98, 92, 52), (92, 118, 138), (74, 100, 76))
_TOP_COLORS: tuple[RGB, ...] = (
    (238, 238, 234), (32, 33, 36), (120, 124, 128), (38, 52, 88), (150, 38, 44), (52, 92, 62), (196, 168, 60),
    (98, 150, 190), (200, 110, 90), (222, 190, 180), (112, 82, 130), (86, 70, 54), (70, 128, 130),
    (210, 200, 176),
)  # fmt: skip
_BOTTOM_COLORS: tuple[RGB, ...] = (
    (34, 36, 42), (58, 62, 70), (40, 48, 72), (150, 134, 106), (96, 88, 70), (70, 74, 58),
    (112, 112, 114), (84, 60, 48),
)  # fmt: skip
_DENIM_COLORS: tuple[RGB, ...] = ((38, 54, 92), (58, 80, 120), (92, 116, 150), (40, 42, 48), (24, 32, 58))
_SHOE_COLORS: tuple[RGB, ...] = (
    (236, 236, 232),
    (30, 30, 32),
    (90, 92, 96),
    (120, 34, 38),
    (40, 54, 96),
    (110, 78, 52),
)
_SOLE_COLORS: tuple[RGB, ...] = ((232, 230, 224), (36, 34, 34), (190, 160, 120))


@dataclass(frozen=True)
class Appearance:
    """Skin, hair, eyes and clothes of a person. Colours sRGB 0-255; looseness 0 tight to 1 wide."""

    skin_color: RGB
    hair_style: str
    hair_color: RGB
    eye_color: RGB
    upper: str
    upper_texture: Texture
    upper_looseness: float
    lower: str
    lower_texture: Texture
    lower_looseness: float
    shoe_color: RGB
    sole_color: RGB
    detail_seed: int

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, lists, strings and numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Appearance:
        """The inverse of `to_json`, also after a trip through JSON text.

        Raises:
            InputError: a field is missing, unknown or out of range.
        """
        wanted = set(cls.__dataclass_fields__)
        if not isinstance(data, dict) or set(data) != wanted:
            found = sorted(set(data) ^ wanted) if isinstance(data, dict) else type(data).__name__
            raise InputError("appearance", f"missing or unknown fields {found}", f"exactly {sorted(wanted)}")
        values = dict(data)
        for name in ("upper_texture", "lower_texture"):
            values[name] = _texture_from_json(name, values[name])
        for name in ("skin_color", "hair_color", "eye_color", "shoe_color", "sole_color"):
            values[name] = _color_from_json(name, values[name])
        appearance = cls(**values)
        check_appearance(appearance)
        return appearance


def _color_from_json(name: str, value: object) -> RGB:
    if (
        isinstance(value, list | tuple)
        and len(value) == 3
        and all(isinstance(x, int) and 0 <= x <= 255 for x in value)
    ):
        return (value[0], value[1], value[2])
    raise InputError(f"appearance: {name}", repr(value), "three integers from 0 to 255")


def _texture_from_json(name: str, value: object) -> Texture:
    if not isinstance(value, dict) or set(value) != {"kind", "seed", "colors"}:
        raise InputError(f"appearance: {name}", repr(value), "a mapping with kind, seed and colors")
    colors = tuple(_color_from_json(f"{name}: colors", c) for c in value["colors"])
    return Texture(value["kind"], value["seed"], colors)


def check_appearance(appearance: Appearance) -> None:
    """Raises InputError: an unknown garment, texture or hair style, or looseness outside 0 to 1."""
    if appearance.upper not in UPPERS:
        raise InputError("appearance: upper", repr(appearance.upper), f"one of {', '.join(UPPERS)}")
    if appearance.lower not in LOWERS:
        raise InputError("appearance: lower", repr(appearance.lower), f"one of {', '.join(LOWERS)}")
    if appearance.hair_style not in HAIR_STYLES:
        raise InputError(
            "appearance: hair_style", repr(appearance.hair_style), f"one of {', '.join(HAIR_STYLES)}"
        )
    for name in ("upper_looseness", "lower_looseness"):
        if not 0 <= getattr(appearance, name) <= 1:
            raise InputError(f"appearance: {name}", str(getattr(appearance, name)), "a number from 0 to 1")
    for texture in (appearance.upper_texture, appearance.lower_texture):
        check_texture(texture)


def _pick(rng: np.random.Generator, options: tuple | list, p: list[float] | None = None) -> Any:
    return options[int(rng.choice(len(options), p=p))]


def _varied(rng: np.random.Generator, color: RGB, spread: float = 7.0) -> RGB:
    shifted = np.clip(
        np.asarray(color) + rng.normal(0, spread) + rng.normal(0, 0.4 * spread, 3), 4, 250
    ).round()
    return (int(shifted[0]), int(shifted[1]), int(shifted[2]))


def _sample_texture(
    rng: np.random.Generator, kinds: tuple[str, ...], p: list[float], palette: tuple[RGB, ...]
) -> Texture:
    kind = _pick(rng, kinds, p)
    if kind == "denim":
        colors = [_pick(rng, _DENIM_COLORS)]
    else:
        count = {
            "stripes": int(rng.integers(2, 4)),
            "checks": int(rng.integers(2, 4)),
            "print": int(rng.integers(2, 4)),
        }
        chosen = rng.choice(len(palette), count.get(kind, 1), replace=False)
        colors = [palette[int(k)] for k in chosen]
    return Texture(kind, int(rng.integers(2**31)), tuple(_varied(rng, c) for c in colors))


def sample_appearance(rng: np.random.Generator, gender: str) -> Appearance:
    """A random look; the same generator state gives the same look.

    gender: male, female or neutral; only shifts the odds of hair styles and cuts.
    """
    if gender not in ("male", "female", "neutral"):
        raise InputError("gender", repr(gender), "male, female or neutral")
    is_female = gender == "female" or (gender == "neutral" and rng.random() < 0.5)
    tone = int(rng.integers(len(SKIN_TONES)))
    pale = tone < 3
    hair = _pick(rng, list(HAIR_COLORS), [0.14, 0.22, 0.22, 0.14, 0.12, 0.06, 0.07, 0.03] if pale
                 else [0.56, 0.28, 0.06, 0.01, 0.01, 0.0, 0.06, 0.02])  # fmt: skip
    style = _pick(rng, HAIR_STYLES, [0.02, 0.18, 0.40, 0.40] if is_female else [0.25, 0.70, 0.025, 0.025])
    upper = _pick(rng, list(UPPERS), [0.5, 0.2, 0.3])
    lower = _pick(rng, list(LOWERS), [0.2, 0.2, 0.35, 0.25] if is_female else [0.4, 0.1, 0.48, 0.02])
    upper_texture = _sample_texture(
        rng, ("plain", "stripes", "checks", "print", "knit"), [0.34, 0.2, 0.16, 0.18, 0.12], _TOP_COLORS
    )
    tight = lower == "leggings"
    lower_texture = _sample_texture(
        rng, ("plain", "denim", "checks", "stripes", "print", "knit"),
        [0.7, 0.0, 0.0, 0.0, 0.2, 0.1] if tight else [0.44, 0.36, 0.08, 0.05, 0.03, 0.04], _BOTTOM_COLORS,
    )  # fmt: skip
    return Appearance(
        skin_color=_varied(rng, SKIN_TONES[tone], 4.0),
        hair_style=style,
        hair_color=_varied(rng, HAIR_COLORS[hair], 3.0),
        eye_color=_pick(rng, EYE_COLORS if pale else EYE_COLORS[:2]),
        upper=upper,
        upper_texture=upper_texture,
        upper_looseness=round(float(rng.beta(2, 2)), 3),
        lower=lower,
        lower_texture=lower_texture,
        lower_looseness=round(float(rng.beta(2, 2)), 3),
        shoe_color=_varied(rng, _pick(rng, _SHOE_COLORS)),
        sole_color=_pick(rng, _SOLE_COLORS),
        detail_seed=int(rng.integers(2**31)),
    )
