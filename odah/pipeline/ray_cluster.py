"""A Ray cluster to work on: joined or started without a word, and left again."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from odah.errors import InputError, OdahError
from odah.workers import num_cores

_PATIENCE = 30.0
"""s to wait for an answer from a cluster's head."""
QUIET_RAY = {
    "RAY_USAGE_STATS_ENABLED": "0",  # a cluster started here reports to nobody
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # what Ray would print among the results of a command
}
_JOIN = "import sys, ray; ray.init(sys.argv[1], log_to_driver=False)"


@dataclass(frozen=True)
class Machine:
    """One of the cluster. cores, gpus: how many of them it lends to Ray."""

    node_id: str
    name: str
    cores: int
    gpus: int


@contextmanager
def ray_cluster(address: str | None) -> Iterator[None]:
    """Be part of a Ray cluster until the block ends.

    address: as `ray.init` takes it: HOST:PORT, "auto" or "local". Without: RAY_ADDRESS, else a cluster that
    runs on this machine, else a new one of this machine alone. A program that has joined one stays in that.

    Raises:
        InputError: no cluster can be joined there.
        ModuleNotFoundError: Ray is not installed.
    """
    for name, value in QUIET_RAY.items():  # read as Ray is imported
        os.environ.setdefault(name, value)
    import ray

    if ray.is_initialized():
        yield
        return
    with _signals_kept():
        _join(address)
    try:
        yield
    finally:
        ray.shutdown()


def _join(address: str | None) -> None:
    import ray

    named = address or os.environ.get("RAY_ADDRESS")
    wanted = named or "auto"
    trouble = None if wanted == "local" else _trouble(wanted)
    if trouble is not None and named:
        raise InputError("--address" if address else "RAY_ADDRESS", f"{named!r}, {trouble}", "a Ray cluster")
    try:
        if trouble is None and wanted != "local":
            ray.init(wanted, log_to_driver=False, logging_level=logging.CRITICAL)
        else:
            ray.init(
                "local",
                num_cpus=num_cores(),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
            )
    except (OSError, RuntimeError, ValueError) as error:
        raise OdahError(f"Ray does not start: {error}") from error


def _trouble(address: str) -> str | None:
    """Why the cluster cannot be joined.

    Asked in a process of its own, because Ray, once it has begun, tries for minutes, says so line by line,
    and exits in the end.
    """
    try:
        asked = subprocess.run(
            [sys.executable, "-c", _JOIN, address],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as expired:
        said, why = _text(expired.stderr), f"where no Ray answered within {_PATIENCE:.0f} s"
    else:
        if asked.returncode == 0:
            return None
        said, why = asked.stderr, f"which Ray cannot join ({_last_words(asked.stderr)})"
    if "InvalidAuthToken" in said:
        return "which asks for its token: set RAY_AUTH_MODE=token, see Ray's page on token authentication"
    return why


def _text(output: bytes | str | None) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


def _last_words(said: str) -> str:
    """The message of the exception, which may be of several lines, at the end of a traceback."""
    lines = said.strip().splitlines() or ["it said nothing"]
    raised = [k for k, line in enumerate(lines) if line[:1].isalpha() and "Error: " in line]
    words = " ".join(" ".join(lines[raised[-1] if raised else -1 :]).split())
    return words.split("Error: ", 1)[-1].rstrip(".")


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray would take SIGTERM for itself."""
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if is_main and before is not None:
            signal.signal(signal.SIGTERM, before)


def machines() -> list[Machine]:
    """Those of the cluster that is joined which lend a core or more."""
    import ray

    found = []
    for node in ray.nodes():
        if node["Alive"]:
            lent = node["Resources"]
            name = node["NodeManagerHostname"] or node["NodeManagerAddress"]
            found.append(Machine(node["NodeID"], name, int(lent.get("CPU", 0)), int(lent.get("GPU", 0))))
    return [machine for machine in found if machine.cores]


def is_alive(machine: Machine) -> bool:
    """Whether the cluster still counts on the machine."""
    return any(other.node_id == machine.node_id for other in machines())
