"""Devices by name."""

import pytest
import torch

from odah.errors import InputError
from odah.estimator.devices import check_device_name, device_named


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
