"""Readers of the datasets that methods are judged on: a folder as its owners ship it, to recordings."""
