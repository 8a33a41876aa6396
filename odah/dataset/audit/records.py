"""What `dataset.json` and `clip.json` must hold, field by field; they may hold more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from odah.errors import InputError

Name = Annotated[str, Field(min_length=1)]
Names = Annotated[list[Name], Field(min_length=1)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Part(BaseModel):
    """Strict: a number in quotes is no number."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)


class _Source(_Part):
    path: str
    format: Name
    licence: Name


class _Body(_Part):
    kind: Name
    licence: Name


class _Textures(_Part):
    licence: Name


class ClipRecord(_Part):
    """`clip.json`."""

    clip: Name
    subject: Name
    action: Name
    split: Literal["train", "val", "test"]
    num_frames: Annotated[int, Field(gt=0)]
    rate: Rate
    source: _Source
    body: _Body
    textures: _Textures
    scene: dict[str, Any]
    error_budget: dict[str, Any]
    flags: list[str]
    notes: list[str]
    render: dict[str, Any]
    sha256: dict[str, Hash]
    person: Name | None = None


class DatasetRecord(_Part):
    """`dataset.json`."""

    name: Name
    seed: int
    config: dict[str, Any]
    rate: Rate
    views: Names
    pictures: list[Literal["mask", "parts", "depth", "normals"]]
    crop_size: Annotated[int, Field(gt=0)] | None
    body_parts: Names
    coordinate_names: Names
    coordinate_ranges: list[tuple[Finite, Finite] | list[Finite]]
    body_names: Names
    joint_names: Names
    marker_names: Names


def check_record(kind: type[BaseModel], path: Path, values: Any) -> None:
    """Raise unless `values`, of the file at `path`, has the fields of `kind`.

    Raises:
        InputError: a field is missing or means nothing.
    """
    try:
        kind.model_validate(values)
    except ValidationError as error:
        raise _message(path, error) from None


def read_json(path: Path) -> Any:
    """Raises InputError: no file, or no JSON."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(path, (error.strerror or "nothing").lower(), "JSON") from None
    except (ValueError, RecursionError):
        raise InputError(path, "no valid JSON", "JSON") from None


def _message(path: Path, error: ValidationError) -> InputError:
    first = error.errors()[0]
    where = ": ".join([str(path), ".".join(str(part) for part in first["loc"])])
    if first["type"] == "missing":
        return InputError(where, "nothing", "a value, for it is required")
    text = first["msg"].replace("Input should be ", "")
    return InputError(where, f"{first['input']!r:.60}", text[:1].lower() + text[1:])
