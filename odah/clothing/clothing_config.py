"""What people may wear: built-in cuts and fabrics, and a user's own garments and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from odah.clothing.patterns import LOWERS, UPPERS
from odah.clothing.textures import TEXTURE_KINDS
from odah.sections import Section, Share


def _one_of(known: Sequence[str]) -> AfterValidator:
    def check(names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in known:
                raise ValueError(f"names out of {', '.join(known)}, of which {name!r} is none")
        return names

    return AfterValidator(check)


_Uppers = Annotated[tuple[str, ...], Field(min_length=1), _one_of(tuple(UPPERS))]
_Lowers = Annotated[tuple[str, ...], Field(min_length=1), _one_of(tuple(LOWERS))]
_Textures = Annotated[tuple[str, ...], Field(min_length=1), _one_of(TEXTURE_KINDS)]


class ClothingConfig(Section):
    """Paths are relative to the config file."""

    changes: Literal["per_subject", "per_clip"] = "per_subject"
    """Whether people wear the same in all of their clips or other clothes in each."""
    uppers: _Uppers = tuple(UPPERS)
    lowers: _Lowers = tuple(LOWERS)
    textures: _Textures = TEXTURE_KINDS
    pictures: tuple[str, ...] = ()
    """PNG or JPEG files, or folders of them, as prints of the built-in cuts."""
    picture_share: Share = 0.5
    """Of uppers and lowers that wear one of the pictures."""
    garments: tuple[str, ...] = ()
    """MakeHuman's `.mhclo` files, or folders with one each; the open body only."""
    garment_share: Share = 0.5
    """Of people who wear one of the garments, where it can be worn together with those chosen before."""
    wrinkles: bool = False
    """Folds where a pose squeezes the cloth."""
