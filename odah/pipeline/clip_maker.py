"""Who moves in each clip, and how; people come from their first recording, whichever clip is made first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from odah.body.fitting.body_fitter import BodyFitter
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.config import GenerateConfig, Recording
from odah.dataset.plan import ClipPlan
from odah.dataset.schema import seeded_rng
from odah.errors import InputError
from odah.motion.types import MarkerTrajectories, Motion
from odah.osim.kinematics import Kinematics, solve_kinematics, track_kinematics
from odah.osim.level_floor import find_floor, levelled
from odah.osim.toe_bending import bend_toes
from odah.pipeline.arm_clearance import clear_arms
from odah.pipeline.clips import Solved
from odah.pipeline.kinematics import (
    builtin_kinematics,
    clip_part,
    cut_kinematics,
    is_made_for,
    motion_kinematics,
    read_recording,
)
from odah.pipeline.standard_model import standard_kinematics
from odah.pipeline.subjects import Subject, subject_of_kinematics, subject_of_motion, synthetic_subject


@dataclass(frozen=True)
class Person:
    """A subject, and the skeleton of their first recording where that was markers or OpenSim coordinates."""

    subject: Subject
    skeleton: Kinematics | None = None


class ClipMaker:
    """Holds what all clips of a dataset share: the body, its registration, the people met so far.

    plans: of the whole dataset, also of clips that are made elsewhere, so that every shard makes the same
    people. folder: of the config file, from which the body's paths count.

    Raises:
        InputError: the body or its registration cannot be used.
    """

    def __init__(self, config: GenerateConfig, plans: Sequence[ClipPlan], folder: Path = Path()) -> None:
        self.config = config
        self.fitter = _fitter(config, folder)
        self._first_plans: dict[str, ClipPlan] = {}
        for plan in plans:
            self._first_plans.setdefault(plan.subject, plan)
        self._people: dict[str, Person] = {}

    def solve(self, plan: ClipPlan) -> Solved:
        """Who moves in a clip, and how.

        Raises:
            InputError: a recording cannot be used, or is of another kind than the subject's first.
        """
        person, clip = self._person(plan.subject), self.config.clip
        subject = person.subject
        if plan.builtin is not None:
            seed = int(seeded_rng(self.config.seed, "action", plan.clip_id).integers(2**31))
            kinematics = builtin_kinematics(subject, plan.builtin, seed, clip.rate, clip.duration)
            return Solved(subject, clear_arms(kinematics, self.fitter, subject.betas))
        recording = _recording_of(plan)
        if person.skeleton is not None and plan is self._first_plans[plan.subject]:
            return Solved(subject, self._standard(person.skeleton))
        recorded = read_recording(recording)
        if isinstance(recorded, Motion) != (person.skeleton is None):
            raise InputError(
                f"{recording.path}: subject {plan.subject}",
                "a body motion and a skeleton or markers of one person",
                "recordings of one kind",
            )
        if isinstance(recorded, Motion):
            motion = clip_part(recorded, *self._span(recording))
            solved = _on_the_floor(motion_kinematics(motion, self.fitter, subject))
            if not is_made_for(motion, self.fitter.body, subject.betas):
                solved = clear_arms(solved, self.fitter, subject.betas, motion.poses)
            return Solved(subject, solved, motion.poses)
        return Solved(subject, self._standard(self._skeleton(recording, recorded, person.skeleton)))

    def _person(self, name: str) -> Person:
        if name not in self._people:
            self._people[name] = self._new_person(name, self._first_plans[name])
        return self._people[name]

    def _new_person(self, name: str, plan: ClipPlan) -> Person:
        rng, people = seeded_rng(self.config.seed, "subject", name), self.config.subjects
        if plan.builtin is not None:
            return Person(synthetic_subject(name, self.fitter, people, rng))
        recording = _recording_of(plan)
        recorded = read_recording(recording)
        if isinstance(recorded, Motion):
            motion = clip_part(recorded, *self._span(recording))
            return Person(subject_of_motion(name, self.fitter, motion, recording.gender, people, rng))
        skeleton = self._skeleton(recording, recorded, None)
        standard = self._standard(skeleton)
        return Person(subject_of_kinematics(name, self.fitter, standard, recording.gender, rng), skeleton)

    def _skeleton(
        self, recording: Recording, recorded: MarkerTrajectories | Kinematics, first: Kinematics | None
    ) -> Kinematics:
        """Coordinates of a recording; after the `first` one the person's model is known."""
        if isinstance(recorded, Kinematics):
            if first is not None and recorded.model_xml != first.model_xml:
                raise InputError(
                    f"{recording.path}: osim", "another model", "the one of the subject's first motion"
                )
            return cut_kinematics(recorded, *self._span(recording))
        part = clip_part(recorded, *self._span(recording))
        solved = solve_kinematics(part) if first is None else track_kinematics(part, first)
        return replace(solved, notes=(*recorded.notes, *solved.notes))

    def _standard(self, skeleton: Kinematics) -> Kinematics:
        return _on_the_floor(standard_kinematics(skeleton, self.fitter.registration))

    def _span(self, recording: Recording) -> tuple[float, float, float]:
        """Rate, start and duration of a recording's part."""
        clip = self.config.clip
        return clip.rate, recording.start, recording.duration or clip.duration


def _on_the_floor(recorded: Kinematics) -> Kinematics:
    """The motion on a level floor at y = 0 of ground, toes above it, where its feet tell where that is."""
    floor = find_floor(recorded)
    return recorded if floor is None else bend_toes(levelled(recorded, floor))


def _fitter(config: GenerateConfig, folder: Path) -> BodyFitter:
    if config.body == "open":
        return BodyFitter(load_body(), load_registration())
    body = load_body(folder / Path(config.body).expanduser())
    if config.registration is None:
        command = f"odah regressor fit --body {config.body} --out FILE.npz"
        raise InputError("config: registration", "nothing", f"the file that `{command}` writes")
    return BodyFitter(body, load_registration(folder / Path(config.registration).expanduser()))


def _recording_of(plan: ClipPlan) -> Recording:
    if plan.recording is None:
        raise ValueError(f"{plan.clip_id} has neither an action nor a recording")
    return plan.recording
