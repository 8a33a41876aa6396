"""Kinematics as C code generated and compiled for one model."""

from odah.osim.fast.chooser import ik_solver, kinematics
from odah.osim.fast.compiler import NoCompiler
from odah.osim.fast.forward import FastKinematics

__all__ = ["FastKinematics", "NoCompiler", "ik_solver", "kinematics"]
