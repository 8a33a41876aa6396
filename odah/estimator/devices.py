"""Where numerics run."""

from __future__ import annotations

from typing import Literal, get_args

import torch

from odah.errors import InputError

DeviceName = Literal["auto", "cpu", "gpu"]
"""auto: a GPU if there is one."""


def check_device_name(name: str) -> DeviceName:
    """What `--device` says.

    Raises:
        InputError: none of the three.
    """
    for known in get_args(DeviceName):
        if name == known:
            return known
    raise InputError("--device", repr(name), "auto, cpu or gpu")


def device_named(name: DeviceName) -> torch.device:
    """The device, CUDA's current one for a GPU.

    Raises:
        InputError: a GPU is wanted and there is none.
    """
    has_gpu = torch.cuda.is_available()
    if name == "gpu" and not has_gpu:
        raise InputError("--device", "gpu, but torch finds none", "cpu, or a GPU with its driver")
    return torch.device("cuda" if has_gpu and name != "cpu" else "cpu")
