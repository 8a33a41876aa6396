"""A garment made for MakeHuman, as its files describe it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from odah.clothing.makehuman.base_mesh import base_mesh
from odah.clothing.makehuman.mhclo import KIND, Binding, read_mhclo
from odah.clothing.makehuman.mhmat import Mhmat, material_pictures, read_mhmat
from odah.clothing.makehuman.obj import read_obj
from odah.clothing.makehuman.text import file_beside
from odah.errors import InputError
from odah.names import SMPLX_INDEX, SMPLX_JOINTS

Slot = Literal["upper", "lower", "shoes", "hair"]

_LEGS = ("hip", "knee")
_FEET = ("ankle", "foot")
_HEAD = ("head", "jaw", "eye")
_TRUNK = ("spine", "collar", "shoulder")
_OUR_LAYERS = ("skin", "upper", "lower", "shoes", "hair", "beard", "glasses")


@dataclass(frozen=True)
class MakeHumanGarment:
    """name: as the file has it. faces: (F, 3) of G vertices. uv: (F, 3, 2) at the corners, or None.
    deleted: base vertices it hides. z_depth: greater is worn further out."""

    name: str
    path: Path
    binding: Binding = field(repr=False)
    faces: np.ndarray = field(repr=False)
    uv: np.ndarray | None = field(repr=False)
    material: Mhmat = field(repr=False)
    deleted: np.ndarray = field(repr=False)
    z_depth: int = 50

    @property
    def layer_name(self) -> str:
        """The name, fit for a file, and never that of a layer of our own."""
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", self.name).strip("_") or "garment"
        return f"{name}_garment" if name in _OUR_LAYERS else name

    @cached_property
    def weights(self) -> np.ndarray:
        """(G, 55) skinning weights, of the base vertices it is bound to."""
        share = np.maximum(self.binding.share, 0)
        share = share / np.maximum(share.sum(1, keepdims=True), 1e-9)
        share[share.sum(1) == 0] = 1 / 3
        weights = np.einsum("gk,gkj->gj", share, base_mesh().weights[self.binding.index])
        return weights / weights.sum(1, keepdims=True)

    @cached_property
    def covers(self) -> frozenset[Slot]:
        """What it is worn in place of, from where it is bound; empty for what is worn besides."""
        if self._share_on(_HEAD) > 0.5:
            return frozenset({"hair"})
        if self._share_on(_FEET) > 0.4:
            return frozenset({"shoes"})
        covered: set[Slot] = set()
        if self._share_on(_TRUNK) > 0.15:
            covered.add("upper")
        if self._share_on(_LEGS) > 0.15:
            covered.add("lower")
        return frozenset(covered)

    def _share_on(self, joints: tuple[str, ...]) -> float:
        """Share of the vertices that are mostly carried by joints with these names."""
        columns = [SMPLX_INDEX[name] for name in SMPLX_JOINTS if any(part in name for part in joints)]
        return float((self.weights[:, columns].sum(1) > 0.6).mean())


def load_garment(path: str | Path) -> MakeHumanGarment:
    """A garment from its `.mhclo` file, or from the folder that holds one.

    All other files it names must lie in that folder. A picture that is missing is left out: what is seen
    through by it is opaque.

    Raises:
        InputError: a file is missing, damaged, too large or of another kind; mesh and binding differ.
    """
    path = _mhclo_in(Path(path))
    about = read_mhclo(path)
    mesh = read_obj(file_beside(path.parent, about.obj_where, about.obj_file, "a Wavefront mesh (.obj)"))
    count = len(about.binding.index)
    if mesh.num_vertices != count:
        found = f"{count} vertices, but {mesh.num_vertices} in {about.obj_file}"
        raise InputError(f"{path}: verts", found, "as many lines as the mesh has vertices")
    material = Mhmat()
    if about.material:
        where = about.material_where
        material = read_mhmat(file_beside(path.parent, where, about.material, "a material (.mhmat)"))
    return MakeHumanGarment(
        about.name, path, about.binding, mesh.faces, mesh.uv, material, about.deleted, about.z_depth
    )


def garment_files(path: str | Path) -> list[Path]:
    """The files that `load_garment` reads.

    Raises:
        InputError: see `load_garment`.
    """
    path = _mhclo_in(Path(path))
    about = read_mhclo(path)
    files = [path, file_beside(path.parent, about.obj_where, about.obj_file, "a Wavefront mesh (.obj)")]
    if about.material:
        material = file_beside(path.parent, about.material_where, about.material, "a material (.mhmat)")
        files += [material, *material_pictures(material)]
    return files


def _mhclo_in(path: Path) -> Path:
    if not path.is_dir():
        return path
    files = sorted(path.glob("*.mhclo"))
    if len(files) != 1:
        raise InputError(path, f"{len(files)} .mhclo files", f"{KIND}, or a folder with one")
    return files[0]
