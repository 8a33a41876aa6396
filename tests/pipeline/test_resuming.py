"""Runs that are killed, stopped, repeated, changed or side by side: nothing is lost or half made."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
from fake_clips import FakeMaker, begin, fake_clip, fake_outcomes

from odah.config import GenerateConfig
from odah.dataset.schema import DatasetPaths, file_hash
from odah.errors import InputError, OdahError
from odah.pipeline import clip_work, generate
from odah.pipeline.clip_work import ClipWork
from odah.pipeline.generate import GenerateOptions, generate_dataset
from odah.pipeline.slots import Outcome

DATA: dict[str, Any] = {
    "name": "d",
    "motion": {"actions": ["walking", "kicking"]},
    "subjects": {"count": 2, "split": [0.5, 0.25, 0.25]},
}
TESTS = Path(__file__).parents[1]
CLIP_OUTCOMES = "odah.pipeline.executors.clip_outcomes"
NOTHING: Any = SimpleNamespace(settings=None, blender=None, choice=None)
"""To render with."""


def config(**sections: Any) -> GenerateConfig:
    changed = {k: {**DATA.get(k, {}), **v} if isinstance(v, dict) else v for k, v in sections.items()}
    return GenerateConfig.model_validate({**DATA, **changed})


@pytest.fixture(autouse=True)
def without_blender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("odah.pipeline.clip_maker.ClipMaker", FakeMaker)
    monkeypatch.setattr("odah.pipeline.clip_work.begin_dataset", begin)
    monkeypatch.setattr(CLIP_OUTCOMES, fake_outcomes)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(generate, "say", lambda line: lines.append(str(line)))
    return lines


@pytest.fixture
def made(tmp_path: Path) -> DatasetPaths:
    """A finished dataset of four clips."""
    paths, failures = generate_dataset(config(), Path(), tmp_path / "d")
    assert not failures
    return paths


def states(paths: DatasetPaths) -> dict[str, tuple[int, int]]:
    """What changes when a clip is written again."""
    return {clip.name: (clip.stat().st_ino, clip.stat().st_mtime_ns) for clip in paths.clips.iterdir()}


def indexed(paths: DatasetPaths) -> dict[str, str]:
    table = pq.read_table(paths.index).to_pydict()
    return dict(zip(table["clip"], table["split"], strict=True))


def test_a_finished_dataset_is_left_as_it_is(made: DatasetPaths, said: list[str]) -> None:
    before = states(made)
    generate_dataset(config(name="another", render={"workers": 7}), Path(), made.root)
    assert states(made) == before
    assert said == ["4 of 4 clips are finished already"]
    assert json.loads(made.info.read_text())["name"] == "another"


def test_a_changed_config_is_refused_by_its_fields_until_it_is_forced(
    made: DatasetPaths, said: list[str]
) -> None:
    before = states(made)
    wanted = config(clip={"duration": 2.0}, motion={"actions": ["walking", "running"]})
    with pytest.raises(
        InputError, match=r"other values of clip\.duration, motion\.actions, expected .*--force"
    ):
        generate_dataset(wanted, Path(), made.root)
    assert states(made) == before
    generate_dataset(wanted, Path(), made.root, GenerateOptions(force=True))
    after = states(made)
    assert [line for line in said if "other inputs" in line] == [
        "2 clips made from other inputs, to be made again: subject001_walking, subject002_walking"
    ]
    assert "2 clips that the config does not name, left as they are: subject001_kicking" in said[-1]
    assert {clip_id for clip_id in before if before[clip_id] == after[clip_id]} == {
        "subject001_kicking", "subject002_kicking",
    }  # fmt: skip
    info = json.loads(made.info.read_text())
    assert info["config"]["clip"]["duration"] == 2.0
    generate_dataset(wanted, Path(), made.root)
    assert states(made) == after


def test_a_forced_config_that_changes_no_clip_needs_nothing_to_render_with(
    made: DatasetPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CLIP_OUTCOMES, lambda *_: pytest.fail("nothing is to be made"))
    wanted, before = config(motion={"actions": ["walking"]}), states(made)
    generate_dataset(wanted, Path(), made.root, GenerateOptions(force=True))
    assert states(made) == before
    assert json.loads(made.info.read_text())["config"]["motion"]["actions"] == ["walking"]


def test_a_dataset_grows_around_what_is_finished(made: DatasetPaths) -> None:
    before, splits = states(made), indexed(made)
    wanted = config(subjects={"count": 5}, motion={"actions": ["running", "walking", "kicking"]})
    generate_dataset(wanted, Path(), made.root, GenerateOptions(force=True))
    after = states(made)
    assert len(after) == 15
    same_inode = {clip_id for clip_id in before if before[clip_id][0] == after[clip_id][0]}
    assert same_inode == before.keys()
    told = {clip.name: json.loads((clip / "clip.json").read_text())["split"] for clip in made.clips.iterdir()}
    assert indexed(made) == told
    assert {clip_id: told[clip_id] for clip_id in splits} != splits  # so that records had to be relabelled
    listed = json.loads(made.info.read_text())["splits"]
    assert all(clip_id.split("_")[0] in listed[split] for clip_id, split in told.items())


def test_a_damaged_clip_is_made_again(made: DatasetPaths, said: list[str]) -> None:
    before = states(made)
    record = made.clip("subject001_walking") / "clip.json"
    record.write_text(record.read_text()[:200])
    generate_dataset(config(), Path(), made.root)
    after = states(made)
    assert {clip_id for clip_id in before if before[clip_id] != after[clip_id]} == {"subject001_walking"}
    assert any("made again: subject001_walking" in line for line in said)
    assert len(indexed(made)) == 4


def test_shards_make_together_what_one_run_makes(made: DatasetPaths, tmp_path: Path) -> None:
    out = tmp_path / "sharded"
    for part in (2, 1, 3):
        paths, _ = generate_dataset(config(), Path(), out, GenerateOptions(shard=f"{part}/3"))
    assert paths.info.read_bytes() == made.info.read_bytes()
    assert indexed(paths) == indexed(made)
    for name in states(made):
        ours, theirs = (root.clip(name) / "clip.json" for root in (paths, made))
        assert ours.read_bytes() == theirs.read_bytes()


def test_a_second_run_in_the_same_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[str] = []

    def outcomes(maker: FakeMaker, waiting: list, paths: DatasetPaths, *rest: object, **more: object):
        for _ in range(1):
            with pytest.raises(OdahError) as error:
                generate_dataset(config(), Path(), tmp_path / "d", GenerateOptions(shard="1/2"))
            refused.append(str(error.value))
        yield from fake_outcomes(maker, waiting, paths)

    monkeypatch.setattr(CLIP_OUTCOMES, outcomes)
    paths, failures = generate_dataset(config(), Path(), tmp_path / "d")
    assert not failures
    assert len(states(paths)) == 4
    assert f"a whole run is making clips here ({os.uname().nodename}, process {os.getpid()}" in refused[0]


def test_a_full_disk_stops_the_run_with_the_clip_that_met_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    def outcomes(maker: FakeMaker, waiting: list, paths: DatasetPaths, *_: object, **__: object):
        work = ClipWork(maker, paths, NOTHING, tmp_path)  # type: ignore[arg-type]
        tried.append("started")
        for plan in waiting:
            tried.append(plan.clip_id)
            yield plan, work(plan)

    def make(work: ClipWork, plan) -> None:
        begin(work._maker, work._paths)  # type: ignore[arg-type]
        if plan.clip_id == "subject001_kicking":
            raise OSError(errno.ENOSPC, "No space left on device", "/d/clips/front.mp4")
        fake_clip(work._paths, plan)

    tried: list[str] = []
    monkeypatch.setattr(CLIP_OUTCOMES, outcomes)
    monkeypatch.setattr(ClipWork, "_make", make)
    with pytest.raises(OdahError) as stopped:
        generate_dataset(config(), Path(), tmp_path / "d")
    assert str(stopped.value) == (
        "subject001_kicking failed, so the run stops and finished clips stay: "
        "/d/clips/front.mp4: the disk is full"
    )
    assert stopped.value.exit_code == 1
    assert tried == ["started", "subject001_walking", "subject001_kicking"]
    assert list(indexed(DatasetPaths(tmp_path / "d"))) == ["subject001_walking"]
    assert said == []


def test_a_failure_of_the_disk_is_told_before_that_of_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "index.parquet")

    def outcomes(maker: FakeMaker, waiting: list, paths: DatasetPaths, *_: object, **__: object):
        begin(maker, paths)
        yield waiting[0], Outcome("the disk is full", stops_run=True)

    monkeypatch.setattr(CLIP_OUTCOMES, outcomes)
    monkeypatch.setattr(generate, "describe_dataset", full)
    with pytest.raises(OdahError, match="subject001_walking failed"):
        generate_dataset(config(), Path(), tmp_path / "d")
    assert said == ["index and card are not up to date: index.parquet: no space left on device"]


def test_a_disk_that_is_gone_is_not_filled_anew(tmp_path: Path) -> None:
    paths = DatasetPaths(tmp_path / "mount")
    paths.root.mkdir()
    work = ClipWork(FakeMaker(config(), []), paths, NOTHING, tmp_path)  # type: ignore[arg-type]
    outcome = work(None)  # type: ignore[arg-type]
    assert outcome.stops_run
    assert "gone; is its disk still there?" in str(outcome.why)
    assert list(paths.root.iterdir()) == []
    assert clip_work.disk_trouble(paths) == outcome.why


RUN = """
import signal, sys
from functools import partial
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)
from fake_clips import FakeMaker, begin, fake_outcomes
from odah.pipeline import clip_maker, clip_work, executors
clip_maker.ClipMaker, clip_work.begin_dataset = FakeMaker, begin
executors.clip_outcomes = partial(fake_outcomes, pause=float(sys.argv[1]))
from odah.cli import main
del sys.argv[1]
main()
"""


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `odah generate` with made-up clips. pause: s between two files of a clip."""
    running: list[subprocess.Popen[str]] = []
    (tmp_path / "config.yaml").write_text(json.dumps(DATA))

    def start(out: Path, pause: float, *arguments: str) -> subprocess.Popen[str]:
        words = ["generate", str(tmp_path / "config.yaml"), "--out", str(out), *arguments]
        running.append(
            subprocess.Popen(
                [sys.executable, "-c", RUN, str(pause), *words],
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert is_so()


def visible(out: Path) -> list[Path]:
    return sorted((out / "clips").glob("[!.]*"))


def unfinished(out: Path) -> list[Path]:
    return list((out / "clips").glob(".*"))


def check_whole(out: Path) -> None:
    for clip in visible(out):
        hashes = json.loads((clip / "clip.json").read_text())["sha256"]
        assert len(hashes) == 9
        assert all(file_hash(clip / name) == value for name, value in hashes.items())


def test_a_killed_run_is_resumed_where_it_was(
    command: Callable, made: DatasetPaths, tmp_path: Path, said: list[str]
) -> None:
    paths = DatasetPaths(tmp_path / "killed")
    running = command(paths.root, 0.05)
    wait_until(lambda: len(visible(paths.root)) == 2 and unfinished(paths.root))
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert unfinished(paths.root)
    check_whole(paths.root)
    finished = {name: state for name, state in states(paths).items() if name[0] != "."}
    _, failures = generate_dataset(config(), Path(), paths.root)
    assert not failures
    assert said == [f"{len(finished)} of 4 clips are finished already"]
    after = states(paths)
    assert {name: after[name] for name in finished} == finished
    for name in states(made):
        ours, theirs = (root.clip(name) / "clip.json" for root in (paths, made))
        assert ours.read_bytes() == theirs.read_bytes()
    assert [path for path in paths.root.rglob(".*") if path.name != ".odah"] == []
    assert indexed(paths) == indexed(made)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_in_order(command: Callable, tmp_path: Path, sent: signal.Signals) -> None:
    out = tmp_path / "stopped"
    running = command(out, 0.1)
    wait_until(lambda: visible(out) and unfinished(out))
    running.send_signal(sent)
    told = running.communicate(timeout=120)[1]
    assert running.returncode == 128 + sent
    lines = [line for line in told.splitlines() if line]
    assert lines == [f"stopped by {sent.name}: finished clips stay in {out}, and the same command goes on"]
    check_whole(out)
    assert unfinished(out) == []
    assert set(indexed(DatasetPaths(out))) == {clip.name for clip in visible(out)}
    assert not (out / ".odah" / "run.lock").exists()
