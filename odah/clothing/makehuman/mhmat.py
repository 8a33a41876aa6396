"""The part of MakeHuman's `.mhmat` materials that a garment is drawn with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from odah.clothing.makehuman.text import MAX_FILE_SIZE, file_beside, floats, words_of
from odah.clothing.pictures import decoded, resized
from odah.errors import InputError

KIND = "a MakeHuman material (.mhmat)"
_MAX_SIDE = 2048
"""Larger pictures are made smaller, px."""


@dataclass(frozen=True)
class Mhmat:
    """diffuse: RGB 0 to 1 as the file has it. picture: (H, W, 4) uint8 sRGB and opacity, for the whole uv
    square, None where the file names none or the one it names is not there. is_transparent: parts of the
    mesh are meant to be seen through."""

    diffuse: tuple[float, float, float] = (1.0, 1.0, 1.0)
    picture: np.ndarray | None = None
    is_transparent: bool = False


def read_mhmat(path: Path) -> Mhmat:
    """Read and check a `.mhmat` file and its picture.

    Raises:
        InputError: not such a file; colours that are no numbers; a picture outside the folder or none.
    """
    diffuse, picture, is_transparent = [1.0, 1.0, 1.0], None, False
    for where, words in words_of(path, KIND):
        if words[0] == "diffuseColor":
            diffuse = np.clip(floats(f"{where}: diffuseColor", words[1:], 3), 0, 1).tolist()
        elif words[0] == "transparent":
            is_transparent = " ".join(words[1:]).lower() == "true"
        elif words[0] == "diffuseTexture" and len(words) > 1:
            picture = _picture(path, f"{where}: diffuseTexture", " ".join(words[1:]))
    return Mhmat((diffuse[0], diffuse[1], diffuse[2]), picture, is_transparent)


def material_pictures(path: Path) -> list[Path]:
    """The files that `read_mhmat` reads besides.

    Raises:
        InputError: not such a file.
    """
    named = [words for _, words in words_of(path, KIND) if words[0] == "diffuseTexture" and len(words) > 1]
    return [path.parent / " ".join(words[1:]) for words in named]


def _picture(path: Path, where: str, name: str) -> np.ndarray | None:
    try:
        is_there = (path.parent / name).exists()
    except OSError:  # a name no file system takes
        is_there = False
    if not is_there:
        return None
    file = file_beside(path.parent, where, name, "a PNG or JPEG picture")
    if file.stat().st_size > MAX_FILE_SIZE:
        raise InputError(where, f"{file.stat().st_size} bytes", f"a picture of at most {MAX_FILE_SIZE} bytes")
    image = decoded(file.read_bytes())
    if image is None or image.dtype != np.uint8:
        raise InputError(
            where, f"{name}, which cannot be read", "a PNG or JPEG picture with 8 bits a channel"
        )
    image = image.reshape(*image.shape[:2], -1)
    channels = image.shape[2]
    opacity = image[..., 3:] if channels == 4 else np.full((*image.shape[:2], 1), 255, np.uint8)
    rgb = image[..., 2::-1] if channels >= 3 else np.repeat(image[..., :1], 3, axis=2)
    rgba = np.ascontiguousarray(np.concatenate([rgb, opacity], 2))
    shrink = _MAX_SIDE / max(rgba.shape[:2])
    if shrink >= 1:
        return rgba
    height, width = rgba.shape[:2]
    return resized(rgba, max(round(shrink * width), 1), max(round(shrink * height), 1))
