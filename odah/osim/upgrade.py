"""Old `.osim` files rewritten in today's format, by OpenSim."""

from __future__ import annotations

from pathlib import Path

from odah.errors import InputError, OdahError


def upgrade_model(source: str | Path, target: str | Path) -> None:
    """Load `source` in OpenSim, which updates it, and print it to `target`.

    Raises:
        OdahError: the `opensim` package is missing.
        InputError: OpenSim cannot load the file.
    """
    try:
        import opensim
    except ImportError:
        message = f"{source} has an old format, which only OpenSim can read: pip install 'odah[kinematics]'"
        raise OdahError(message) from None
    level = opensim.Logger.getLevelString()
    opensim.Logger.setLevelString("Off")  # missing mesh files do not matter here
    try:
        opensim.Model(str(source)).printToXML(str(target))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(source, f"what OpenSim refuses ({reason})", "an OpenSim model (.osim)") from None
    finally:
        opensim.Logger.setLevelString(level)
