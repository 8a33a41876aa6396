"""Clips made on a Ray cluster: the same bytes, and whatever dies costs its own clip one more try."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from odah.config import GenerateConfig
from odah.dataset.reader import Dataset
from odah.errors import InputError, OdahError
from odah.pipeline import ray_cluster as cluster_module
from odah.pipeline import ray_hosts as hosts_module
from odah.pipeline.generate import GenerateOptions, generate_dataset
from odah.pipeline.ray_cluster import QUIET_RAY, machines, ray_cluster
from odah.pipeline.ray_hosts import Host, _HostWork, equipped_hosts, versions
from odah.pipeline.ray_slots import _share, in_actors
from odah.pipeline.slots import GIVE_UP_AFTER, Outcome, SlotPlan, unless_broken

os.environ.update(QUIET_RAY)
os.environ.setdefault("RAY_raylet_start_wait_time_s", "240")  # on a busy machine
os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # a cluster of a test needs no token in anybody's home
ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'odah[ray]'")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks ps for the cluster's processes")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """One of a single node that lends two cores; joined."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster_module, "_PATIENCE", 240.0)  # of a busy machine
        with ray_cluster(cluster.address):
            yield cluster
    cluster.shutdown()


def slot_a_core(tell: Callable[[str], None], lent: tuple[int, Sequence[str]]) -> SimpleNamespace:
    return SimpleNamespace(slots=SlotPlan(lent[0], 1))


def evaluator(equipment: Any, scratch: Path, tell: Callable[[str], None]) -> Callable[[str], Outcome]:
    """Work that does what its item says, with `scratch` and `tell` in reach."""
    return lambda code: eval(code, {"Outcome": Outcome, "os": os, "scratch": scratch, "tell": tell})


ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


@pytest.fixture(scope="module")
def hosts(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Host]]:
    """The machine, with two slots."""
    state = tmp_path_factory.mktemp("state")
    with equipped_hosts(state, slot_a_core) as hosts:
        assert [host.equipment.slots.count for host in hosts] == [2]
        yield hosts
    assert list(state.iterdir()) == []
    assert not any(host.scratch.exists() or host.temporary.exists() for host in hosts)


def test_whatever_dies_costs_its_own_item_one_more_try(
    hosts: list[Host], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = str(tmp_path / "seen")
    codes = {
        "dies once": f"Outcome() if os.path.exists({seen!r}) else (open({seen!r}, 'w'), os._exit(3))",
        "dies": "os.kill(os.getpid(), 9)",
        "a mistake": "1 / 0",
        "told": "(tell('starting Blender again'), Outcome())[1]",
        "one thread": "Outcome(os.environ['OMP_NUM_THREADS'] + str(os.path.isdir(scratch)))",
    }
    deaths: list[str] = []
    with closing(in_actors(hosts, evaluator, list(codes.values()), lambda i, _: deaths.append(i))) as made:
        found = dict(made)
    whys = {name: found[code].why for name, code in codes.items()}
    assert whys["dies once"] is None
    assert whys["told"] is None
    assert "died" in str(whys["dies"])
    assert "ZeroDivisionError" in str(whys["a mistake"])
    assert whys["one thread"] == "1True"
    assert sorted(deaths) == sorted([codes["dies once"], codes["dies"]])
    told = capsys.readouterr()
    assert ": starting Blender again" in told.err
    assert told.out == ""


def test_a_machine_that_leaves_costs_no_item(cluster: Any, tmp_path: Path) -> None:
    other = cluster.add_node(num_cpus=1)
    wait_until(lambda: len(machines()) == 2)
    code = f"(open(f'{tmp_path}/' + str(os.getpid()), 'w'), __import__('time').sleep({{}}), Outcome())[2]"
    items = [code.format(seconds) for seconds in (1.0, 1.01, 1.02, 1.03, 1.04)]
    state = tmp_path / "state"
    state.mkdir()
    with equipped_hosts(state, slot_a_core) as hosts, closing(in_actors(hosts, evaluator, items)) as made:
        assert len(hosts) == 2
        found = dict([next(made)])
        cluster.remove_node(other, allow_graceful=False)
        found |= dict(made)
    assert {outcome.why for outcome in found.values()} == {None}
    assert len(found) == len(items)
    wait_until(lambda: len(machines()) == 1)  # the cluster notices late, and the next test asks all machines


def test_a_blender_that_fails_clip_after_clip_stops_the_run(hosts: list[Host]) -> None:
    codes = [f"Outcome('crash', {k})" for k in range(1, 40)]
    with (
        closing(in_actors(hosts, evaluator, codes)) as made,
        pytest.raises(OdahError, match=rf"{GIVE_UP_AFTER} clips in a row"),
    ):
        list(unless_broken(made))


def test_work_that_cannot_start_anywhere_stops_the_run(hosts: list[Host]) -> None:
    def broken(equipment: Any, scratch: Path, tell: Any) -> Any:
        raise OdahError("no body here")

    with (
        closing(in_actors(hosts, broken, ["1", "2"])) as made,
        pytest.raises(OdahError, match=r"no machine of the cluster is left.*no body here"),
    ):
        list(made)


def test_machines_of_other_versions_are_refused(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts_module, "versions", lambda: versions() | {"numpy": "0.9"})
    with (
        pytest.raises(OdahError, match=r"cannot be used: numpy is \S+ there and 0\.9 where the run"),
        equipped_hosts(tmp_path, slot_a_core),
    ):
        pass


def test_a_folder_that_a_machine_does_not_see_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts_module, "_LATE", 0.0)
    (tmp_path / "there").touch()
    assert _HostWork().check(versions(), tmp_path / "there") is None
    why = _HostWork().check(versions(), tmp_path / "d" / ".odah" / "mark")
    assert str(why).startswith(f"{tmp_path / 'd'} is not the dataset's folder there")


def test_an_address_where_nobody_answers_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "_PATIENCE", 4.0)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with (
        pytest.raises(InputError, match=r"--address: found '127.0.0.1:1', where no Ray answered within 4 s"),
        ray_cluster("127.0.0.1:1"),
    ):
        pass


@pytest.mark.parametrize(
    ("units", "slots", "share"),
    [(12, 6, 2), (7, 3, 2), (2, 4, 0.5), (1, 3, 0.3333), (2, 5, 0.3333), (2, 1, 2)],
)
def test_shares_of_all_slots_fit(units: int, slots: int, share: float) -> None:
    assert _share(units, slots) == share


@pytest.mark.blender
def test_a_killed_worker_changes_no_byte(
    cluster: Any,
    tiny_dataset: Dataset,
    tiny_config: GenerateConfig,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    same_labels: Callable[[Path, Path], None],
) -> None:
    out = tmp_path / "dataset"
    killer = threading.Thread(target=partial(kill_one, cluster, out), daemon=True)
    killer.start()
    render = tiny_config.render.model_copy(update={"workers": 2})
    config = tiny_config.model_copy(update={"render": render})
    paths, failures = generate_dataset(config, Path(), out, GenerateOptions(executor="ray"))
    killer.join(timeout=60)
    assert not failures
    assert capsys.readouterr().err.count("died (perhaps out of memory); it is tried once more") == 1
    same_labels(out, tiny_dataset.paths.root)
    assert paths.root == out


def kill_one(cluster: Any, out: Path) -> None:
    """Once a clip is being made, end the process that makes it."""
    if wait_until(lambda: list(out.glob("clips/.*")) != []):
        os.kill(slot_processes(cluster)[0], signal.SIGKILL)


def slot_processes(cluster: Any) -> list[int]:
    """Of the actors at work on the cluster's nodes."""
    raylets = {node.all_processes["raylet"][0].process.pid for node in cluster.list_all_nodes()}
    command = ["ps", "-ww", "-e", "-o", "pid=,ppid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    fields = [line.split(None, 2) for line in listed]
    return [int(pid) for pid, parent, args in fields if int(parent) in raylets and "_SlotWork.make" in args]


def wait_until(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 240
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.02)
    return is_so()
