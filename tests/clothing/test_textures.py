"""Procedural cloth: tileable, seeded, and errors that name what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from odah.clothing import TEXTURE_KINDS, Texture, texture_image
from odah.clothing.textures import hair_image
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
