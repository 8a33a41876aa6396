"""Marker inverse kinematics by generated code."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import cached_property

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from odah.osim.fast.compiler import load_kernel
from odah.osim.fast.ik_c import ARGUMENTS, emit_ik
from odah.osim.fast.ik_program import IkProgram, ParameterLengths, structure
from odah.osim.ik.problem import IkFrames, IkProblem, IkSolution
from odah.osim.ik.reference_solver import ReferenceIkSolver

_MIN_SLICE, _MAX_SLICE = 64, 4096
"""Frames a thread takes at a time: what has to be copied of the input stays small."""
_CONVERGED, _TOO_FAR = 1, 2


class FastIkSolver:
    """An `IkSolver` compiled for one generic model: people scaled from it share the code.

    Computes in float64 on the CPU. Frames are split over `torch.get_num_threads()` threads; their number
    changes no bit of the results. Frames that begin beyond thousands of turns go to the reference.

    tolerance: rad and m; the step at which a frame counts as solved. max_iterations: steps tried a frame.

    Raises:
        NoCompiler: there is no C compiler here, or it fails.
    """

    def __init__(self, problem: IkProblem, *, tolerance: float = 1e-7, max_iterations: int = 60) -> None:
        self.problem, self.tolerance, self.max_iterations = problem, tolerance, max_iterations
        prescribed = [k for k, c in enumerate(problem.model.coordinates) if c.prescribed is not None]
        self._usual = _CompiledProgram(problem, tuple(prescribed))

    @cached_property
    def _unusual(self) -> _CompiledProgram:
        """For frames between which other given coordinates differ than the prescribed ones."""
        return _CompiledProgram(self.problem, (*self._usual.moving, *self._usual.fixed))

    def __call__(self, start: Float[Tensor, "t P"], frames: IkFrames) -> IkSolution:
        """Solve each frame from `start`, which is brought within the bounds."""
        answers = _Answers.empty(len(start), self.problem)
        if len(start) == 0:
            return answers.solution()
        given = frames.given
        is_usual = all(bool((given[:, k] == given[0, k]).all()) for k in self._usual.fixed)
        program = self._usual if is_usual else self._unusual
        num_threads = torch.get_num_threads()
        size = min(max(-(-len(start) // num_threads), _MIN_SLICE), _MAX_SLICE)
        parts = [slice(begin, begin + size) for begin in range(0, len(start), size)]

        def solve(part: slice) -> None:
            program(start[part], frames[part], answers[part], self.tolerance, self.max_iterations)

        if len(parts) == 1 or num_threads == 1:
            for part in parts:
                solve(part)
        else:
            with ThreadPoolExecutor(num_threads) as threads:
                list(threads.map(solve, parts))
        self._solve_far(start, frames, answers)
        return answers.solution()

    def _solve_far(self, start: Tensor, frames: IkFrames, answers: _Answers) -> None:
        far = torch.nonzero(answers.outcomes == _TOO_FAR)[:, 0]
        if len(far) == 0:
            return
        reference = ReferenceIkSolver(
            self.problem, tolerance=self.tolerance, max_iterations=self.max_iterations
        )
        solution = reference(start[far], frames[far])
        answers.x[far], answers.costs[far] = solution.x, solution.costs
        answers.distances[far] = solution.distances
        answers.iterations[far] = solution.num_iterations.to(torch.int64)
        answers.outcomes[far] = torch.where(solution.is_converged, _CONVERGED, 0).to(torch.uint8)


@dataclass(frozen=True)
class _Answers:
    """What the compiled code fills in."""

    x: Float[Tensor, "t P"]
    costs: Float[Tensor, " t"]
    distances: Float[Tensor, "t M"]
    iterations: Int64[Tensor, " t"]
    outcomes: UInt8[Tensor, " t"]

    @classmethod
    def empty(cls, num_frames: int, problem: IkProblem) -> _Answers:
        real, whole = torch.float64, torch.int64
        num_free, num_markers = len(problem.free), len(problem.model.markers)
        return cls(
            torch.empty(num_frames, num_free, dtype=real),
            torch.empty(num_frames, dtype=real),
            torch.empty(num_frames, num_markers, dtype=real),
            torch.empty(num_frames, dtype=whole),
            torch.empty(num_frames, dtype=torch.uint8),
        )

    def __getitem__(self, part: slice) -> _Answers:
        return _Answers(*(getattr(self, field.name)[part] for field in fields(self)))

    def solution(self) -> IkSolution:
        is_converged = self.outcomes == _CONVERGED
        return IkSolution(self.x, self.costs, self.distances, is_converged, self.iterations)


@dataclass(frozen=True)
class _Code:
    """Loaded code; `lengths` reads its inputs off a person's model."""

    kernel: Callable[..., int]
    fixed: tuple[int, ...]
    lengths: ParameterLengths


_loaded: dict[Hashable, _Code] = {}
"""By structure and moving coordinates: writing it anew for each person takes longer than a short trial."""


def _code(key: Hashable, problem: IkProblem, moving: tuple[int, ...]) -> _Code:
    if (key, moving) not in _loaded:
        program = IkProgram(problem, moving)
        kernel = load_kernel(emit_ik(program), ARGUMENTS)
        _loaded[key, moving] = _Code(kernel, program.fixed, program.lengths)
    return _loaded[key, moving]


class _CompiledProgram:
    """The code for a choice of given coordinates that move from frame to frame, for one person."""

    def __init__(self, problem: IkProblem, moving: tuple[int, ...]) -> None:
        self.moving = moving
        code = _code(structure(problem), problem, moving)
        self.fixed, self.kernel = code.fixed, code.kernel
        numbers = (problem.lower, problem.upper, code.lengths.of(problem.model))
        self.constants = [torch.as_tensor(values, dtype=torch.float64) for values in numbers]

    def __call__(
        self, start: Tensor, frames: IkFrames, answers: _Answers, tolerance: float, max_iterations: int
    ) -> None:
        """Solve frames of which the given coordinates that do not move are those of the first."""
        optional = (frames.targets, frames.target_weights)
        inputs = [
            start, *self.constants, frames.given[0],
            frames.measured.flatten(1), frames.weights, frames.given[:, list(self.moving)], *optional,
        ]  # fmt: skip
        rows = [None if values is None else _with_whole_rows(values) for values in inputs]
        pointers = (ctypes.c_void_p * len(rows))(*(0 if row is None else row.data_ptr() for row in rows))
        strides = (ctypes.c_int64 * len(rows))(*(0 if row is None else row.stride(0) for row in rows))
        out = (answers.x, answers.costs, answers.distances, answers.iterations, answers.outcomes)
        filled = (values.data_ptr() for values in out)
        if self.kernel(pointers, strides, *filled, len(start), tolerance, max_iterations):
            answers.outcomes.fill_(_TOO_FAR)


def _with_whole_rows(values: Tensor) -> Tensor:
    """The values of a frame next to each other, float64; the tensor itself where it is so already."""
    values = values.to("cpu", torch.float64)
    return values if values.stride(-1) == 1 else values.contiguous()
