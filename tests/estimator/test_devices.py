"""Devices by name."""

import pytest
import torch

from odah.errors import InputError
from odah.estimator.devices import check_device_name, device_named, keep_freed_memory


@pytest.mark.parametrize(
    ("has_gpu", "name", "kind"),
    [(True, "auto", "cuda"), (True, "cpu", "cpu"), (True, "gpu", "cuda"), (False, "auto", "cpu")],
)
def test_named(monkeypatch: pytest.MonkeyPatch, has_gpu: bool, name: str, kind: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    assert device_named(check_device_name(name)).type == kind


def test_what_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="--device: found gpu, but torch finds none"):
        device_named("gpu")
    with pytest.raises(InputError, match="--device: found 'cuda:1', expected auto, cpu or gpu"):
        check_device_name("cuda:1")


def test_freed_memory_is_kept_where_the_c_library_can(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    class Library:
        @staticmethod
        def mallopt(name: int, value: int) -> int:
            asked.append((name, value))
            return 1

    monkeypatch.setattr("ctypes.CDLL", lambda name: Library)
    keep_freed_memory()
    assert asked == [(-4, 0), (-1, 2**31 - 1)]

    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr("ctypes.CDLL", missing)
    keep_freed_memory()
    assert len(asked) == 2
