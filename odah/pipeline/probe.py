"""What a clip costs here: one is made short and a little less short, and the rest is reckoned from that."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from odah.dataset.plan import ClipPlan
from odah.dataset.schema import DatasetPaths
from odah.pipeline.clip_maker import ClipMaker, Solved
from odah.pipeline.clip_work import Equipment
from odah.pipeline.clips import make_clip
from odah.pipeline.kinematics import cut_kinematics
from odah.progress import say
from odah.render import Renderer

Result = TypeVar("Result")

_FEW, _MORE = 2, 8
"""Frames of the two short clips, whose difference is what frames cost."""


@dataclass(frozen=True)
class Cost:
    """Seconds of one process that makes clips, and bytes on disk.

    start: until Blender draws, once. person: to shape and dress one. clip: whatever its length. frame: of all
    views together.
    """

    start: float
    person: float
    clip: float
    frame: float
    clip_bytes: float
    frame_bytes: float

    def seconds(self, people: int, clips: int, frames: int, slots: int = 1) -> float:
        """Wall time with `slots` processes, each of which makes the people it meets."""
        return self.start + people * self.person + (clips * self.clip + frames * self.frame) / slots

    def num_bytes(self, clips: int, frames: int) -> float:
        return clips * self.clip_bytes + frames * self.frame_bytes


def probe(maker: ClipMaker, plan: ClipPlan, equipment: Equipment) -> Cost:
    """Measure `plan` in one slot, of which nothing is kept.

    Raises:
        OdahError: the clip cannot be made.
    """
    with_person, _ = _timed(lambda: maker.solve(plan))
    alone, solved = _timed(lambda: maker.solve(plan))
    with tempfile.TemporaryDirectory(prefix="odah_probe_") as folder:
        paths = DatasetPaths(Path(folder))
        with Renderer(equipment.settings, equipment.blender, say, equipment.choice) as renderer:
            runs = [_Run.of(paths, plan, maker, solved, renderer, count) for count in (_FEW, _FEW, _MORE)]
    first, few, more = runs  # the first one also starts Blender and compiles its shaders
    frame = _slope(few.frames, few.seconds, more.frames, more.seconds)
    frame_bytes = _slope(few.frames, few.num_bytes, more.frames, more.num_bytes)
    return Cost(
        start=max(first.seconds - few.seconds, 0.0),
        person=max(with_person - alone, 0.0),
        clip=alone + max(few.seconds - few.frames * frame, 0.0),
        frame=frame,
        clip_bytes=max(few.num_bytes - few.frames * frame_bytes, 0.0),
        frame_bytes=frame_bytes,
    )


@dataclass(frozen=True)
class _Run:
    """What a short clip took."""

    frames: int
    seconds: float
    num_bytes: int

    @classmethod
    def of(
        cls,
        paths: DatasetPaths,
        plan: ClipPlan,
        maker: ClipMaker,
        solved: Solved,
        renderer: Renderer,
        count: int,
    ) -> _Run:
        short = _first_frames(solved, count)
        seconds, _ = _timed(lambda: make_clip(paths, plan, maker, short, renderer))
        num_bytes = sum(file.stat().st_size for file in paths.clip(plan.clip_id).iterdir())
        return cls(short.kinematics.num_frames, seconds, num_bytes)


def _slope(few: int, at_few: float, more: int, at_more: float) -> float:
    """Per frame; of a clip that has no more frames than the few, all that it takes."""
    return max(at_more - at_few, 0.0) / (more - few) if more > few else at_few / few


def _first_frames(solved: Solved, count: int) -> Solved:
    kinematics = solved.kinematics
    short = cut_kinematics(kinematics, kinematics.rate, 0.0, count / kinematics.rate)
    guide = None if solved.guide is None else solved.guide[: short.num_frames]
    return replace(solved, kinematics=short, guide=guide)


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result
