"""What a slot does: clip after clip with its own people, renderer and Blender."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from odah.dataset.plan import ClipPlan
from odah.dataset.schema import DatasetPaths
from odah.dataset.writer import start_dataset
from odah.errors import OdahError
from odah.files import locked
from odah.osim import full_body_model
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.clips import make_clip
from odah.pipeline.slots import Outcome
from odah.pipeline.subjects import write_subject
from odah.progress import say
from odah.render import Blender, BlenderError, EngineChoice, Renderer, RenderSettings
from odah.render.frame_folder import MEMORY


class ClipWork:
    """Makes one clip after the other; in another process with a maker and a renderer of its own.

    scratch: a folder that all slots share.
    """

    def __init__(
        self,
        maker: ClipMaker,
        paths: DatasetPaths,
        settings: RenderSettings,
        blender: Blender,
        choice: EngineChoice,
        scratch: Path,
    ) -> None:
        self._maker, self._paths, self._scratch = maker, paths, scratch
        self._renderer_inputs = (settings, blender, say, choice, scratch)
        self._renderer: Renderer | None = None
        self._streak = 0

    def __getstate__(self) -> dict[str, object]:
        return {**vars(self), "_renderer": None, "_streak": 0}

    def __call__(self, plan: ClipPlan) -> Outcome:
        try:
            self._make(plan)
        except BlenderError as error:
            self._streak += 1
            return Outcome(" ".join(str(error).split()), self._streak)
        except OdahError as error:
            return Outcome(" ".join(str(error).split()))
        self._streak = 0
        return Outcome()

    def close(self) -> None:
        """End Blender."""
        if self._renderer is not None:
            self._renderer.close()

    def _make(self, plan: ClipPlan) -> None:
        maker = self._maker
        if self._renderer is None:
            self._renderer = Renderer(*self._renderer_inputs)
        solved = maker.solve(plan)
        with locked(self._scratch / "subjects.lock"):
            model = maker.fitter.registration.calibrated(full_body_model())
            start_dataset(self._paths.root, maker.config, model, maker.views)
            folder = self._paths.subject(plan.subject)
            write_subject(solved.subject, solved.outfit.appearance, maker.config.body, folder)
        make_clip(self._paths, plan, maker, solved, self._renderer)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that goes with this process, in memory where there is some."""
    base = MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="odah-", dir=base, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
