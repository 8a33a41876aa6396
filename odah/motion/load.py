"""One door for every motion file."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

from odah.errors import InputError
from odah.motion.amass import read_amass
from odah.motion.asf_amc import read_amc
from odah.motion.bvh import read_bvh
from odah.motion.c3d import read_c3d
from odah.motion.retarget import retarget
from odah.motion.trc import read_trc
from odah.motion.types import MarkerTrajectories, Motion

_READERS: dict[str, Callable] = {
    ".npz": read_amass,
    ".amc": read_amc,
    ".bvh": read_bvh,
    ".c3d": read_c3d,
    ".trc": read_trc,
}
SUFFIXES = tuple(_READERS)
"""The file types `load_motion` reads."""


def load_motion(path: str | Path, **options: object) -> Motion | MarkerTrajectories:
    """Read a motion file by its suffix: `.npz` (AMASS), `.amc` (with its `.asf`), `.bvh`, `.c3d`, `.trc`.

    Skeleton files come back as SMPL-X rotations (`retarget`), marker files as `MarkerTrajectories`.

    Args:
        options: of the file type's reader: `rate` (.npz, .amc, .bvh, .c3d), `up` (.amc, .bvh, .c3d),
            `unit` (.amc, .bvh), `skeleton` (.amc).

    Raises:
        InputError: an unknown type, an option that the type does not have, or a file that cannot be used.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in (".mot", ".sto"):
        raise InputError(path, "OpenSim coordinates without a model", "them together with their .osim model")
    if suffix not in _READERS:
        expected = f"one of {', '.join(SUFFIXES)}, or .mot or .sto with their .osim model"
        raise InputError(path, f"file type {suffix or '(none)'!r}", expected)
    reader = _READERS[suffix]
    accepted = list(inspect.signature(reader).parameters)[1:]
    for name in options:
        if name not in accepted:
            raise InputError(
                f"{path}, option {name}", "an option this file type does not have", f"one of {accepted}"
            )
    loaded = reader(path, **options)
    return loaded if isinstance(loaded, Motion | MarkerTrajectories) else retarget(loaded)
