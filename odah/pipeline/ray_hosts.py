"""The machines of a Ray cluster made ready: same versions, the dataset in sight, a renderer, folders."""

from __future__ import annotations

import os
import platform
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from odah import __version__
from odah.dataset.schema import CONTENT_VERSION
from odah.errors import OdahError
from odah.pipeline.ray_cluster import Machine, machines
from odah.pipeline.slots import SlotPlan
from odah.progress import say
from odah.scratch import scratch_folder
from odah.wording import some_of
from odah.workers import Failure, attempt

_PACKAGES = ("numpy", "scipy", "torch")
_NAMES_TOLD = 3
_LATE = 10.0
"""s by which a network's file system may be late."""


class Equipped(Protocol):
    """What a machine works with; how many slots is all that matters here."""

    @property
    def slots(self) -> SlotPlan: ...


EquipHost = Callable[[Callable[[str], None], tuple[int, Sequence[str]]], Equipped]
"""Finds out on a machine what it works with; takes what takes lines for the user, and the cores and graphics
processors that may be used."""


@dataclass(frozen=True)
class Host:
    """A machine that is ready. scratch: folder in its memory; temporary: one on its disk."""

    machine: Machine
    equipment: Equipped
    scratch: Path
    temporary: Path


class _HostWork:
    """What is done once on each machine; lives as long as its folders are needed."""

    def __init__(self) -> None:
        if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
            del os.environ[
                "CUDA_VISIBLE_DEVICES"
            ]  # Ray's, for those who ask for no device; here they are counted
        self._folders = ExitStack()

    def check(self, ours: dict[str, str], mark: Path) -> str | None:
        """Why nothing can be made here. mark: a file in the dataset's folder."""
        for name, here in versions().items():
            if here != ours.get(name):
                return (
                    f"{name} is {here} there and {ours.get(name)} where the run was started; install the same"
                )
        if not _appears(mark):
            return (
                f"{mark.parent.parent} is not the dataset's folder there; it must be on a file system that "
                "all machines see under the same path"
            )
        return None

    def equip(
        self, equip: EquipHost, cores: int, gpus: int
    ) -> tuple[tuple[Equipped, Path, Path] | Failure, list[str]]:
        from odah.pipeline.clip_work import clips_scratch

        lines: list[str] = []

        def ready(lent: tuple[int, Sequence[str]]) -> tuple[Equipped, Path, Path]:
            equipment = equip(lines.append, lent)
            scratch = self._folders.enter_context(clips_scratch())
            return equipment, scratch, self._folders.enter_context(scratch_folder("odah-workers-"))

        return attempt(ready, (cores, [str(k) for k in range(gpus)])), lines

    def close(self) -> None:
        self._folders.close()


def _appears(mark: Path) -> bool:
    deadline = time.monotonic() + _LATE
    while not (is_there := mark.is_file()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return is_there


def versions() -> dict[str, str]:
    """What must be the same on all machines, so that their clips are those of one machine."""
    packages = {name: version(name).split("+")[0] for name in _PACKAGES}  # of torch's builds any will do
    python = ".".join(platform.python_version_tuple()[:2])
    return {"odah": f"{__version__} (contents {CONTENT_VERSION})", "Python": python, **packages}


@contextmanager
def equipped_hosts(state: Path, equip: EquipHost) -> Iterator[list[Host]]:
    """The machines of the joined cluster that can be used; the others are told. Their folders go with
    the block.

    state: the dataset's folder of hidden files, as an absolute path; it must be there.

    Raises:
        OdahError: none can be used.
    """
    import ray

    works = {machine: _start(machine) for machine in machines()}
    mark = state / f"seen-{secrets.token_hex(8)}"
    try:
        mark.touch()
        troubles = _answers({m: work.check.remote(versions(), mark) for m, work in works.items()})
        sound = {m: work for m, work in works.items() if troubles[m] is None}
        asked = {m: work.equip.remote(equip, m.cores, m.gpus) for m, work in sound.items()}
        hosts = _hosts(_answers(asked), {m: why for m, why in troubles.items() if why is not None})
        yield hosts
    finally:
        mark.unlink(missing_ok=True)
        ray.wait([work.close.remote() for work in works.values()], num_returns=len(works), timeout=10)
        for work in works.values():
            ray.kill(work)


def _start(machine: Machine) -> Any:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    there = NodeAffinitySchedulingStrategy(machine.node_id, soft=False)
    return ray.remote(_HostWork).options(num_cpus=0, scheduling_strategy=there).remote()


def _answers(refs: dict[Machine, Any]) -> dict[Machine, Any]:
    """What each machine answered; for those that could not, a sentence."""
    import ray
    from ray.exceptions import RayError

    answers: dict[Machine, Any] = {}
    for machine, ref in refs.items():
        try:
            answers[machine] = ray.get(ref)
        except RayError as error:
            answers[machine] = " ".join(str(error).strip().splitlines()[-1].split())
    return answers


def _hosts(answers: dict[Machine, Any], troubles: dict[Machine, str]) -> list[Host]:
    """Those that are equipped; lines of all, and troubles, are told.

    Raises:
        OdahError: there are none.
    """
    hosts: list[Host] = []
    told: dict[str, list[Machine]] = defaultdict(list)
    for machine, answer in answers.items():
        result, lines = (Failure(answer), []) if isinstance(answer, str) else answer
        for line in lines:
            told[line].append(machine)
        if isinstance(result, Failure):
            troubles[machine] = result.why
        else:
            hosts.append(Host(machine, *result))
    for line, where in told.items():
        say(f"{names(where)}: {line}")
    why = {reason: [m for m, other in troubles.items() if other == reason] for reason in troubles.values()}
    sentences = [f"{names(where)} cannot be used: {reason}" for reason, where in why.items()]
    if not hosts:
        raise OdahError(sentences[0] if sentences else "no machine of the Ray cluster lends a core")
    for sentence in sentences:
        say(sentence)
    return hosts


def names(where: Sequence[Machine]) -> str:
    """Of machines, for the user."""
    distinct = list(dict.fromkeys(machine.name for machine in where))
    return some_of(distinct, _NAMES_TOLD)
