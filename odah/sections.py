"""What every section of a config is: checked field by field, unknown keys refused, read-only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from odah.errors import InputError
from odah.files import read_text

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


def ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    """Checks a lower and an upper bound."""
    if bounds[0] > bounds[1]:
        raise ValueError(f"the lower bound {bounds[0]} is above the upper {bounds[1]}")
    return bounds


Range = Annotated[tuple[NonNegative, NonNegative], AfterValidator(ordered)]
"""Lower and upper bound, neither negative."""
PositiveRange = Annotated[tuple[Positive, Positive], AfterValidator(ordered)]


class Section(BaseModel):
    """One mapping of a config file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Config = TypeVar("Config", bound=Section)


def load_sections(path: str | Path, kind: type[Config]) -> Config:
    """Read and check a config file.

    Raises:
        InputError: missing file, bad YAML, unknown or missing key, value out of range.
    """
    try:
        data = yaml.safe_load(read_text(path, "a YAML config"))
    except yaml.YAMLError as error:
        raise InputError(path, " ".join(str(error).split()), "valid YAML") from None
    if not isinstance(data, dict):
        raise InputError(path, f"a {type(data).__name__}", "a mapping of config keys")
    return check_sections(path, data, kind)


def check_sections(where: object, data: dict[Any, Any], kind: type[Config]) -> Config:
    """A config from its keys and values. where: what names them in errors.

    Raises:
        InputError: unknown or missing key, value out of range.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise _told(where, error, kind) from None
    except InputError as error:  # of sections that do not go together
        raise InputError(f"{where}: {error.where}", error.found, error.expected) from None


def _told(file: object, error: ValidationError, kind: type[BaseModel]) -> InputError:
    first = error.errors()[0]
    keys, section = _section_at(kind, first["loc"])
    where = f"{file}: {'.'.join(keys) or 'the file'}"
    if first["type"] == "extra_forbidden":
        return InputError(where, "an unknown key", f"one of {', '.join(section.model_fields)}")
    if first["type"] == "missing":
        return InputError(where, "nothing", "a value, for it is required")
    if first["type"] == "too_short":
        return InputError(where, f"{first['input']!r:.80}", "at least one value")
    if first["type"].startswith("union_tag"):
        context = first.get("ctx", {})
        found = repr(context["tag"]) if "tag" in context else "nothing"
        tag = str(context["discriminator"]).strip("'")
        return InputError(f"{where}.{tag}", found, f"one of {context.get('expected_tags', 'its kinds')}")
    text = first["msg"].removeprefix("Value error, ").replace("Input should be ", "a value that is ")
    return InputError(where, f"{first['input']!r:.80}", text[:1].lower() + text[1:])


def _section_at(kind: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[list[str], type[BaseModel]]:
    """The keys of a place as the user writes them, and the section that holds the last one.

    Between them pydantic names the kind of a section of which there are several.
    """
    keys: list[str] = []
    sections, section = [kind], kind
    for part in loc:
        by_tag = [s for s in sections if part in _tags(s)]
        if len(sections) > 1 and by_tag:
            section = by_tag[0]
            sections = by_tag
            continue
        keys.append(str(part))
        if isinstance(part, int):
            continue
        section = sections[0] if sections else section
        field = section.model_fields.get(part)
        sections = [] if field is None else list(_sections_in(field.annotation))
    return keys, section


def _tags(section: type[BaseModel]) -> set[object]:
    """Values of the one-word literals of a section, of which its kind is one."""
    return {tag for field in section.model_fields.values() for tag in get_args(field.annotation)}


def _sections_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _sections_in(inner)
