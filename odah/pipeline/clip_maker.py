"""Who moves in each clip, and how; people come from their first recording, whichever clip is made first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from odah.body.fitting.body_fitter import BodyFitter
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.clothing import Appearance, Outfit, sample_appearance
from odah.clothing.makehuman.fit import check_wearable
from odah.clothing.wardrobe import Wardrobe
from odah.config import GenerateConfig, Recording
from odah.dataset.plan import ClipPlan
from odah.dataset.schema import seeded_rng
from odah.errors import InputError
from odah.motion.types import MarkerTrajectories, Motion
from odah.osim.kinematics import Kinematics, solve_kinematics, track_kinematics
from odah.osim.level_floor import find_floor, levelled
from odah.osim.seat import Seat
from odah.osim.toe_bending import bend_toes
from odah.pipeline.arm_clearance import clear_arms
from odah.pipeline.bmi_variants import bmi_variant
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
from odah.scene import SceneConfig
from odah.scene.placement import camera_names

Thing = TypeVar("Thing")

_PEOPLE_KEPT = 8
"""Met last; textures and matrices of one's clothes take some 30 MB. Clips come subject by subject."""


@dataclass(frozen=True)
class Person:
    """A subject, or a heavier or lighter variant of one; how they look; and the skeleton of their first
    recording, where that was markers or OpenSim coordinates."""

    subject: Subject
    look: Appearance
    skeleton: Kinematics | None = None


@dataclass(frozen=True)
class Solved:
    """Who moves in a clip, in what, and how.

    look: of the person; what they wear in this clip, if that changes, is told by the outfit's own appearance.
    guide: (T, 55, 3) rotation vectors of the recorded body motion, where the clip came from one, for head,
    face and fingers, of which the skeleton knows nothing. seat: what they sit on, in ground, if they do.
    """

    subject: Subject
    look: Appearance
    outfit: Outfit
    kinematics: Kinematics
    guide: np.ndarray | None = None
    seat: Seat | None = None


class ClipMaker:
    """Holds what all clips of a dataset share: the body, its registration, clothes, the people met last.

    plans: of the whole dataset, also of clips that are made elsewhere, so that every shard makes the same
    people. folder: of the config file, from which its paths count.

    Raises:
        InputError: the body, its registration, a garment, a picture or the cameras' file cannot be used.
    """

    def __init__(self, config: GenerateConfig, plans: Sequence[ClipPlan], folder: Path = Path()) -> None:
        torch.set_num_threads(1)  # sums in another order would change the labels' last bits
        self._inputs = (config, plans, folder)
        self.config, self.plans = config, plans
        self.fitter = _fitter(config, folder)
        self.scenes = _scenes(config, folder)
        self.views = camera_names(self.scenes.camera)
        self._wardrobe = Wardrobe.open(config.clothing, folder)
        check_wearable(list(self._wardrobe.garments.values())[:1], self.fitter.body)
        self._first_plans: dict[str, ClipPlan] = {}
        for plan in plans:
            self._first_plans.setdefault(plan.subject, plan)
        self._people: dict[str, Person] = {}
        self._outfits: dict[str, Outfit] = {}

    def __reduce__(self) -> tuple[type[ClipMaker], tuple[Any, ...]]:
        """In another process it starts afresh from the same inputs."""
        return ClipMaker, self._inputs

    def solve(self, plan: ClipPlan) -> Solved:
        """Who moves in a clip, in what, and how.

        Raises:
            InputError: a recording cannot be used, or is of another kind than the subject's first.
        """
        person = self._person(plan)
        kinematics, guide, seat = self._motion(plan, person)
        return Solved(person.subject, person.look, self._outfit(plan, person), kinematics, guide, seat)

    def _motion(self, plan: ClipPlan, person: Person) -> tuple[Kinematics, np.ndarray | None, Seat | None]:
        """Kinematics, guide and seat, as in `Solved`."""
        subject, clip = person.subject, self.config.clip
        if plan.builtin is not None:
            seed = int(seeded_rng(self.config.seed, "action", plan.clip_id).integers(2**31))
            kinematics, seat = builtin_kinematics(subject, plan.builtin, seed, clip.rate, clip.duration)
            return clear_arms(kinematics, self.fitter, subject.betas), None, seat
        recording = _recording_of(plan)
        if person.skeleton is not None and plan.clip_id == self._first_plans[plan.subject].clip_id:
            return self._standard(person.skeleton), None, None
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
            return solved, motion.poses, None
        return self._standard(self._skeleton(recording, recorded, person.skeleton)), None, None

    def _person(self, plan: ClipPlan) -> Person:
        def new() -> Person:
            if not plan.variant:
                return self._new_person(plan.subject, self._first_plans[plan.subject])
            own = self._person(replace(plan, variant=0.0))
            return replace(own, subject=bmi_variant(own.subject, self.fitter, plan.variant))

        return _kept(self._people, plan.person, new)

    def _outfit(self, plan: ClipPlan, person: Person) -> Outfit:
        """What is worn in a clip: the person's clothes, or others of the clip's own on the same person."""
        body, betas = self.fitter.body, person.subject.betas
        if self.config.clothing.changes == "per_subject":
            return _kept(self._outfits, plan.person, lambda: self._wardrobe.dress(body, betas, person.look))
        rng = seeded_rng(self.config.seed, "clothes", plan.clip_id)
        look = self._wardrobe.changed(person.look, person.subject.gender, rng)
        return self._wardrobe.dress(body, betas, look)

    def _new_person(self, name: str, plan: ClipPlan) -> Person:
        rng, people = seeded_rng(self.config.seed, "subject", name), self.config.subjects
        if plan.builtin is not None:
            return self._dressed(synthetic_subject(name, self.fitter, people, rng), rng)
        recording = _recording_of(plan)
        recorded = read_recording(recording)
        if isinstance(recorded, Motion):
            motion = clip_part(recorded, *self._span(recording))
            subject = subject_of_motion(name, self.fitter, motion, recording.gender, people, rng)
            return self._dressed(subject, rng)
        skeleton = self._skeleton(recording, recorded, None)
        standard = self._standard(skeleton)
        subject = subject_of_kinematics(name, self.fitter, standard, recording.gender, people, rng)
        return self._dressed(subject, rng, skeleton)

    def _dressed(
        self, subject: Subject, rng: np.random.Generator, skeleton: Kinematics | None = None
    ) -> Person:
        look = self._wardrobe.restyled(sample_appearance(rng, subject.gender, subject.age), rng)
        return Person(subject, look, skeleton)

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


def _kept(cache: dict[str, Thing], key: str, make: Callable[[], Thing]) -> Thing:
    """`cache[key]`, made where it is missing; the oldest makes room."""
    if key not in cache:
        made = make()
        if len(cache) >= _PEOPLE_KEPT:
            del cache[next(iter(cache))]
        cache[key] = made
    return cache[key]


def _on_the_floor(recorded: Kinematics) -> Kinematics:
    """The motion on a level floor at y = 0 of ground, toes above it, where its feet tell where that is."""
    floor = find_floor(recorded)
    return recorded if floor is None else bend_toes(levelled(recorded, floor))


def _scenes(config: GenerateConfig, folder: Path) -> SceneConfig:
    """The ranges from which scenes are drawn; the cameras' file is looked for from the config's folder."""
    cameras = config.cameras
    if cameras.calibration is not None:
        path = str(folder / Path(cameras.calibration).expanduser())
        cameras = cameras.model_copy(update={"calibration": path})
    size = (config.video.width, config.video.height)
    return SceneConfig(picture_size=size, camera=cameras, room=config.room, light=config.light)


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
