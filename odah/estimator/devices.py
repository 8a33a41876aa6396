"""Where numerics run."""

from __future__ import annotations

import ctypes
from typing import Literal, get_args

import torch

from odah.errors import InputError

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""Parameters of glibc's mallopt (malloc.h)."""

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


def keep_freed_memory() -> None:
    """Let the C library keep what is freed, for training on the CPU.

    It else maps every large tensor anew and the kernel fills it with zeros first: a sixth of a step. Where
    the library is not glibc nothing happens.
    """
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, 2**31 - 1)
