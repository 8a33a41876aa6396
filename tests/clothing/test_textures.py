"""Procedural cloth: tileable, seeded, and errors that name what is wrong."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odah.clothing import TEXTURE_KINDS, Texture, texture_image
from odah.clothing.image_texture import image_texture
from odah.clothing.textures import hair_image, texture_relief
from odah.errors import InputError

COLORS = ((190, 60, 50), (40, 60, 120), (220, 220, 210))


@pytest.mark.parametrize("kind", TEXTURE_KINDS)
def test_texture_is_seeded_and_close_to_its_colours(kind):
    first = texture_image(Texture(kind, 3, COLORS))
    assert first.shape == (512, 512, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, texture_image(Texture(kind, 3, COLORS)))
    assert (first != texture_image(Texture(kind, 4, COLORS))).any()
    assert first.std() > 0.5


@pytest.mark.parametrize("kind", TEXTURE_KINDS)
def test_opposite_edges_fit_together(kind):
    """The step across the seam is no larger than the steps inside the image."""
    image = texture_image(Texture(kind, 5, COLORS)).astype(float)
    for axis in (0, 1):
        inside = np.abs(np.diff(image, axis=axis)).mean((1 - axis, 2))
        seam = np.abs(image.take(0, axis) - image.take(-1, axis)).mean()
        assert seam <= inside.max() + 1e-9


def test_hair_strands_run_along_the_rows():
    image = hair_image((80, 55, 40), 1).astype(float)
    assert np.abs(np.diff(image, axis=1)).mean() > 4 * np.abs(np.diff(image, axis=0)).mean()


def test_plain_cloth_has_its_colour():
    mean = texture_image(Texture("plain", 0, (COLORS[0],))).reshape(-1, 3).mean(0)
    np.testing.assert_allclose(mean, COLORS[0], atol=3)


@pytest.mark.parametrize(
    ("texture", "match"),
    [
        (Texture("velvet", 0, COLORS), "velvet"),
        (Texture("stripes", 0, COLORS[:1]), "at least 2"),
        (Texture("plain", 0, ((300, 0, 0),)), "sRGB"),
    ],
)
def test_wrong_textures_are_refused(texture, match):
    with pytest.raises(InputError, match=match):
        texture_image(texture)


@pytest.mark.parametrize("kind", TEXTURE_KINDS)
def test_relief_fits_its_picture_and_tiles(kind):
    texture = Texture(kind, 3, COLORS)
    relief, depth = texture_relief(texture, 256)
    assert relief.shape == texture_image(texture, 256).shape[:2]
    assert (relief.dtype, relief.min(), relief.max()) == (np.uint8, 0, 255)
    assert 1e-4 < depth < 2e-3
    steps = relief.astype(float)
    for axis in (0, 1):
        inside = np.abs(np.diff(steps, axis=axis)).mean(1 - axis)
        assert np.abs(steps.take(0, axis) - steps.take(-1, axis)).mean() <= inside.max() + 1e-9


@pytest.mark.parametrize("kind", ["knit", "denim"])
def test_raised_threads_are_the_bright_ones(kind):
    """A stitch's top catches light; denim is pale on its ribs."""
    texture = Texture(kind, 3, COLORS[:1])
    brightness = texture_image(texture).astype(float).mean(2).ravel()
    assert np.corrcoef(brightness, texture_relief(texture)[0].ravel())[0, 1] > 0.3


def test_ink_fills_the_gaps_between_threads():
    texture = Texture("print", 3, ((250, 250, 250), (10, 10, 10)))
    relief = texture_relief(texture)[0].astype(float)
    is_ink = texture_image(texture).mean(2) < 60
    assert relief[is_ink].std() < 0.6 * relief[~is_ink].std()


def _written(path, image):
    assert cv2.imwrite(str(path), image)
    return path


def _gradient(height, width):
    """Nowhere the same at opposite edges; OpenCV's order of colours: red grows to the right."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([0 * x + 40, 255 * y / height, 255 * x / width], -1).astype(np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_users_picture_becomes_tileable_cloth(tmp_path, suffix):
    image = image_texture(_written(tmp_path / f"cloth{suffix}", _gradient(90, 200)))
    assert (image.shape, image.dtype) == ((512, 512, 3), np.uint8)
    red_of_row = image.astype(float)[256, :, 0]
    assert np.diff(red_of_row[100:]).mean() > 0, "red grows to the right"
    for axis in (0, 1):
        seam = np.abs(image.take(0, axis).astype(float) - image.take(-1, axis)).mean()
        assert seam < 6


def test_a_picture_that_tiles_stays_as_it_is(tmp_path):
    tile = texture_image(Texture("checks", 5, COLORS))
    path = _written(tmp_path / "checks.png", tile[..., ::-1])
    np.testing.assert_array_equal(image_texture(path), tile)


def test_what_is_transparent_becomes_white_and_grey_stays_grey(tmp_path):
    clear = np.zeros((32, 32, 4), np.uint8)
    assert (image_texture(_written(tmp_path / "clear.png", clear), 64) == 255).all()
    grey = np.full((32, 32), 30000, np.uint16)
    assert (image_texture(_written(tmp_path / "deep.png", grey), 64) == round(30000 / 257)).all()


@pytest.mark.parametrize(
    ("content", "found"), [(None, "no such file"), (b"", "empty"), (b"not a picture at all", "no picture")]
)
def test_what_is_no_picture_is_refused_by_name(tmp_path, content, found):
    path = tmp_path / "shirt.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=f"shirt.png.*{found}.*PNG or JPEG"):
        image_texture(path)


_PNG = cv2.imencode(".png", _gradient(12, 9))[1].tobytes()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60), st.integers(0, len(_PNG)), st.integers(0, len(_PNG)))
def test_damaged_pictures_give_cloth_or_one_sentence(tmp_path, junk, start, end):
    path = tmp_path / "damaged.png"
    path.write_bytes(_PNG[:start] + junk + _PNG[end:])
    try:
        image = image_texture(path, 16)
    except InputError as error:
        message = str(error)
    else:
        message = f"damaged.png {image.shape}"
    assert "damaged.png" in message
