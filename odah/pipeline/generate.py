"""A dataset from a config: subjects once, then clip after clip; what is finished stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from odah.body.fit import BodyFitter
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.config import GenerateConfig
from odah.dataset.plan import ClipPlan, plan_clips, shard
from odah.dataset.schema import DatasetPaths, seeded_rng
from odah.dataset.writer import start_dataset
from odah.errors import OdahError
from odah.motion.types import MarkerTrajectories, Motion
from odah.osim import full_body_model
from odah.osim.kinematics import Kinematics, solve_kinematics
from odah.pipeline.clips import make_clip
from odah.pipeline.kinematics import (
    builtin_kinematics,
    clip_part,
    cut_kinematics,
    motion_kinematics,
    read_recording,
)
from odah.pipeline.standard_model import standard_kinematics
from odah.pipeline.subjects import (
    Subject,
    subject_of_kinematics,
    subject_of_motion,
    synthetic_subject,
    write_subject,
)
from odah.progress import say, track
from odah.render import Renderer, RenderSettings


class ClipMaker:
    """Holds what all clips of a dataset share: the body, its registration, the subjects made so far."""

    def __init__(self, config: GenerateConfig) -> None:
        self.config = config
        body = load_body(None if config.body == "open" else config.body)
        self.fitter = BodyFitter(body, load_registration())
        self._subjects: dict[str, Subject] = {}

    def subject(self, name: str, make: Callable[[np.random.Generator], Subject]) -> Subject:
        """The subject of that name; made at its first clip."""
        if name not in self._subjects:
            self._subjects[name] = make(seeded_rng(self.config.seed, "subject", name))
        return self._subjects[name]

    def solve(self, plan: ClipPlan) -> tuple[Subject, Kinematics]:
        """Who moves in a clip, and how."""
        if plan.recording is None:
            assert plan.builtin is not None
            return self._solve_builtin(plan, plan.builtin)
        recorded = read_recording(plan.recording)
        if isinstance(recorded, Motion):
            return self._solve_motion(plan, recorded)
        return self._solve_skeleton(plan, recorded)

    def _solve_builtin(self, plan: ClipPlan, action: str) -> tuple[Subject, Kinematics]:
        clip = self.config.clip
        subject = self.subject(
            plan.subject, lambda rng: synthetic_subject(plan.subject, self.fitter, self.config.subjects, rng)
        )
        seed = int(seeded_rng(self.config.seed, "action", plan.clip_id).integers(2**31))
        return subject, builtin_kinematics(subject, action, seed, clip.rate, clip.duration)

    def _span(self, plan: ClipPlan) -> tuple[float, float, float]:
        assert plan.recording is not None
        clip = self.config.clip
        return clip.rate, plan.recording.start, plan.recording.duration or clip.duration

    def _solve_motion(self, plan: ClipPlan, motion: Motion) -> tuple[Subject, Kinematics]:
        assert plan.recording is not None
        gender = plan.recording.gender
        motion = clip_part(motion, *self._span(plan))
        subject = self.subject(
            plan.subject,
            lambda rng: subject_of_motion(
                plan.subject, self.fitter, motion, gender, self.config.subjects, rng
            ),
        )
        return subject, motion_kinematics(motion, self.fitter, subject)

    def _solve_skeleton(
        self, plan: ClipPlan, recorded: MarkerTrajectories | Kinematics
    ) -> tuple[Subject, Kinematics]:
        assert plan.recording is not None
        gender = plan.recording.gender
        if isinstance(recorded, Kinematics):
            solved = cut_kinematics(recorded, *self._span(plan))
        else:
            solved = solve_kinematics(clip_part(recorded, *self._span(plan)))
            solved = replace(solved, notes=(*recorded.notes, *solved.notes))
        solved = standard_kinematics(solved, self.fitter.registration)
        subject = self.subject(
            plan.subject, lambda rng: subject_of_kinematics(plan.subject, self.fitter, solved, gender, rng)
        )
        return subject, solved


def generate_dataset(
    config: GenerateConfig, config_folder: Path, out: Path, shard_text: str | None = None
) -> tuple[DatasetPaths, dict[str, str]]:
    """Make every clip that is not there yet.

    A clip that fails is told and left out; the others go on.

    Returns:
        The dataset, and for each clip that failed, why.

    Raises:
        InputError: the config, a recording's path or the folder cannot be used.
    """
    plans = shard(plan_clips(config, config_folder), shard_text)
    maker = ClipMaker(config)
    generic = maker.fitter.registration.calibrated(full_body_model())
    paths = start_dataset(out, config, generic)
    waiting = [plan for plan in plans if not (paths.clip(plan.clip_id) / "clip.json").is_file()]
    if len(waiting) < len(plans):
        say(f"{len(plans) - len(waiting)} of {len(plans)} clips are finished already")
    failures: dict[str, str] = {}
    settings = RenderSettings(
        engine=config.render.engine,
        samples=config.render.samples,
        threads=config.render.threads,
        crf=config.video.crf,
    )
    with Renderer(settings, say=say) as renderer:
        for plan in track(waiting, "clips"):
            try:
                _make(paths, plan, maker, renderer)
            except OdahError as error:
                failures[plan.clip_id] = str(error)
                say(f"[red]{plan.clip_id} failed[/]: {error}")
    return paths, failures


def _make(paths: DatasetPaths, plan: ClipPlan, maker: ClipMaker, renderer: Renderer) -> None:
    subject, solved = maker.solve(plan)
    write_subject(subject, maker.config.body, paths.subject(plan.subject))
    make_clip(paths, plan, maker.config, maker.fitter, subject, solved, renderer)
