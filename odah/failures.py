"""Which failures are told to the user in one sentence, and how."""

from __future__ import annotations

from odah.errors import OdahError

_EXTRAS = {
    "opensim": "kinematics",
    "ezc3d": "kinematics",
    "matplotlib": "kinematics",
    "av": "generate",
    "cv2": "generate",
    "pyarrow": "generate",
    "jinja2": "generate",
    "sklearn": "register",
    "ray": "ray",
    "rerun": "view",
    "lightning": "train",
    "tensorboard": "train",
    "ai_edge_litert": "predict",
    "ultralytics": "yolo",
}


def sentence(error: BaseException) -> str | None:
    """One line for mistakes, failed work, missing extras, what the system refuses; None for all else."""
    if isinstance(error, OdahError):
        return " ".join(str(error).split())
    if isinstance(error, ModuleNotFoundError):
        extra = _EXTRAS.get((error.name or "").split(".")[0])
        return extra and f"{error.name} is not installed; run: pip install 'odah[{extra}]'"
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, OSError):
        where = "" if error.filename is None else f"{error.filename}: "
        return f"{where}{(error.strerror or str(error) or 'the system refused').lower()}"
    return None
