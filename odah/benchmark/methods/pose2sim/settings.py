"""What stands in a trial's Config.toml: Pose2Sim's shipped values, the user's, and those of the trial."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from odah.benchmark.recording import Recording
from odah.errors import InputError

_SECTIONS = ("personAssociation", "triangulation", "filtering", "markerAugmentation", "kinematics")
_OURS: dict[str, dict[str, Any]] = {
    "triangulation": {"make_c3d": False, "undistort_points": False},
    "filtering": {"make_c3d": False, "display_figures": False, "save_filt_plots": False},
    "markerAugmentation": {"make_c3d": False},
}
_POSE_MODELS = {
    "body_25": "BODY_25",
    "halpe_26": "HALPE_26",
    "coco_17": "COCO_17",
    "coco_133": "COCO_133_WRIST",  # of the hands only what the keypoint set has too
    "blazepose": "BLAZEPOSE",
}


def chosen_settings(shipped: Mapping[str, Any], wanted: Mapping[str, Any], augment: bool) -> dict[str, Any]:
    """The sections of the steps that are used, the user's values in place of the shipped ones.

    Raises:
        InputError: a section or a value that this version of Pose2Sim does not have, or of another kind.
    """
    known = {name: deepcopy(shipped[name]) for name in _SECTIONS if isinstance(shipped.get(name), dict)}
    _replace("settings", known, wanted)
    for section, values in _OURS.items():
        known.setdefault(section, {}).update(values)
    known.setdefault("kinematics", {})["use_augmentation"] = augment
    return known


def pose_model(keypoint_set: str) -> str:
    """Pose2Sim's name of a keypoint set.

    Raises:
        InputError: it has none.
    """
    if keypoint_set not in _POSE_MODELS:
        raise InputError("keypoints", repr(keypoint_set), f"one of {', '.join(_POSE_MODELS)}")
    return _POSE_MODELS[keypoint_set]


def trial_config(settings: Mapping[str, Any], recording: Recording, model: str) -> dict[str, Any]:
    """Config.toml of a recording. An unknown height Pose2Sim measures; an unknown mass is 70 kg."""
    rate = int(recording.rate) if float(recording.rate).is_integer() else recording.rate
    project = {
        "multi_person": False,
        "participant_height": "auto" if recording.height is None else float(recording.height),
        "participant_mass": 70.0 if recording.mass is None else float(recording.mass),
        "frame_rate": rate,
        "frame_range": "auto",
        "exclude_from_batch": [],
    }
    logging = {"use_custom_logging": False}
    return {"project": project, "pose": {"pose_model": model}, **settings, "logging": logging}


def _replace(where: str, known: dict[str, Any], wanted: Mapping[str, Any]) -> None:
    for name, value in wanted.items():
        field = f"{where}.{name}"
        if name not in known:
            raise InputError(field, "a setting unknown to Pose2Sim", f"one of {', '.join(known)}")
        if isinstance(known[name], dict) != isinstance(value, Mapping):
            raise InputError(
                field, f"{value!r:.40}", "a mapping" if isinstance(known[name], dict) else "a value"
            )
        if isinstance(value, Mapping):
            _replace(field, known[name], value)
        else:
            known[name] = value
