"""A subject: one person's scaled model and body, the same in all of their clips."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from odah.body.fitting.body_fitter import BodyFitter, FittedSubject
from odah.body.model import BodyModel
from odah.body.shape.from_model import subject_of_model
from odah.body.shape.people import betas_of_person
from odah.body.shape.population import TYPICAL_AGE, Person, sample_age, sample_person
from odah.body.shape.subject_scaling import scale_to_body
from odah.clothing import Appearance
from odah.config import SubjectsConfig
from odah.files import atomic_folder
from odah.motion.types import Gender, Motion
from odah.names import SMPLX_INDEX
from odah.osim import Model, write_model
from odah.osim.kinematics import Kinematics

_ABOUT = "person.json"


@dataclass(frozen=True)
class Subject:
    """gender, age (years), and body: its betas and where it wears the registration's markers. model: scaled;
    scale_factors (K, 3) of it against the generic one."""

    name: str
    gender: Gender
    age: float
    body: FittedSubject
    model: Model
    scale_factors: np.ndarray

    @property
    def betas(self) -> np.ndarray:
        """(B,) of the fitter's body."""
        return self.body.betas


def leg_length(body: BodyModel, betas: np.ndarray) -> float:
    """Hip to knee to ankle of the body, m."""
    joints = body.posed_joints(torch.as_tensor(betas, dtype=body.dtype))[0].double().numpy()
    hip, knee, ankle = (joints[SMPLX_INDEX[f"left_{name}"]] for name in ("hip", "knee", "ankle"))
    return float(np.linalg.norm(hip - knee) + np.linalg.norm(knee - ankle))


def stature_for_legs(body: BodyModel, gender: Gender, bmi: float, wanted: float) -> float:
    """The height (m) at which the open body's legs are `wanted` m long: their length is linear in it."""
    low, high = 1.55, 1.90
    short, long = (leg_length(body, body.betas_from_attributes(h, bmi, gender)) for h in (low, high))
    return float(np.clip(low + (wanted - short) / (long - short) * (high - low), 1.45, 2.05))


def synthetic_subject(
    name: str, fitter: BodyFitter, config: SubjectsConfig, rng: np.random.Generator
) -> Subject:
    """A person drawn at random: the body comes first, the model is scaled to it."""
    person = _person(rng, config)
    return subject_of_body(name, fitter, person.gender, betas_of_person(fitter.body, person, rng), person.age)


def _person(rng: np.random.Generator, config: SubjectsConfig, gender: Gender | None = None) -> Person:
    return sample_person(rng, gender, config.height, config.bmi, config.age, config.female_share)


def subject_of_motion(
    name: str,
    fitter: BodyFitter,
    motion: Motion,
    gender: Gender | None,
    config: SubjectsConfig,
    rng: np.random.Generator,
) -> Subject:
    """A person for a body motion, as tall as its legs say; a licensed body keeps the file's betas.

    One whose leg length is known has the typical body of that stature, on which it was measured.
    """
    chosen = gender or (motion.gender if motion.gender != "neutral" else None)
    person = _person(rng, config, chosen)
    body = fitter.body
    if (own := betas_in_file(motion, body)) is not None:
        return subject_of_body(name, fitter, person.gender, own, person.age)
    varied: np.random.Generator | None = rng
    if body.is_open and motion.leg_length is not None:
        stature = stature_for_legs(body, person.gender, person.bmi, motion.leg_length)
        person, varied = replace(person, height=stature), None
    betas = betas_of_person(body, person, varied)
    return subject_of_body(name, fitter, person.gender, betas, person.age)


def betas_in_file(motion: Motion, body: BodyModel) -> np.ndarray | None:
    """The file's betas (B,) for a licensed body with bone lengths; None for the open body, on which they mean
    nothing, and for SMPL-H's, which mean another shape on SMPL-X."""
    is_smplx = motion.surface_model.startswith("smplx") and not body.is_open
    if motion.betas is None or not is_smplx or len(motion.betas) < body.num_shape_betas:
        return None
    betas = np.zeros(body.num_betas)
    betas[: body.num_shape_betas] = motion.betas[: body.num_shape_betas]
    return betas


def subject_of_kinematics(
    name: str,
    fitter: BodyFitter,
    solved: Kinematics,
    gender: Gender | None,
    config: SubjectsConfig,
    rng: np.random.Generator,
) -> Subject:
    """A person for a solved skeleton: the model comes first, the body is fitted to it."""
    chosen: Gender = gender or ("male" if rng.random() < 0.5 else "female")
    fitted = fitter.fit_subject(solved, chosen)
    return Subject(name, chosen, sample_age(rng, config.age), fitted, solved.model, solved.scale_factors)


def subject_of_body(
    name: str, fitter: BodyFitter, gender: Gender, betas: np.ndarray, age: float = TYPICAL_AGE
) -> Subject:
    """A person of known betas (B,): the model is scaled to the body, then its markers placed on it."""
    model, scale_factors = scale_to_body(fitter, betas, name)
    fitted = subject_of_model(fitter, model, gender, betas=betas)
    return Subject(name, gender, age, fitted, model, scale_factors)


def write_subject(
    subject: Subject, appearance: Appearance, body_kind: str, folder: Path, inputs: str = ""
) -> None:
    """`model.osim`, `body.npz`, `appearance.json` and `person.json`, whole or not at all.

    inputs: digest of what the person is made from; a folder that was made from the same stays.
    """
    if (folder / "model.osim").is_file() and _written_inputs(folder) == inputs:
        return
    with atomic_folder(folder) as temporary:
        write_model(subject.model, temporary / "model.osim")
        np.savez_compressed(
            temporary / "body.npz",
            betas=subject.betas,
            body=np.array(body_kind),
            gender=np.array(subject.gender),
            age=np.array(subject.age),
        )
        (temporary / "appearance.json").write_text(json.dumps(appearance.to_json(), indent=1) + "\n")
        (temporary / _ABOUT).write_text(
            json.dumps({"person": folder.name, "inputs": inputs}, indent=1) + "\n"
        )


def _written_inputs(folder: Path) -> str | None:
    try:
        return json.loads((folder / _ABOUT).read_text())["inputs"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
