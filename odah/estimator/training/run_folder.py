"""The folder of a training: what it is of, what it has reached, and its result.

RUN/config.yaml   as validated, every key        RUN/run.json   datasets, their digests, version, limits
RUN/frame/ and RUN/temporal/ (of each stage): last.ckpt, best.ckpt, model.pt when it is done
RUN/tensorboard/  RUN/curves.csv  RUN/model.pt
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odah import __version__
from odah.errors import InputError
from odah.estimator.config import TrainConfig
from odah.estimator.config_file import load_train_config, write_train_config
from odah.files import atomic_path, check_output_folder, drop_unfinished, read_text
from odah.locks import NoLocks, take_lock

_OWN = ("config.yaml", "run.json", "frame", "temporal", "tensorboard", "curves.csv", "model.pt", ".lock")
_FREE = {"workers"}
"""Fields of the config that change nothing of the result."""


@dataclass(frozen=True)
class RunFolder:
    """Where the parts of a run are."""

    root: Path

    @property
    def model(self) -> Path:
        """The result."""
        return self.root / "model.pt"

    @property
    def curves(self) -> Path:
        return self.root / "curves.csv"

    @property
    def tensorboard(self) -> Path:
        return self.root / "tensorboard"

    def stage(self, name: str) -> Path:
        """Folder of the stage `frame` or `temporal`."""
        return self.root / name


def check_run_folder(root: Path) -> None:
    """Refuse a place that cannot be written, or that holds other things than a run, before any work.

    Raises:
        InputError: see above.
    """
    check_output_folder(root)
    others = _foreign(root)
    if others:
        raise InputError(root, f"a folder with other things, such as {others[0]}", "an empty or a new one")


@contextmanager
def held_run(
    root: Path, config: TrainConfig, facts: dict[str, Any], *, restart: bool = False, is_first: bool = True
) -> Iterator[RunFolder]:
    """Begin a run, or take up the one that is there, while no other process can.

    facts: what the run's result depends on beside the config: plain values. is_first: whether this is the
    first of the processes that train together; the others have it begun by that one.

    Raises:
        InputError: the place cannot be written, holds other things or a run of another config or of other
            facts, or another process trains there.
    """
    if not is_first:
        yield RunFolder(root)
        return
    check_run_folder(root)
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root):
        if restart:
            _clear(root)
        _begin(root, config, facts)
        yield RunFolder(root)


def _foreign(root: Path) -> list[str]:
    """What is in a folder that no run was begun in, but for what a killed one may have left."""
    names = sorted(entry.name for entry in root.iterdir()) if root.is_dir() else []
    if {"config.yaml", "run.json"} <= set(names):
        return []
    own = set(_OWN) if "run.json" in names else set(_OWN) - {"config.yaml"}  # which is written after it
    return [name for name in names if name not in own and not name.startswith(".")]


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    try:
        file = take_lock(root / ".lock")
    except NoLocks:
        yield
        return
    if file is None:
        raise InputError(root, "another process that trains there", "a run folder of its own")
    with file:
        yield


def _clear(root: Path) -> None:
    for name in _OWN:
        if (root / name).is_dir():
            shutil.rmtree(root / name)
        elif name != ".lock":
            (root / name).unlink(missing_ok=True)


def _begin(root: Path, config: TrainConfig, facts: dict[str, Any]) -> None:
    for folder in (root, root / "frame", root / "temporal"):
        drop_unfinished(folder)
    if not (root / "config.yaml").is_file() or not (root / "run.json").is_file():
        with atomic_path(root / "run.json") as temporary:
            temporary.write_text(json.dumps({"odah_version": __version__, **facts}, indent=1))
        write_train_config(root / "config.yaml", config)
        return
    remedy = "as the run was begun; --restart begins it anew, or name another folder"
    had = load_train_config(root / "config.yaml")
    old, new = (each.model_dump(mode="json", exclude=_FREE) for each in (had, config))
    difference = first_difference(old, new)
    if difference is not None:
        where, old, new = difference
        raise InputError(f"{root}/config.yaml: {where}", f"{new!r}", f"{old!r} {remedy}")
    difference = first_difference(_recorded(root / "run.json", facts), facts)
    if difference is not None:
        where, old, new = difference
        raise InputError(f"{root}/run.json: {where}", f"{new!r}", f"{old!r} {remedy}")


def _recorded(path: Path, facts: dict[str, Any]) -> dict[str, Any]:
    try:
        data = json.loads(read_text(path, "a run's JSON"))
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise InputError(path, "damaged text", "a JSON mapping; --restart begins the run anew")
    return {name: data.get(name) for name in facts}


def first_difference(old: Any, new: Any, where: str = "") -> tuple[str, Any, Any] | None:
    """The first place, dotted, at which two trees of plain values differ, and both values."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            inner = first_difference(old.get(key), new.get(key), f"{where}.{key}" if where else str(key))
            if inner is not None:
                return inner
        return None
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        found = (first_difference(a, b, f"{where}.{k}") for k, (a, b) in pairs)
        return next((each for each in found if each is not None), None)
    return None if old == new else (where, old, new)
