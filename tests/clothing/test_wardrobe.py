"""What a config lets people wear, their own pictures and garments included."""

from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from odah.body.model import load_body
from odah.clothing import sample_appearance
from odah.clothing.appearance import CLOTHES
from odah.clothing.clothing_config import ClothingConfig
from odah.clothing.textures import TEXTURE_KINDS, check_texture
from odah.clothing.wardrobe import Wardrobe
from odah.errors import InputError


def looks(count: int):
    """People as they are drawn without a config."""
    return [sample_appearance(np.random.default_rng(seed), "female", 40.0) for seed in range(count)]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "prints"
    folder.mkdir()
    for name, color in (("red.png", (0, 0, 200)), ("blue.jpg", (200, 0, 0))):
        cv2.imwrite(str(folder / name), np.full((40, 40, 3), color, np.uint8))
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_without_limits_everybody_stays_as_they_are() -> None:
    wardrobe = Wardrobe.open(ClothingConfig())
    for look in looks(10):
        assert wardrobe.restyled(look, np.random.default_rng(0)) == look


def test_only_what_is_allowed_is_worn_and_the_rest_of_the_person_stays() -> None:
    config = ClothingConfig(uppers=("vest", "shirt"), lowers=("leggings",), textures=("checks", "stripes"))
    wardrobe = Wardrobe.open(config)
    worn = [wardrobe.restyled(look, np.random.default_rng(k)) for k, look in enumerate(looks(40))]
    assert {look.upper for look in worn} == {"vest", "shirt"}
    assert {look.lower for look in worn} == {"leggings"}
    assert {look.upper_texture.kind for look in worn} == {"checks", "stripes"}
    for before, after in zip(looks(40), worn, strict=True):
        check_texture(after.upper_texture)
        check_texture(after.lower_texture)
        assert (after.skin_color, after.hair_style) == (before.skin_color, before.hair_style)
        if before.upper in config.uppers:
            assert after.upper == before.upper
    again = [wardrobe.restyled(look, np.random.default_rng(k)) for k, look in enumerate(looks(40))]
    assert again == worn


def test_other_clothes_are_on_the_same_person() -> None:
    config = ClothingConfig(uppers=("vest", "shirt"), textures=("plain", "stripes"))
    wardrobe, (look, *_) = Wardrobe.open(config), looks(1)
    changed = [wardrobe.changed(look, "female", np.random.default_rng(k)) for k in range(12)]
    assert {other.upper for other in changed} == {"vest", "shirt"}
    assert len({(other.lower, other.lower_texture.kind, other.shoe_kind) for other in changed}) > 4
    kept = {field.name for field in fields(look)} - set(CLOTHES)
    assert all(getattr(other, name) == getattr(look, name) for other in changed for name in kept)
    assert wardrobe.changed(look, "female", np.random.default_rng(3)) == changed[3]


@pytest.mark.parametrize(
    ("key", "value"), [("uppers", ["toga"]), ("lowers", []), ("textures", ["plain", "tartan"])]
)
def test_unknown_clothes_are_refused(key: str, value: list[str]) -> None:
    with pytest.raises(ValidationError, match=r"tshirt|leggings|denim|at least 1"):
        ClothingConfig.model_validate({key: value})


def test_pictures_are_printed_on_as_many_as_asked(pictures: Path) -> None:
    config = ClothingConfig(pictures=("prints",), picture_share=1.0)
    wardrobe = Wardrobe.open(config, pictures.parent)
    assert set(wardrobe.pictures) == {"red.png", "blue.jpg"}
    worn = [wardrobe.restyled(look, np.random.default_rng(k)) for k, look in enumerate(looks(12))]
    assert {look.upper_picture for look in worn} == {"red.png", "blue.jpg"}
    never = replace(wardrobe, config=config.model_copy(update={"picture_share": 0.0}))
    assert never.restyled(worn[0], np.random.default_rng(0)).garments == ()


def test_a_printed_shirt_shows_the_picture(pictures: Path) -> None:
    wardrobe = Wardrobe.open(ClothingConfig(pictures=("prints/red.png",), picture_share=1.0), pictures.parent)
    body = load_body()
    look = replace(wardrobe.restyled(looks(1)[0], np.random.default_rng(0)), lower_picture=None)
    layers = wardrobe.dress(body, np.zeros(body.num_betas), look).layers(
        np.zeros((1, 55, 3)), np.zeros((1, 3))
    )
    textures = {layer.name: layer.material.texture for layer in layers}
    assert textures["upper"].mean((0, 1)) == pytest.approx([200, 0, 0], abs=2)
    assert textures["lower"].mean((0, 1)) != pytest.approx([200, 0, 0], abs=20)


def test_a_look_that_names_another_picture_is_refused(pictures: Path) -> None:
    wardrobe = Wardrobe.open(ClothingConfig(pictures=("prints",)), pictures.parent)
    body = load_body()
    look = replace(looks(1)[0], upper_picture="green.png")
    with pytest.raises(InputError, match=r"'green\.png', expected one of those loaded: blue\.jpg, red\.png"):
        wardrobe.dress(body, np.zeros(body.num_betas), look)


def test_bad_files_are_told_before_anything_is_made(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"\x89PNG no")
    (tmp_path / "empty").mkdir()
    cases = {"bad.png": "no picture", "none.png": "no such file", "empty": "without pictures"}
    for name, why in cases.items():
        with pytest.raises(InputError, match=why):
            Wardrobe.open(ClothingConfig(pictures=(name,)), tmp_path)
    with pytest.raises(InputError, match="names that differ"):
        Wardrobe.open(ClothingConfig(pictures=("prints", "prints/red.png")), tmp_path)
    with pytest.raises(InputError, match="mhclo"):
        Wardrobe.open(ClothingConfig(garments=("none.mhclo",)), tmp_path)


def test_garments_are_worn_one_a_place(shared_data: Path) -> None:
    clothes = shared_data / "makehuman_cc0" / "clothes"
    names = ("male_casualsuit02", "male_casualsuit06", "shoes01", "shoes05")
    config = ClothingConfig(garments=tuple(str(clothes / name) for name in names), garment_share=1.0)
    wardrobe = Wardrobe.open(config)
    chosen = [wardrobe.restyled(looks(1)[0], np.random.default_rng(seed)).garments for seed in range(10)]
    for own in chosen:
        covered = [place for name in own for place in wardrobe.garments[name].covers]
        assert len(own) == 2
        assert len(set(covered)) == len(covered)
    assert len(set(chosen)) > 2


def test_every_kind_of_texture_can_be_asked_for() -> None:
    for kind in TEXTURE_KINDS:
        wardrobe = Wardrobe.open(ClothingConfig(textures=(kind,)))
        for look in looks(5):
            assert wardrobe.restyled(look, np.random.default_rng(1)).upper_texture.kind == kind
