"""MATLAB files up to version 7.2, as plain arrays; nothing is unpickled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from odah.errors import InputError
from odah.workers import Failure, in_processes

Value = TypeVar("Value")
_DEEPEST = 4
"""Structs in structs in which a field is looked for."""


def from_mat_files(
    read: Callable[[Path], Value], paths: Sequence[Path], kind: str
) -> Iterator[tuple[Path, Value | InputError]]:
    """What `read` makes of each file; in another process, for scipy's reader may die of a damaged one.

    read: a function of a module, with InputErrors for what it misses. kind: what the files should be.
    """
    for index, value in in_processes(read, paths, 1):
        failed = isinstance(value, Failure)
        yield paths[index], InputError(paths[index], _told(value.why), kind) if failed else value


def _told(why: str) -> str:
    return f"nothing that can be read ({why[:300]})"


def load_mat(path: Path) -> dict[str, Any]:
    """Its variables: structs as dictionaries, cells as lists or arrays. Only in a process of its own."""
    from scipy.io import loadmat

    return loadmat(path, simplify_cells=True)


def struct_with(content: Any, field: str, depth: int = 0) -> Mapping[str, Any] | None:
    """The first struct within others that has a field."""
    if isinstance(content, Mapping):
        if field in content:
            return content
        inside = list(content.values())
    elif isinstance(content, list):
        inside = content
    else:
        return None
    if depth >= _DEEPEST:
        return None
    found = (struct_with(value, field, depth + 1) for value in inside)
    return next((struct for struct in found if struct is not None), None)
