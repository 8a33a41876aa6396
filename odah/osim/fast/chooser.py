"""The fastest forward kinematics that this machine can run."""

from __future__ import annotations

import logging

import torch

from odah.osim.fast.compiler import NoCompiler
from odah.osim.fast.forward import FastKinematics
from odah.osim.fk import ForwardKinematics
from odah.osim.model import Model


def kinematics(model: Model, dtype: torch.dtype = torch.float64) -> FastKinematics | ForwardKinematics:
    """Generated code where a C compiler is found and works, else the reference; same call, same results."""
    try:
        return FastKinematics(model, dtype)
    except NoCompiler as reason:
        logging.getLogger(__name__).debug("reference kinematics: %s", reason)
        return ForwardKinematics(model, dtype)
