"""Scaling a model to a person."""
