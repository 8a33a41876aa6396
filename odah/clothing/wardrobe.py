"""The clothes there are for a dataset: the cuts and fabrics that its config allows, and the user's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from odah.clothing.appearance import CLOTHES, Appearance, sample_appearance
from odah.clothing.clothing_config import ClothingConfig
from odah.clothing.image_texture import image_texture
from odah.clothing.makehuman.garment import MakeHumanGarment, Slot, load_garment
from odah.clothing.outfit import Outfit, dress
from odah.clothing.textures import Texture, colors_needed
from odah.errors import InputError

if TYPE_CHECKING:
    from odah.body.body_model import BodyModel

_SECOND_COLOR = (222, 220, 214)
"""sRGB of the pattern on a fabric that was plain."""
_PICTURES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Wardrobe:
    """A config with its files read. pictures: (size, size, 3) uint8 sRGB by file name. garments: by name."""

    config: ClothingConfig
    pictures: Mapping[str, np.ndarray]
    garments: Mapping[str, MakeHumanGarment]

    @classmethod
    def open(cls, config: ClothingConfig, folder: Path = Path()) -> Wardrobe:
        """folder: of the config file.

        Raises:
            InputError: a file is missing or damaged, or two have one name.
        """
        pictures = {path.name: image_texture(path) for path in picture_files(config.pictures, folder)}
        loaded = [load_garment(folder / Path(path).expanduser()) for path in config.garments]
        garments = {garment.name: garment for garment in loaded}
        if len(garments) < len(loaded):
            names = [garment.name for garment in loaded]
            raise InputError("config: clothing.garments", f"garments called {names}", "names that differ")
        return cls(config, pictures, garments)

    def restyled(self, look: Appearance, rng: np.random.Generator) -> Appearance:
        """The same person in what this wardrobe has; what the look wears already stays if it may."""
        config = self.config
        changed: dict[str, Any] = {}
        for slot, allowed in (("upper", config.uppers), ("lower", config.lowers)):
            worn, texture = getattr(look, slot), getattr(look, f"{slot}_texture")
            changed[slot] = worn if worn in allowed else _pick(rng, allowed)
            changed[f"{slot}_texture"] = self._allowed(texture, rng)
            if self.pictures and rng.random() < config.picture_share:
                changed[f"{slot}_picture"] = _pick(rng, sorted(self.pictures))
        return replace(look, **changed, garments=self._chosen(rng))

    def changed(self, look: Appearance, gender: str, rng: np.random.Generator) -> Appearance:
        """The same person in other clothes and shoes; garments worn in place of the hair stay."""
        drawn = self.restyled(sample_appearance(rng, gender, look.age), rng)
        clothes = {name: getattr(drawn, name) for name in CLOTHES}
        hair = [name for name in look.garments if "hair" in self.garments[name].covers]
        covered = frozenset[Slot]().union(*(self.garments[name].covers for name in hair))
        others = [name for name in drawn.garments if not self.garments[name].covers & (covered | {"hair"})]
        return replace(look, **clothes, garments=(*hair, *others))

    def dress(self, body: BodyModel, betas: np.ndarray, look: Appearance) -> Outfit:
        """See `odah.clothing.outfit.dress`."""
        garments = [self.garments[name] for name in look.garments]
        return dress(body, betas, look, garments, self.config.wrinkles, self.pictures)

    def _allowed(self, texture: Texture, rng: np.random.Generator) -> Texture:
        if texture.kind in self.config.textures:
            return texture
        kind = _pick(rng, self.config.textures)
        spare = max(0, colors_needed(kind) - len(texture.colors))
        return replace(texture, kind=kind, colors=(*texture.colors, *[_SECOND_COLOR] * spare))

    def _chosen(self, rng: np.random.Generator) -> tuple[str, ...]:
        """Garments in a random order, as far as no two cover one place."""
        names, covered = [], frozenset()
        for index in rng.permutation(len(self.garments)):
            garment = list(self.garments.values())[index]
            if garment.covers & covered or rng.random() >= self.config.garment_share:
                continue
            names.append(garment.name)
            covered |= garment.covers
        return tuple(names)


def _pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]


def picture_files(paths: Sequence[str], folder: Path) -> list[Path]:
    """The files named, and those with a picture's ending in the folders named.

    Raises:
        InputError: a folder without any, or two of one name.
    """
    files: list[Path] = []
    for path in (folder / Path(path).expanduser() for path in paths):
        inside = (
            sorted(p for p in path.iterdir() if p.suffix.lower() in _PICTURES) if path.is_dir() else [path]
        )
        if not inside:
            raise InputError(path, "a folder without pictures", f"files that end in {', '.join(_PICTURES)}")
        files += inside
    names = [path.name for path in files]
    if len(set(names)) < len(names):
        raise InputError("config: clothing.pictures", f"files called {names}", "names that differ")
    return files
