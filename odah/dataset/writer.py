"""Writing a dataset: each clip and subject folder appears whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from odah import __version__
from odah.config import GenerateConfig
from odah.dataset.plan import ClipPlan
from odah.dataset.schema import INFO_KEYS, MAY_BE_NAN, SCHEMA_VERSION, DatasetPaths, file_hash
from odah.errors import InputError, OdahError
from odah.files import atomic_folder, atomic_path, check_output_folder
from odah.osim import Model
from odah.render.parts import BODY_PARTS


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Readable JSON, whole or not at all; NaN is refused because JSON has none."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(data, indent=1, allow_nan=False) + "\n")


def check_folder(out: Path, config: GenerateConfig) -> DatasetPaths:
    """The paths of a dataset that can be made in `out`, or goes on there; nothing is written.

    Raises:
        InputError: `out` holds something else, a dataset of another config, or cannot be written.
    """
    check_output_folder(out)
    paths = DatasetPaths(out)
    if paths.info.is_file():
        _check_same_config(paths, _settings(config))
    elif out.exists() and any(out.iterdir()):
        raise InputError(
            out, "a folder that is not a dataset", "an empty or new folder, or a dataset of this config"
        )
    return paths


def _settings(config: GenerateConfig) -> dict[str, Any]:
    """Through JSON, so that tuples compare equal to the lists that come back from the file."""
    return json.loads(config.model_dump_json())


def start_dataset(
    out: Path, config: GenerateConfig, model: Model, views: Sequence[str] = ("front", "side")
) -> DatasetPaths:
    """Make the folder, or take up one that the same config began. views: names of the cameras.

    Raises:
        InputError: see `check_folder`.
    """
    paths = check_folder(out, config)
    if paths.info.is_file():
        return paths
    info = {
        "schema_version": SCHEMA_VERSION,
        "odah_version": __version__,
        "name": config.name,
        "seed": config.seed,
        "config": _settings(config),
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
    }
    write_json(paths.info, info)
    return paths


def _check_same_config(paths: DatasetPaths, settings: dict[str, Any]) -> None:
    begun = read_info(paths)["config"]
    changed = sorted(key for key in settings.keys() | begun.keys() if settings.get(key) != begun.get(key))
    if changed:
        raise InputError(
            paths.info,
            f"a dataset begun with other values of {', '.join(changed)}",
            "the same config or a new folder",
        )


def read_info(paths: DatasetPaths) -> dict[str, Any]:
    """`dataset.json`.

    Raises:
        InputError: not JSON, or of another schema version.
    """
    try:
        info = json.loads(paths.info.read_text())
        version = info["schema_version"]
        missing = [key for key in INFO_KEYS if key not in info]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        raise InputError(paths.info, "no valid dataset description", "JSON with schema_version") from None
    if version != SCHEMA_VERSION:
        raise InputError(f"{paths.info}: schema_version", repr(version), f"{SCHEMA_VERSION}")
    if missing:
        raise InputError(f"{paths.info}: {missing[0]}", "nothing", "a value, for it is required")
    return info


def read_record(path: Path) -> dict[str, Any]:
    """A `clip.json`.

    Raises:
        InputError: missing or damaged.
    """
    try:
        return json.loads(path.read_text())
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        raise InputError(path, "no readable record", "a clip.json") from None


def write_clip(
    paths: DatasetPaths, plan: ClipPlan, record: dict[str, Any], fill: Callable[[Path], dict[str, Any]]
) -> None:
    """Make `clips/<clip>`: `fill` writes files into a temporary folder and returns more of `clip.json`."""
    with atomic_folder(paths.clip(plan.clip_id)) as folder:
        record = {
            "clip": plan.clip_id,
            "subject": plan.subject,
            "action": plan.action,
            "split": plan.split,
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


INDEX_FIELDS = ("clip", "subject", "action", "split", "num_frames", "rate")


def write_index(paths: DatasetPaths) -> int:
    """`index.parquet`, a row a finished clip, from the clips' own records; returns the number of rows.

    Raises:
        InputError: a record is damaged.
    """
    rows = []
    for path in sorted(paths.clips.glob("*/clip.json")):
        record = read_record(path)
        budget = {
            name: value for name, value in record["error_budget"].items() if isinstance(value, int | float)
        }
        hashes = {f"sha256_{name}": value for name, value in record["sha256"].items()}
        told = {name: "; ".join(record[name]) for name in ("flags", "notes")}
        rows.append({name: record[name] for name in INDEX_FIELDS} | budget | told | hashes)
    with atomic_path(paths.index) as temporary:
        pq.write_table(pa.Table.from_pylist(rows), temporary)
    return len(rows)
