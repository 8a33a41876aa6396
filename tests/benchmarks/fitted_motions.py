"""Real recordings carried to people of known bodies, as a dataset does it; kept in a file between runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from odah.body import BodyFitter, load_body, load_registration
from odah.body.model import BodyModel
from odah.body.smplx_export import write_smplx_npz
from odah.motion import load_motion
from odah.motion.types import Gender, Motion
from odah.pipeline.arm_clearance import clear_arms
from odah.pipeline.kinematics import clip_part, motion_kinematics
from odah.pipeline.subjects import Subject, subject_of_body

DATA = Path(__file__).parents[2].parent / "shared/data/cmu_mocap"
MOTIONS = (
    *("asfamc/02_01.amc", "asfamc/02_04.amc", "asfamc/02_06.amc", "asfamc/02_10.amc", "asfamc/09_06.amc"),
    *("asfamc/11_01.amc", "bvh_cgspeed/10_05.bvh", "bvh_cgspeed/131_01.bvh", "bvh_cgspeed/131_03.bvh"),
    *("bvh_cgspeed/12_01.bvh", "bvh_cgspeed/60_10.bvh", "bvh_from_expmap/washwindow_1.bvh"),
    *("bvh_from_fbx/13_13.bvh", "bvh_from_fbx/13_33.bvh", "bvh_from_fbx/14_08.bvh", "bvh_from_fbx/16_03.bvh"),
    *("bvh_from_fbx/49_02.bvh", "bvh_from_fbx/55_01.bvh", "bvh_from_fbx/69_73.bvh", "bvh_from_fbx/69_75.bvh"),
)
PEOPLE: dict[str, tuple[float, float, Gender]] = {
    "woman 1.52 m, BMI 17": (1.52, 17.5, "female"),
    "man 1.78 m, BMI 24": (1.78, 24.0, "male"),
    "man 1.96 m, BMI 32": (1.96, 32.0, "male"),
    "woman 1.66 m, BMI 39": (1.66, 39.0, "female"),
    "woman 1.70 m, BMI 25, SMPL-X file": (1.70, 25.0, "female"),
}
"""Height, m, BMI and gender."""
_RATE, _LONGEST = 15.0, 8.0
"""Hz and s; longer recordings are followed in their middle."""


@dataclass(frozen=True)
class Person:
    """betas: (B,) of `fitter.body`, the body that a dataset dresses."""

    name: str
    fitter: BodyFitter
    betas: np.ndarray
    gender: Gender

    @property
    def body(self) -> BodyModel:
        return self.fitter.body


@dataclass(frozen=True)
class FittedMotion:
    """poses (T, 55, 3) rad, transl (T, 3) m, of one person in one recording."""

    name: str
    poses: np.ndarray
    transl: np.ndarray


def people(count: int) -> Iterator[Person]:
    """The first `count` people, on the open body and on one read from a file like SMPL-X's."""
    open_body = load_body()
    with TemporaryDirectory() as folder:
        write_smplx_npz(open_body, Path(folder) / "SMPLX_NEUTRAL.npz")
        from_file = load_body(Path(folder) / "SMPLX_NEUTRAL.npz")
    fitters = [BodyFitter(body, load_registration()) for body in (open_body, from_file)]
    for name, (height, bmi, gender) in list(PEOPLE.items())[:count]:
        shape = open_body.betas_from_attributes(height, bmi, gender)
        fitter = fitters["file" in name]
        betas = np.zeros(fitter.body.num_betas)
        betas[: len(shape)] = shape
        yield Person(name, fitter, betas, gender)


def fitted_motions(person: Person, recordings: Sequence[str], cache: Path | None) -> list[FittedMotion]:
    """The recordings, through the skeleton and back: inverse kinematics, arms made clear, body fit.

    Of the pipeline only the floor is left out, of which clothes know nothing. cache: a folder, to be deleted
    after a change to motions, bodies or the fit.
    """
    subject: Subject | None = None
    fitted = []
    for recording in recordings:
        key = hashlib.sha1(f"{person.name} {recording}".encode()).hexdigest()[:16]
        file = None if cache is None else cache / f"{key}.npz"
        if file is None or not file.is_file():
            subject = subject or subject_of_body("person", person.fitter, person.gender, person.betas)
            motion = _carried(recording, person, subject)
            if file is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
                np.savez(file, poses=motion.poses, transl=motion.transl)
        else:
            with np.load(file) as arrays:
                motion = FittedMotion(Path(recording).name, arrays["poses"], arrays["transl"])
        fitted.append(motion)
    return fitted


def _carried(recording: str, person: Person, subject: Subject) -> FittedMotion:
    recorded = load_motion(DATA / recording)
    assert isinstance(recorded, Motion)
    start = max(0.0, (recorded.num_frames / recorded.rate - _LONGEST) / 2)
    part = clip_part(recorded, _RATE, start, _LONGEST)
    solved = motion_kinematics(part, person.fitter, subject)
    solved = clear_arms(solved, person.fitter, person.betas, part.poses)
    fit = person.fitter.fit_pose(solved, subject.body, part.poses)
    return FittedMotion(Path(recording).name, fit.poses, fit.transl)
