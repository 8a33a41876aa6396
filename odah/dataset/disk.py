"""Failures of the disk that holds a dataset, after which every further clip would fail as well."""

from __future__ import annotations

import errno

from odah.dataset.schema import DatasetPaths

_REFUSALS = {
    errno.ENOSPC: "the disk is full",
    errno.EROFS: "the disk can only be read",
    getattr(errno, "EDQUOT", errno.ENOSPC): "the disk is full",
}


def disk_trouble(paths: DatasetPaths, error: BaseException | None = None) -> str | None:
    """Why no clip can be written any more; None if the error, or what it came from, is of another kind.

    Without an error: whether the dataset's folder, in which a run holds its lock, is there at all. A folder
    whose disk is gone may well be there, empty, and would be filled anew.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in _REFUSALS:
            where = paths.root if error.filename is None else error.filename
            return f"{where}: {_REFUSALS[error.errno]}"
        error = error.__cause__ or error.__context__
    try:
        is_there = paths.state.is_dir()
    except OSError:  # of a network that does not answer, of hardware
        is_there = False
    return None if is_there else f"{paths.root}: the dataset's folder is gone; is its disk still there?"
