"""Writing a dataset: each clip and subject folder appears whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from odah import __version__
from odah.config import GenerateConfig
from odah.dataset.label_conventions import described_labels
from odah.dataset.plan import ClipPlan, described_plans
from odah.dataset.portable import changed_fields, portable
from odah.dataset.records import read_info
from odah.dataset.schema import MAY_BE_NAN, SCHEMA_VERSION, DatasetPaths, file_hash
from odah.errors import InputError, OdahError
from odah.files import atomic_folder, atomic_path, check_output_folder
from odah.osim import Model


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Readable JSON, whole or not at all; NaN is refused because JSON has none."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(data, indent=1, allow_nan=False) + "\n")


def check_folder(out: Path, config: GenerateConfig, force: bool = False) -> DatasetPaths:
    """The paths of a dataset that can be made in `out`, or goes on there; nothing is written.

    force: also where a dataset was begun with another config.

    Raises:
        InputError: `out` holds something else, a dataset of another config, or cannot be written.
    """
    check_output_folder(out)
    paths = DatasetPaths(out)
    if paths.info.is_file():
        changed = changes_of_config(paths, config)
        if changed and not force:
            raise InputError(
                paths.info,
                f"a dataset begun with other values of {', '.join(changed)}",
                "the same config, --force to take the new one, or a new folder",
            )
    elif out.exists() and any(path != paths.state for path in out.iterdir()):
        raise InputError(
            out, "a folder that is not a dataset", "an empty or new folder, or a dataset of this config"
        )
    return paths


def changes_of_config(paths: DatasetPaths, config: GenerateConfig) -> list[str]:
    """Dotted names of the fields that had other values when the dataset was begun; none of a new one.

    Raises:
        InputError: `dataset.json` cannot be used.
    """
    if not paths.info.is_file():
        return []
    return changed_fields(read_info(paths)["config"], portable(config))


def start_dataset(
    out: Path,
    config: GenerateConfig,
    model: Model,
    views: Sequence[str] = ("front", "side"),
    plans: Sequence[ClipPlan] = (),
    force: bool = False,
) -> DatasetPaths:
    """Make the folder, or take up one that the same config began.

    views: names of the cameras. plans: of all clips. force: take up one of another config, which this one
    replaces.

    Raises:
        InputError: see `check_folder`.
    """
    paths = check_folder(out, config, force)
    if paths.info.is_file() and not force:
        return paths
    # only now, for the renderer takes memory that resuming does not need
    from odah.render.parts import BODY_PARTS

    info = {
        "schema_version": SCHEMA_VERSION,
        "odah_version": __version__,
        "name": config.name,
        "seed": config.seed,
        "config": portable(config),
        "views": list(views),
        "rate": config.clip.rate,
        "pictures": ["mask", *config.render.labels],
        "crop_size": config.video.crop_size,
        "body_parts": list(BODY_PARTS),
        "coordinate_names": list(model.coordinate_names),
        "coordinate_ranges": [list(coordinate.range) for coordinate in model.coordinates],
        "body_names": list(model.body_names),
        "joint_names": list(model.joint_names),
        "marker_names": list(model.marker_names),
        **described_labels(model.coordinate_names),
        **described_plans(plans),
    }
    write_json(paths.info, info)
    return paths


def update_info(paths: DatasetPaths, config: GenerateConfig, plans: Sequence[ClipPlan]) -> None:
    """Write into `dataset.json`, if there is one, what changes while clips stay: name, splits, subsets."""
    if paths.info.is_file():
        info = read_info(paths)
        changed = info | {"name": config.name, **described_plans(plans)}
        if changed != info:
            write_json(paths.info, changed)


def write_clip(
    paths: DatasetPaths, plan: ClipPlan, record: dict[str, Any], fill: Callable[[Path], dict[str, Any]]
) -> None:
    """Make `clips/<clip>`: `fill` writes files into a temporary folder and returns more of `clip.json`."""
    with atomic_folder(paths.clip(plan.clip_id)) as folder:
        record = {
            "clip": plan.clip_id,
            "subject": plan.subject,
            "person": plan.person,
            "bmi_variant": plan.variant,
            "action": plan.action,
            "split": plan.split,
            "subsets": list(plan.subsets),
            "inputs": plan.inputs,
            **record,
            **fill(folder),
        }
        record["sha256"] = {path.name: file_hash(path) for path in sorted(folder.iterdir())}
        write_json(folder / "clip.json", record)


def write_labels(path: Path, labels: Mapping[str, np.ndarray]) -> None:
    """`labels.npz`: float32 but for flags, part numbers and time, which keep their type; refuses what is not
    finite, but for pixels of joints behind a camera."""
    arrays: dict[str, Any] = {}
    for name, array in labels.items():
        if name not in MAY_BE_NAN and not np.isfinite(array).all():
            raise OdahError(f"{path.parent.name}: label {name} is not finite; the clip is dropped")
        keep = array.dtype in (bool, np.uint8) or name == "time"
        arrays[name] = array if keep else array.astype(np.float32)
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **arrays)
