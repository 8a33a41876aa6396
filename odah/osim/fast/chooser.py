"""The fastest kinematics that this machine can run: generated code where a C compiler is found and works."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import torch

from odah.osim.fast.compiler import NoCompiler
from odah.osim.fast.forward import FastKinematics
from odah.osim.fk import ForwardKinematics
from odah.osim.model import Model

if TYPE_CHECKING:
    from odah.osim.ik.problem import IkProblem, IkSolver


def kinematics(model: Model, dtype: torch.dtype = torch.float64) -> FastKinematics | ForwardKinematics:
    """Forward kinematics; generated or reference: same call, same results."""
    try:
        return FastKinematics(model, dtype)
    except NoCompiler as reason:
        _tell("forward kinematics", reason)
        return ForwardKinematics(model, dtype)


def ik_solver(problem: IkProblem, *, tolerance: float = 1e-7, max_iterations: int = 60) -> IkSolver:
    """Marker inverse kinematics; generated or reference: same call, the same minima up to `tolerance`."""
    # Here, because `odah.osim.ik` chooses its solver through this module.
    from odah.osim.fast.inverse import FastIkSolver
    from odah.osim.ik.reference_solver import ReferenceIkSolver

    try:
        return FastIkSolver(problem, tolerance=tolerance, max_iterations=max_iterations)
    except NoCompiler as reason:
        _tell("inverse kinematics", reason)
        return ReferenceIkSolver(problem, tolerance=tolerance, max_iterations=max_iterations)


def _tell(what: str, reason: NoCompiler) -> None:
    logging.getLogger(__name__).debug("%s by the reference: %s", what, reason)
