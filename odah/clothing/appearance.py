"""What a person looks like: plain values, drawn from a seed, stored with the subject."""

from __future__ import annotations

from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

import numpy as np

from odah.clothing.hair import HAIR_STYLES
from odah.clothing.patterns import LOWERS, UPPERS
from odah.clothing.shoes import SHOE_KINDS
from odah.clothing.textures import RGB, Texture, check_texture
from odah.clothing.tones import (
    linear_to_srgb,
    sample_eye_color,
    sample_hair_color,
    sample_skin_tone,
    srgb_to_linear,
)
from odah.errors import InputError

FACIAL_HAIR = ("none", "shaven", "stubble", "moustache", "goatee", "beard")
"""What grows on the lower face; "shaven" still shades it."""
CLOTHES = (
    "upper", "upper_texture", "upper_looseness", "upper_picture", "lower", "lower_texture", "lower_looseness",
    "lower_picture", "shoe_kind", "shoe_color", "sole_color",
)  # fmt: skip
"""What of an appearance is put on and taken off, garments of the user's own aside."""
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
_SHOE_ODDS = {"sneaker": 0.6, "boot": 0.14, "slip_on": 0.18, "barefoot": 0.08}
_FEMALE_STYLES = {
    "long": 0.24, "bob": 0.20, "ponytail": 0.14, "bun": 0.10, "braid": 0.08, "short": 0.06, "fringe": 0.08,
    "side_part": 0.03, "curly": 0.05, "afro": 0.02, "buzz": 0.01,
}  # fmt: skip
_MALE_STYLES = {
    "short": 0.30, "side_part": 0.20, "buzz": 0.20, "fringe": 0.10, "curly": 0.07, "afro": 0.03, "long": 0.03,
    "bun": 0.03, "ponytail": 0.02, "shaved": 0.02,
}  # fmt: skip


@dataclass(frozen=True)
class Appearance:
    """Skin, hair, eyes and clothes of a person. Colours sRGB 0-255; looseness 0 tight to 1 wide.

    age: years. brows: 0 thin to 1 bushy. freckles: 0 none to 1 many. garments: names of the user's own that
    are worn in place of these; upper_picture, lower_picture: of the user's pictures that are printed on them.
    """

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
    age: float = 35.0
    facial_hair: str = "none"
    lip_color: RGB = (150, 92, 84)
    brows: float = 0.5
    freckles: float = 0.0
    has_glasses: bool = False
    shoe_kind: str = "sneaker"
    garments: tuple[str, ...] = ()
    upper_picture: str | None = None
    lower_picture: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, lists, strings and numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Appearance:
        """The inverse of `to_json`, also after a trip through JSON text.

        Raises:
            InputError: a field is missing, unknown or out of range.
        """
        wanted = {field.name for field in fields(cls)}
        needed = {field.name for field in fields(cls) if field.default is MISSING}
        if not isinstance(data, dict) or not needed <= set(data) <= wanted:
            found = sorted((set(data) - wanted) | (needed - set(data))) if isinstance(data, dict) else data
            raise InputError("appearance", f"missing or unknown fields {found}", f"fields {sorted(wanted)}")
        values = dict(data)
        for name in ("upper_texture", "lower_texture"):
            values[name] = _texture_from_json(name, values[name])
        for name in {name for name in values if name.endswith("_color")}:
            values[name] = _color_from_json(name, values[name])
        values["garments"] = _names_from_json("garments", values.get("garments", ()))
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


def _names_from_json(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and all(isinstance(x, str) for x in value):
        return tuple(value)
    raise InputError(f"appearance: {name}", repr(value), "a list of names")


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
    if appearance.facial_hair not in FACIAL_HAIR:
        raise InputError(
            "appearance: facial_hair", repr(appearance.facial_hair), f"one of {', '.join(FACIAL_HAIR)}"
        )
    if appearance.shoe_kind not in SHOE_KINDS:
        raise InputError(
            "appearance: shoe_kind", repr(appearance.shoe_kind), f"one of {', '.join(SHOE_KINDS)}"
        )
    for name in ("upper_looseness", "lower_looseness", "brows", "freckles"):
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
    return _rgb(shifted)


def _rgb(color: np.ndarray) -> RGB:
    red, green, blue = np.clip(color, 0, 255).round().astype(int)
    return int(red), int(green), int(blue)


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


def sample_appearance(rng: np.random.Generator, gender: str, age: float = 35.0) -> Appearance:
    """A random look; the same generator state gives the same look. docs/people.md lists the odds.

    gender: male, female or neutral; only shifts odds: of hair styles, beards, cuts. age: years.

    Raises:
        InputError: an unknown gender.
    """
    if gender not in ("male", "female", "neutral"):
        raise InputError("gender", repr(gender), "male, female or neutral")
    is_female = gender == "female" or (gender == "neutral" and rng.random() < 0.5)
    return Appearance(
        **_sample_clothes(rng, is_female),
        **_sample_head(rng, is_female, age),
        age=round(float(age), 1),
        shoe_kind=_pick(rng, list(_SHOE_ODDS), list(_SHOE_ODDS.values())),
    )


def _sample_clothes(rng: np.random.Generator, is_female: bool) -> dict[str, Any]:
    upper = _pick(rng, list(UPPERS), [0.4, 0.16, 0.22, 0.22])
    lower = _pick(rng, list(LOWERS), [0.2, 0.2, 0.35, 0.25] if is_female else [0.4, 0.1, 0.48, 0.02])
    upper_texture = _sample_texture(
        rng, ("plain", "stripes", "checks", "print", "knit"), [0.34, 0.2, 0.16, 0.18, 0.12], _TOP_COLORS
    )
    tight = lower == "leggings"
    lower_texture = _sample_texture(
        rng, ("plain", "denim", "checks", "stripes", "print", "knit"),
        [0.7, 0.0, 0.0, 0.0, 0.2, 0.1] if tight else [0.44, 0.36, 0.08, 0.05, 0.03, 0.04], _BOTTOM_COLORS,
    )  # fmt: skip
    return {
        "upper": upper,
        "upper_texture": upper_texture,
        "upper_looseness": round(float(rng.beta(2, 2)), 3),
        "lower": lower,
        "lower_texture": lower_texture,
        "lower_looseness": round(float(rng.beta(2, 2)), 3),
        "shoe_color": _varied(rng, _pick(rng, _SHOE_COLORS)),
        "sole_color": _pick(rng, _SOLE_COLORS),
    }


def _sample_head(rng: np.random.Generator, is_female: bool, age: float) -> dict[str, Any]:
    skin, depth = sample_skin_tone(rng)
    beards = [0.0] * 5 if is_female else [0.36, 0.26, 0.06, 0.10, 0.22]
    return {
        "skin_color": skin,
        "hair_style": _sample_hair_style(rng, is_female, age, depth),
        "hair_color": sample_hair_color(rng, depth, age),
        "eye_color": sample_eye_color(rng, depth),
        "facial_hair": "none" if is_female else _pick(rng, FACIAL_HAIR[1:], beards),
        "lip_color": _sample_lips(rng, skin, is_female),
        "brows": round(float(rng.beta(2, 3) if is_female else rng.beta(3, 2)), 3),
        "freckles": round(float(rng.uniform(0.3, 1.0)), 3) if rng.random() < 0.45 - 0.6 * depth else 0.0,
        "has_glasses": bool(rng.random() < np.interp(age, [18, 45, 65], [0.15, 0.25, 0.4])),
        "detail_seed": int(rng.integers(2**31)),
    }


def _sample_hair_style(rng: np.random.Generator, is_female: bool, age: float, depth: float) -> str:
    """Styles by sex; men lose hair with age (half of them by 50: Hamilton 1951, Annals of the New York
    Academy of Sciences 53), tight curls go with dark skin."""
    if not is_female and rng.random() < np.clip((age - 18) / 64, 0, 0.65):
        return _pick(rng, ("receding", "balding", "shaved"), [0.45, 0.35, 0.20])
    curls = float(np.clip((depth - 0.35) / 0.4, 0, 1))
    tilt: dict[str, float] = dict.fromkeys(("afro", "curly"), 1 + 5 * curls)
    tilt |= dict.fromkeys(("long", "bob", "side_part", "fringe"), 1 - 0.6 * curls)
    tilt["braid"] = 1 + 3 * curls
    styles = _FEMALE_STYLES if is_female else _MALE_STYLES
    odds = np.array([share * tilt.get(style, 1.0) for style, share in styles.items()])
    return _pick(rng, tuple(styles), list(odds / odds.sum()))


def _sample_lips(rng: np.random.Generator, skin: RGB, is_female: bool) -> RGB:
    """Redder and darker than the skin; a quarter of women wear lipstick."""
    color = linear_to_srgb(srgb_to_linear(skin) * np.array([0.80, 0.50, 0.48]))
    if is_female and rng.random() < 0.25:
        tint = np.array(
            _pick(rng, ((0.75, 0.16, 0.20), (0.85, 0.34, 0.38), (0.50, 0.12, 0.20), (0.9, 0.42, 0.38)))
        )
        color = linear_to_srgb(
            srgb_to_linear(color) + 0.6 * (tint * srgb_to_linear(skin)[0] - srgb_to_linear(color))
        )
    return _varied(rng, _rgb(color), 3.0)
