"""The columns of `index.parquet`: name, type, meaning, and where a clip's record holds the value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from odah.dataset.schema import SPLITS, clip_files, video_files
from odah.errors import InputError

Kind = Literal["text", "number", "count", "texts"]

ARROW_TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "number": pa.float64(),
    "count": pa.int64(),
    "texts": pa.list_(pa.string()),
}
_EXPECTED: dict[Kind, str] = {
    "text": "text",
    "number": "a finite number",
    "count": "a whole number from 0 on",
    "texts": "a list of texts",
}


@dataclass(frozen=True)
class Column:
    """meaning: with the unit. keys: where `clip.json` holds the value. file: of the clip, whose path it is;
    neither: it follows from other values. is_required: a record without it is damaged; what else is missing
    is null.
    """

    name: str
    kind: Kind
    meaning: str
    keys: tuple[str, ...] = ()
    is_required: bool = False
    file: str = ""


WHO = (
    Column("clip", "text", "id, the name of the folder under clips/", ("clip",), True),
    Column("subject", "text", "who; all clips of a subject are in one split", ("subject",), True),
    Column(
        "person", "text", "the subject, or a variant of their body: the folder under subjects/", ("person",)
    ),
    Column("action", "text", "what they do", ("action",), True),
    Column("split", "text", "train, val or test", ("split",), True),
    Column("subsets", "texts", "named subsets of the dataset that hold the clip", ("subsets",)),
    Column("bmi_variant", "number", "body mass index added to the subject's own, kg/m^2", ("bmi_variant",)),
    Column("gender", "text", "of the person", ("body", "gender")),
    Column("age", "number", "of the person, years", ("body", "age")),
    Column("height", "number", "of the person's mesh, sole to crown, m", ("body", "height")),
    Column("mass", "number", "of the volume of the person's mesh, kg", ("body", "mass")),
    Column("bmi", "number", "mass / height^2, kg/m^2", ("body", "bmi")),
)
WHAT = (
    Column("num_frames", "count", "frames of every view", ("num_frames",), True),
    Column("rate", "number", "frames a second", ("rate",), True),
    Column("duration", "number", "num_frames / rate, s"),
    Column("picture_size", "text", "width x height of the full pictures, px"),
    Column("room", "text", "kind of the room", ("scene", "room", "kind")),
    Column("upper", "text", "what is worn above", ("appearance", "upper")),
    Column("lower", "text", "what is worn below", ("appearance", "lower")),
)
WHENCE = (
    Column("motion_source", "text", "file of the motion, or the built-in action and its seed",
           ("source", "path"), True),
    Column("motion_format", "text", "format of that file", ("source", "format"), True),
    Column("motion_licence", "text", "of the motion", ("source", "licence"), True),
    Column("body_kind", "text", "\"open\", or the file of the user's own body", ("body", "kind"), True),
    Column("body_licence", "text", "of the body", ("body", "licence"), True),
    Column("texture_licence", "text", "of clothes, rooms and textures", ("textures", "licence"), True),
    Column("engine", "text", "Blender's render engine", ("render", "engine")),
    Column("device", "text", "what it rendered on", ("render", "device")),
    Column("blender_version", "text", "Blender's version", ("render", "blender_version")),
    Column("inputs", "text", "digest of what the clip was made from", ("inputs",)),
)  # fmt: skip
_BUDGET_MEANINGS = {
    "marker_rms_mm": "measured (or virtual) markers to the model's, RMS; null for built-in actions",
    "mesh_joint_mean_mm": "joints of the mesh to the skeleton's, mean",
    "mesh_joint_p95_mm": "joints of the mesh to the skeleton's, 95th percentile",
    "mesh_marker_mean_mm": "markers on the mesh to the model's, mean",
    "mesh_marker_p95_mm": "markers on the mesh to the model's, 95th percentile",
    "reprojection_px": "the mesh-to-skeleton distance as it appears in the pictures, mean, px",
    "joints_inside_mask": "share of projected joints inside the person mask",
    "share_outside_views": "share of frames in which no camera sees the person",
    "sliding_stance_share": "share of frames in which a foot stands",
    "sliding_mesh_mm": "sliding of standing soles, mesh, mm a frame at 60 frames/s",
    "sliding_skeleton_mm": "sliding of standing soles, skeleton, mm a frame at 60 frames/s",
    "sliding_excess_mm": "sliding of the mesh beyond the skeleton's, mean, mm a frame at 60 frames/s",
    "sliding_excess_p95_mm": "sliding of the mesh beyond the skeleton's, 95th percentile",
    "penetration_mean_mm": "depth of the body below the floor, mean",
    "penetration_p95_mm": "depth of the body below the floor, 95th percentile",
    "penetration_max_mm": "depth of the body below the floor, greatest",
    "floating_p95_mm": "gap below someone who stands, 95th percentile",
    "skeleton_penetration_mean_mm": "depth of the skeleton's soles below the floor, mean",
    "skeleton_penetration_p95_mm": "depth of the skeleton's soles below the floor, 95th percentile",
    "skeleton_penetration_max_mm": "depth of the skeleton's soles below the floor, greatest",
    "skeleton_floating_p95_mm": "gap below the skeleton's soles, 95th percentile",
    "self_penetration_mm": "deepest overlap of two parts of the body",
}
BUDGET = tuple(
    Column(name, "number", meaning, ("error_budget", name)) for name, meaning in _BUDGET_MEANINGS.items()
)
"""Every plain number of the error budget; its lists stay in `clip.json`."""
SAID = (
    Column("flags", "texts", "what is beyond a threshold; none: nothing is", ("flags",), True),
    Column("notes", "texts", "what was decided on the way", ("notes",), True),
)
CONTENT = tuple(column.name for column in (*WHO, *WHAT, *WHENCE, *BUDGET, *SAID))
"""Names of the columns that say what is in the clips; paths and hashes are most of a row."""
FILES = (
    Column("record", "text", "path of clip.json in the dataset's folder", file="clip.json"),
    Column("labels", "text", "path of labels.npz", file="labels.npz"),
    Column("kinematics", "text", "path of kinematics.mot", file="kinematics.mot"),
    Column("markers", "text", "path of markers.trc", file="markers.trc"),
    Column("model", "text", "path of the person's scaled OpenSim model"),
)
STATE = (
    Column("record_size", "count", "of clip.json when it was read, bytes"),
    Column("record_mtime_ns", "count", "of clip.json when it was read, ns since 1970"),
)
"""What tells whether a record has changed since; only in `index.parquet`."""


def index_columns(info: Mapping[str, Any]) -> tuple[Column, ...]:
    """All columns of a dataset's index, in order; info: `dataset.json`."""
    paths = [Column(video_column(name), "text", f"path of {name}", file=name) for name in video_files(info)]
    hashes = [
        Column(f"sha256_{name}", "text", f"SHA-256 of {name}", ("sha256", name)) for name in clip_files(info)
    ]
    return *WHO, *WHAT, *WHENCE, *BUDGET, *SAID, *FILES, *paths, *hashes, *STATE


def video_column(name: str) -> str:
    """The column with the path of a video: `video_front` of `front.mp4`, `mask_front` of `front_mask.mkv`."""
    stem, _, suffix = name.rpartition(".")
    if suffix == "mp4":
        return f"video_{stem}"
    view, _, kind = stem.rpartition("_")
    return f"{kind}_{view}"


def index_schema(columns: Sequence[Column]) -> pa.Schema:
    """Types and descriptions; the same for an empty dataset and a full one."""
    return pa.schema(
        [
            pa.field(column.name, ARROW_TYPES[column.kind], metadata={"description": column.meaning})
            for column in columns
        ]
    )


def index_row(record: Mapping[str, Any], path: Path, columns: Sequence[Column]) -> dict[str, Any]:
    """The row of a clip but for `STATE`. record: the `clip.json` at `path`.

    Raises:
        InputError: a value is missing, of another type, or of another clip than the folder's name says.
    """
    row = {column.name: _value(record, column, path) for column in columns if column.keys}
    clip_id = path.parent.name
    if row["clip"] != clip_id:
        raise InputError(f"{path}: clip", repr(row["clip"]), f"{clip_id!r}, the name of its folder")
    if row["split"] not in SPLITS:
        raise InputError(f"{path}: split", repr(row["split"]), f"one of {', '.join(SPLITS)}")
    for name in ("num_frames", "rate"):
        if row[name] <= 0:
            raise InputError(f"{path}: {name}", repr(row[name]), "more than 0")
    row["person"] = row["person"] or row["subject"]
    row["bmi_variant"] = row["bmi_variant"] or 0.0
    row["subsets"] = row["subsets"] or []
    row["body_kind"] = Path(row["body_kind"]).name
    row["duration"] = row["num_frames"] / row["rate"]
    row["picture_size"] = _picture_size(record)
    row["model"] = f"subjects/{row['person']}/model.osim"
    return row | {column.name: f"clips/{clip_id}/{column.file}" for column in columns if column.file}


def _picture_size(record: Mapping[str, Any]) -> str | None:
    try:
        sizes = {f"{camera['width']:d}x{camera['height']:d}" for camera in record["scene"]["cameras"]}
    except (KeyError, TypeError, ValueError):
        return None
    return " and ".join(sorted(sizes))


def _stated(record: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """What a record holds under keys within keys; None if nothing."""
    value: Any = record
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _value(record: Mapping[str, Any], column: Column, path: Path) -> Any:
    value = _stated(record, column.keys)
    if value is None:
        if column.is_required:
            raise InputError(f"{path}: {'.'.join(column.keys)}", "nothing", _EXPECTED[column.kind])
        return None
    if not _fits(value, column.kind):
        raise InputError(f"{path}: {'.'.join(column.keys)}", f"{value!r:.60}", _EXPECTED[column.kind])
    return float(value) if column.kind == "number" else value


def _fits(value: Any, kind: Kind) -> bool:
    if kind == "texts":
        return isinstance(value, list) and all(_fits(entry, "text") for entry in value)
    if kind == "text":
        return isinstance(value, str) and (value.isascii() or _is_unicode(value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if kind == "count":
        return isinstance(value, int) and 0 <= value < 2**63
    return abs(value) < 2**63 and math.isfinite(value)


def _is_unicode(text: str) -> bool:
    """JSON may hold halves of surrogate pairs, which are no letters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
