"""Build the open body; run `python -m odah.body.build --help`."""
