"""Garments made for MakeHuman (`.mhclo`), on the open body."""
