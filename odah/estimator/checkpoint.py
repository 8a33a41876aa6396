"""Trained networks as files: weights, the config they were trained by, and facts about the training."""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from odah.errors import InputError
from odah.estimator.config import TrainConfig
from odah.estimator.network.two_view import TwoViewNetwork
from odah.files import DAMAGED_ARRAYS, atomic_path, check_output_folder, existing_file
from odah.sections import check_sections

_FORMAT, _VERSION = "odah-network", 1
_SHIPPED = Path(__file__).parent / "weights"
_KEYS = {"format", "version", "config", "facts", "weights"}
UNREADABLE = (
    *(*DAMAGED_ARRAYS, pickle.UnpicklingError, struct.error),
    *(AttributeError, AssertionError, IndexError, ArithmeticError),
)
"""What torch raises on files that are damaged, no checkpoints, or hold more than tensors and plain values."""


@dataclass(frozen=True)
class Checkpoint:
    """A trained network, in evaluation mode on the CPU.

    facts: what `odah train` knows: odah_version, seed, datasets (name, digest, clips), max_steps, devices,
    metrics (of each stage the epoch whose weights it left), coordinates, bodies. test: what
    `odah evaluate --keep` found, if it was asked. Any of them may be missing.
    """

    network: TwoViewNetwork
    config: TrainConfig
    facts: dict[str, Any]


def save_checkpoint(
    path: str | Path, network: TwoViewNetwork, config: TrainConfig, facts: dict[str, Any]
) -> None:
    """Write a network, whole or not at all. facts: plain values."""
    whole = {
        "format": _FORMAT,
        "version": _VERSION,
        "config": config.model_dump_json(),
        "facts": json.dumps(facts),
        "weights": {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()},
    }
    with atomic_path(path) as temporary:
        torch.save(whole, temporary)


def load_checkpoint(path_or_name: str | Path) -> Checkpoint:
    """Read a network that `odah train` wrote, or one that comes with odah, by its name, such as compact.

    Nothing in the file is run: it holds tensors and text.

    Raises:
        InputError: no such file or name, not such a file, one of another version, damaged.
    """
    path = checkpoint_file(path_or_name)
    try:
        if not zipfile.is_zipfile(path):  # torch would take it for a file of an old version
            raise zipfile.BadZipFile
        whole = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE:
        raise InputError(path, "damaged or foreign data", "a network that odah train wrote") from None
    if not isinstance(whole, dict) or whole.get("format") != _FORMAT:
        raise InputError(path, "a file of another kind", "a network that odah train wrote, such as model.pt")
    if whole.get("version") != _VERSION:
        raise InputError(path, f"format version {whole.get('version')!r:.20}", f"{_VERSION}")
    if set(whole) != _KEYS or not isinstance(whole["weights"], dict):
        raise InputError(path, "parts missing", ", ".join(sorted(_KEYS)))
    config = check_sections(f"{path}: config", _json(path, whole["config"], "config"), TrainConfig)
    return Checkpoint(_network(path, config, whole["weights"]), config, _json(path, whole["facts"], "facts"))


def own_file(path_or_name: str | Path) -> Path:
    """The file of a network of the user's, to be written anew.

    Raises:
        InputError: no such file, one that comes with odah, or one that may not be written.
    """
    path = checkpoint_file(path_or_name).resolve()
    if path.parent == _SHIPPED.resolve():
        raise InputError(path_or_name, "a network that comes with odah", "one of your own to write into")
    check_output_folder(path.parent)
    return path


def keep_fact(file: Path, checkpoint: Checkpoint, name: str, fact: Any) -> None:
    """Write a network's file anew, with one more fact or another one; whole or not at all."""
    save_checkpoint(file, checkpoint.network, checkpoint.config, {**checkpoint.facts, name: fact})


def checkpoint_file(path_or_name: str | Path) -> Path:
    """Where a network is, the user's or, by its name, one that comes with odah.

    Raises:
        InputError: there is none.
    """
    shipped = _SHIPPED / f"{path_or_name}.pt"
    is_name = isinstance(path_or_name, str) and Path(path_or_name).name == path_or_name
    if is_name and not Path(path_or_name).is_file() and shipped.is_file():
        return shipped
    names = sorted(file.stem for file in _SHIPPED.glob("*.pt"))
    own = f" or one of odah's own: {', '.join(names)}" if names else ""
    return existing_file(path_or_name, f"a network that odah train wrote{own}")


def _json(path: Path, text: Any, part: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (TypeError, ValueError):
        data = None
    if not isinstance(data, dict):
        raise InputError(f"{path}: {part}", "damaged text", "a JSON mapping")
    return data


def _network(path: Path, config: TrainConfig, weights: dict[str, Tensor]) -> TwoViewNetwork:
    _expect_weights(path, _sizes(path, config, len(weights)), weights)
    with torch.random.fork_rng(devices=[]):
        network = TwoViewNetwork(config.network, config.data)
    network.load_state_dict(weights)
    return network.eval()


def _sizes(path: Path, config: TrainConfig, num_weights: int) -> dict[str, Tensor]:
    """What the config's network would have for weights, without memory for them: a config may lie."""
    hourglass, temporal = config.network.hourglass, config.network.temporal
    blocks = 0 if temporal is None else sum(temporal.blocks)
    where, expected = f"{path}: config", f"one that the file's {num_weights} weights belong to"
    if hourglass.stacks * max(hourglass.depth, 1) + blocks > num_weights:
        raise InputError(where, f"{hourglass.stacks} stacks and {blocks} blocks", expected)
    try:
        with torch.random.fork_rng(devices=[]), torch.device("meta"), _WithoutNormalDraws():
            return TwoViewNetwork(config.network, config.data).state_dict()
    except RuntimeError:  # sizes beyond all numbers
        raise InputError(where, "a network of impossible size", expected) from None


class _WithoutNormalDraws(TorchFunctionMode):
    """Leaves them out: without memory there is nothing to draw, and torch would take seconds to load what
    draws nothing."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        return kwargs["tensor"] if func is nn.init.normal_ else func(*args, **kwargs)


def _expect_weights(path: Path, own: dict[str, Tensor], weights: dict[str, Tensor]) -> None:
    for name, tensor in own.items():
        given = weights.get(name)
        if not isinstance(given, Tensor) or given.shape != tensor.shape or given.dtype != tensor.dtype:
            found = "none" if not isinstance(given, Tensor) else f"{given.dtype} of shape {list(given.shape)}"
            raise InputError(f"{path}: weights of {name}", found, f"{list(tensor.shape)}, as the config says")
        if not bool(torch.isfinite(given).all()):
            raise InputError(f"{path}: weights of {name}", "numbers that are not finite", "finite ones")
    unknown = sorted(set(weights) - set(own), key=str)
    if unknown:
        raise InputError(
            f"{path}: weights", f"{unknown[0]!r:.60} that the config's network has not", "its own"
        )
