"""Finding and installing Blender, with programs that only pretend."""

from __future__ import annotations

import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from odah.errors import InputError, OdahError
from odah.render import blender_env, find_blender

NO_LIBRARY = "ImportError: libXi.so.6: cannot open shared object file: No such file or directory"


def script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture(autouse=True)
def bare_machine(tmp_path, monkeypatch) -> Path:
    """No Blender, an empty cache, and this Python is not 3.11; returns a folder on the PATH."""
    monkeypatch.delenv("ODAH_BLENDER", raising=False)
    monkeypatch.setenv("ODAH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(sys, "version_info", (3, 12, 0))
    real_which = blender_env.shutil.which
    on_machine = ("uv", "python3.11")  # only ours count
    monkeypatch.setattr(
        blender_env.shutil,
        "which",
        lambda name: real_which(name, path=str(tmp_path / "bin")) if name in on_machine else real_which(name),
    )
    return tmp_path / "bin"


def test_a_named_blender_program_gets_blenders_flags(tmp_path, monkeypatch):
    program = script(tmp_path / "blender", "echo Blender 4.5.1")
    monkeypatch.setenv("ODAH_BLENDER", str(program))
    command = find_blender().command("--probe")
    assert command[:2] == [str(program), "--background"]
    assert command.index("--python-exit-code") < command.index("--python")
    assert command[-2:] == ["--", "--probe"]


def test_a_named_python_runs_the_worker_itself(tmp_path, monkeypatch):
    python = script(tmp_path / "python", 'test "$1" = --version && echo Python 3.11.9; exit 0')
    monkeypatch.setenv("ODAH_BLENDER", str(python))
    command = find_blender().command()
    assert command[0] == str(python)
    assert Path(command[-1]).name == "worker.py"
    assert Path(command[-1]).is_file()


def test_a_missing_library_is_answered_with_the_apt_line(tmp_path, monkeypatch):
    body = f'test "$1" = --version && echo Python 3.11.9 && exit 0; echo "{NO_LIBRARY}" >&2; exit 1'
    monkeypatch.setenv("ODAH_BLENDER", str(script(tmp_path / "python", body)))
    with pytest.raises(OdahError, match=r"libXi\.so\.6: apt-get install .*libegl1"):
        find_blender()


@pytest.mark.parametrize(
    ("body", "message"), [(None, "no executable"), ("echo hello", "neither"), ("exit 3", "neither")]
)
def test_a_named_thing_that_is_no_blender_is_refused(tmp_path, monkeypatch, body, message):
    path = tmp_path / "thing"
    if body:
        script(path, body)
    monkeypatch.setenv("ODAH_BLENDER", str(path))
    with pytest.raises(InputError, match=message):
        find_blender()


def test_nothing_is_installed_unless_allowed(tmp_path):
    with pytest.raises(OdahError, match="ODAH_BLENDER is not set"):
        find_blender(install=False)
    assert not (tmp_path / "cache").exists()


def test_without_any_way_to_install_all_ways_are_named():
    with pytest.raises(OdahError, match=r"ODAH_BLENDER.*python3\.11.*uv"):
        find_blender()


def fake_uv(folder: Path, pip: str = "") -> Path:
    """A uv that writes down its calls, and whose environments hold a Python that can import anything."""
    log = folder / "calls"
    make = 'mkdir -p "$4/bin"; printf "#!/bin/sh\\nexit 0\\n" > "$4/bin/python"; chmod +x "$4/bin/python"'
    return script(folder / "uv", f'echo "$1" >> {log}\nif [ "$1" = venv ]; then {make}; else :; {pip}\nfi')


def test_one_of_two_processes_installs_and_the_other_waits(bare_machine, tmp_path):
    fake_uv(bare_machine, pip="sleep 0.3")
    lines: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: find_blender(say=lines.append), range(2)))
    assert found[0] == found[1]
    assert found[0].executable == tmp_path / "cache" / "blender-4.5" / "bin" / "python"
    assert (bare_machine / "calls").read_text().split() == ["venv", "pip"]
    assert len(lines) == 1
    assert "373 MB" in lines[0]
    assert find_blender(install=False) == found[0]


def test_a_failed_installation_leaves_nothing_behind(bare_machine, tmp_path):
    fake_uv(bare_machine, pip="echo no network >&2; exit 2")
    with pytest.raises(OdahError, match="no network"):
        find_blender(say=lambda line: None)
    assert not (tmp_path / "cache" / "blender-4.5").exists()
    with pytest.raises(OdahError, match="not installed"):
        find_blender(install=False)
