"""Generated C to a loaded function: the machine's own compiler, and a cache of what it made."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from odah.errors import OdahError
from odah.files import atomic_path, cache_folder

FLAGS = (
    "-O2",
    "-fno-gcse",  # slow, and finds nothing: the graph holds every value once already
    "-fno-strict-aliasing",  # lanes of vectors are read and written as numbers
    "-march=native",
    "-std=gnu11",
    "-fPIC",
    "-shared",
    "-w",
    "-lm",
)
"""Without -ffast-math, which would cancel the additions that the range reduction of sines rests on."""
_COMPILERS = ("cc", "gcc", "clang")
_TIME_LIMIT = 300.0


class NoCompiler(OdahError):
    """There is no C compiler here, or not one that compiles this."""


def find_compiler() -> str:
    """The C compiler's path.

    Raises:
        NoCompiler: none on the PATH.
    """
    for name in _COMPILERS:
        if path := shutil.which(name):
            return path
    raise NoCompiler(f"no C compiler on the PATH, looked for {', '.join(_COMPILERS)}")


def check_compiler() -> None:
    """Compile and load next to nothing.

    Raises:
        NoCompiler: there is no compiler, or it fails.
    """
    load_kernel("#include <stdint.h>\n#include <math.h>\nint kernel(void) { return 0; }\n")


def load_kernel(source: str, arguments: Sequence[Any] = ()) -> Callable[..., int]:
    """The function `kernel` of a C source, compiled unless the cache holds it already.

    arguments: their C types.

    Raises:
        NoCompiler: there is no compiler, or it fails.
    """
    compiler = find_compiler()
    key = hashlib.sha256("\0".join([source, _target(compiler), *FLAGS]).encode()).hexdigest()
    library = cache_folder() / "kinematics" / f"{key[:32]}.so"
    try:
        if not library.exists():
            _compile(compiler, source, library)
        kernel = ctypes.CDLL(str(library)).kernel
    except (OSError, subprocess.SubprocessError) as error:
        raise NoCompiler(f"{library.name} could not be made: {error}") from error
    kernel.argtypes = arguments
    kernel.restype = ctypes.c_int
    return kernel


def _compile(compiler: str, source: str, library: Path) -> None:
    """Processes that compile the same source at once each rename a whole file into place."""
    with atomic_path(library) as temporary:
        command = [compiler, "-x", "c", "-", "-o", str(temporary), *FLAGS]
        _run(command, source)


@cache
def _target(compiler: str) -> str:
    """The compiler's version and the processor features it compiles for, as its predefined macros.

    A home folder may be shared by machines of different processors: each gets its own library.
    """
    return _run([compiler, "-march=native", "-dM", "-E", "-x", "c", os.devnull], "")


def _run(command: list[str], text: str) -> str:
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=_TIME_LIMIT)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoCompiler(f"{command[0]} could not be run: {error}") from error
    if done.returncode != 0:
        raise NoCompiler(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[:500]}")
    return done.stdout
