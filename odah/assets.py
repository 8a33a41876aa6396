"""Where the files that travel with the package are, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def asset_path(relative: str) -> Path:
    """Path of e.g. `blender_scenes/worker.py`, `regressors/...` or `configs/...`."""
    packed = _PACKAGE / "_assets" / relative
    return packed if packed.exists() else _PACKAGE.parent / relative
