"""Values as TOML; the standard library only reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from odah.errors import InputError


def toml_text(tables: Mapping[str, Any]) -> str:
    """Tables of booleans, numbers, texts, lists of those, and tables.

    Raises:
        InputError: a value of another kind.
    """
    return "\n".join(_table((), tables)) + "\n"


def _table(path: tuple[str, ...], table: Mapping[str, Any]) -> list[str]:
    """A table's own values, then the tables in it."""
    lines = [f"[{'.'.join(map(_text, path))}]"] if path else []
    inner = {name: value for name, value in table.items() if isinstance(value, Mapping)}
    lines += [f"{_text(name)} = {_value(name, value)}" for name, value in table.items() if name not in inner]
    for name, value in inner.items():
        lines += _table((*path, name), value)
    return lines


def _value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(name, each) for each in value)}]"
    raise InputError(name, f"{value!r:.40}", "a boolean, number, text, list or table")


def _text(value: str) -> str:
    """Quoted; JSON escapes all that TOML wants escaped, but one control character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
