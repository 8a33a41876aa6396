"""What a killed process left of a folder goes; what others are making stays."""

from pathlib import Path

from odah.files import atomic_folder, drop_unfinished


def test_the_remains_of_a_killed_process_go_and_nothing_else(tmp_path: Path) -> None:
    wanted = tmp_path / "walk"
    with atomic_folder(wanted) as finished:
        (finished / "file").touch()
    killed, neighbour = atomic_folder(wanted), atomic_folder(tmp_path / "walking")
    with neighbour as others:
        (killed.__enter__() / "half").touch()
        assert len(list(tmp_path.iterdir())) == 3
        drop_unfinished(wanted)
        assert sorted(tmp_path.iterdir()) == sorted([wanted, others])
    assert (wanted / "file").is_file()
