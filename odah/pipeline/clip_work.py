"""What a slot does: clip after clip with its own people, renderer and Blender."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from odah.dataset.disk import disk_trouble
from odah.dataset.plan import ClipPlan
from odah.dataset.schema import DatasetPaths
from odah.dataset.writer import start_dataset
from odah.errors import OdahError
from odah.locks import locked
from odah.osim import full_body_model
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.clips import make_clip
from odah.pipeline.slots import Outcome, SlotPlan
from odah.pipeline.subjects import write_subject
from odah.progress import say
from odah.render import Blender, BlenderError, EngineChoice, Renderer, RenderSettings
from odah.scratch import MEMORY, scratch_folder


@dataclass(frozen=True)
class Equipment:
    """What a machine renders with. settings: with the threads of each slot's renderer."""

    blender: Blender
    choice: EngineChoice
    settings: RenderSettings
    slots: SlotPlan


class ClipWork:
    """Makes one clip after the other; in another process with a maker and a renderer of its own.

    scratch: a folder that all slots of the machine share. tell: takes lines for the user.
    """

    def __init__(
        self,
        maker: ClipMaker,
        paths: DatasetPaths,
        equipment: Equipment,
        scratch: Path,
        tell: Callable[[str], None] = say,
    ) -> None:
        self._maker, self._paths = maker, paths
        self._renderer_inputs = (equipment.settings, equipment.blender, tell, equipment.choice, scratch)
        self._renderer: Renderer | None = None
        self._streak, self._has_begun = 0, False

    def __getstate__(self) -> dict[str, object]:
        return {**vars(self), "_renderer": None, "_streak": 0, "_has_begun": False}

    def __call__(self, plan: ClipPlan) -> Outcome:
        why = disk_trouble(self._paths)
        try:
            if why is None:
                self._make(plan)
        except Exception as error:
            why = disk_trouble(self._paths, error)
            if why is None and isinstance(error, OdahError):
                return self._failed(error)
            if why is None:
                raise
        self._streak = 0
        return Outcome(why, stops_run=why is not None)

    def _failed(self, error: OdahError) -> Outcome:
        is_blenders = isinstance(error, BlenderError)
        self._streak += is_blenders
        return Outcome(" ".join(str(error).split()), self._streak if is_blenders else 0)

    def close(self) -> None:
        """End Blender."""
        if self._renderer is not None:
            self._renderer.close()

    def _make(self, plan: ClipPlan) -> None:
        maker = self._maker
        if self._renderer is None:
            self._renderer = Renderer(*self._renderer_inputs)
        solved = maker.solve(plan)
        with locked(self._paths.lock("subjects")):
            if not self._has_begun:
                begin_dataset(maker, self._paths)
                self._has_begun = True
            folder = self._paths.subject(plan.person)
            body_kind = Path(maker.config.body).name
            write_subject(solved.subject, solved.look, body_kind, folder, plan.person_inputs)
        make_clip(self._paths, plan, maker, solved, self._renderer)


def begin_dataset(maker: ClipMaker, paths: DatasetPaths, force: bool = False) -> None:
    """Make the folder with `dataset.json`, or take up what is there; see `start_dataset`."""
    model = maker.fitter.registration.calibrated(full_body_model())
    start_dataset(paths.root, maker.config, model, maker.views, maker.plans, force)


@contextmanager
def clips_scratch() -> Iterator[Path]:
    """A folder that goes with this process, in memory where there is some."""
    base = MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None
    with scratch_folder("odah-clips-", base) as folder:
        yield folder
