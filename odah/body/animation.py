"""A fitted body's motion as one AMASS-style `.npz`, complete enough to pose the same mesh again.

Tools that read AMASS find poses, trans, betas, gender and rate where they expect them; bone lengths, the
body's name and where markers sit have keys of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from odah.body.body_model import BodyModel
from odah.body.files import Shape, read_arrays
from odah.body.fitting.measured_markers import MarkerPlacement
from odah.body.registration.marker_layout import topology_hash
from odah.body.shape.bone_lengths import BONE_LENGTHS
from odah.errors import InputError
from odah.motion.amass_writer import write_amass
from odah.motion.types import Gender, Motion, Source
from odah.names import SMPLX_JOINTS

_KIND = "an animation that `odah animate` wrote"
_OPEN_BODY, OPEN_BODY_SURFACE = "open", "odah_open"
"""The open body's name, and its surface model's: named smplx, its betas would be taken for SMPL-X's."""

_ARRAYS: dict[str, Shape] = {
    "poses": (None, 3 * len(SMPLX_JOINTS)),
    "trans": (None, 3),
    "betas": (None,),
    "bone_lengths": (len(BONE_LENGTHS),),
    "gender": (),
    "mocap_frame_rate": (),
    "body": (),
    "topology": (),
    "marker_names": (None,),
    "marker_vertices": (None,),
    "marker_offsets": (None, 3),
}
_TEXTS = ("gender", "body", "topology", "marker_names")


@dataclass(frozen=True)
class BodyAnimation:
    """A body in motion, world (Z-up).

    betas: (B,) of the body with bone lengths, which come last. poses: (T, 55, 3) rotation vectors, rad.
    transl: (T, 3) m. rate: Hz. body_name and topology: of the body that the betas belong to. placement: of
    measured markers on it.
    """

    betas: np.ndarray
    poses: np.ndarray
    transl: np.ndarray
    rate: float
    gender: Gender
    body_name: str
    topology: str
    placement: MarkerPlacement | None = None

    @property
    def bone_lengths(self) -> dict[str, float]:
        """The last betas by name; one unit is a tenth of the part's size."""
        return dict(zip(BONE_LENGTHS, self.betas[-len(BONE_LENGTHS) :].tolist(), strict=True))

    def check_body(self, body: BodyModel, where: str | Path) -> None:
        """Whether `body`, without its bone lengths, is the one whose betas these are.

        Raises:
            InputError: another body, or other vertex numbers; names `where`.
        """
        if body.name != self.body_name:
            raise InputError(f"{where}: body", repr(self.body_name), repr(body.name))
        if body_topology(body) != self.topology:
            raise InputError(f"{where}: topology", self.topology, f"{body_topology(body)} of {body.name}")
        found, expected = len(self.betas) - len(BONE_LENGTHS), body.num_shape_betas
        if found != expected:
            raise InputError(f"{where}: betas", f"{found} numbers", f"the {expected} of {body.name}")


def body_topology(body: BodyModel) -> str:
    """Says whether two bodies share vertex numbers."""
    return topology_hash(body.faces, body.num_vertices)


def write_animation(path: str | Path, animation: BodyAnimation) -> None:
    """Write an `.npz` that both AMASS readers and `load_animation` read, whole or not at all.

    Raises:
        InputError: not an `.npz` path, or arrays that are not finite.
    """
    split = len(animation.betas) - len(BONE_LENGTHS)
    motion = Motion(
        poses=animation.poses,
        transl=animation.transl,
        rate=animation.rate,
        source=Source(str(path), "amass"),
        gender=animation.gender,
        betas=animation.betas[:split],
    )
    placement = animation.placement or MarkerPlacement((), np.zeros(0, np.int64), np.zeros((0, 3)))
    further = {
        "bone_lengths": animation.betas[split:],
        "bone_length_names": np.array(BONE_LENGTHS),
        "body": np.array(animation.body_name),
        "topology": np.array(animation.topology),
        "marker_names": np.array(placement.names, dtype=np.str_),
        "marker_vertices": placement.vertices,
        "marker_offsets": placement.offsets,
    }
    if animation.body_name == _OPEN_BODY:
        further["surface_model_type"] = np.array(OPEN_BODY_SURFACE)
    write_amass(path, motion, further)


def load_animation(path: str | Path) -> BodyAnimation:
    """Read what `write_animation` wrote; `BodyFitter.body(betas, poses, transl)` then is the same mesh.

    Raises:
        InputError: missing, damaged or pickled, or an AMASS file without bone lengths.
    """
    arrays = read_arrays(path, _ARRAYS, _KIND)
    for name, array in arrays.items():
        if (array.dtype.kind == "U") != (name in _TEXTS):
            expected = "text" if name in _TEXTS else "numbers"
            raise InputError(f"{path}: {name}", f"values of type {array.dtype}", expected)
    names = tuple(arrays["marker_names"].tolist())
    for name in ("marker_vertices", "marker_offsets"):
        if len(arrays[name]) != len(names):
            raise InputError(
                f"{path}: {name}", f"{len(arrays[name])} markers", f"those of {len(names)} names"
            )
    placement = MarkerPlacement(names, arrays["marker_vertices"], arrays["marker_offsets"]) if names else None
    gender = str(arrays["gender"])
    if gender not in ("male", "female", "neutral"):
        raise InputError(f"{path}: gender", repr(gender[:40]), "male, female or neutral")
    return BodyAnimation(
        betas=np.concatenate([arrays["betas"], arrays["bone_lengths"]]),
        poses=arrays["poses"].reshape(-1, len(SMPLX_JOINTS), 3),
        transl=arrays["trans"],
        rate=float(arrays["mocap_frame_rate"]),
        gender=gender,
        body_name=str(arrays["body"]),
        topology=str(arrays["topology"]),
        placement=placement,
    )
