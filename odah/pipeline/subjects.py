"""A subject: one person's scaled model, body and clothes, the same in all of their clips."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from odah.body.fitting.body_fitter import BodyFitter
from odah.body.model import BodyModel
from odah.body.shape.subject_scaling import scale_to_body
from odah.clothing import Appearance, Outfit, dress, sample_appearance
from odah.config import SubjectsConfig
from odah.files import atomic_folder
from odah.motion.types import Gender, Motion
from odah.names import SMPLX_INDEX
from odah.osim import Model, write_model
from odah.osim.kinematics import Kinematics

_KG_PER_M2_SPREAD = 3.5
"""Standard deviation of the sampled body mass index within its range."""
_MEAN_STATURE = {"male": 1.757, "female": 1.623, "neutral": 1.69}
"""m; adults of the USA 2015-2018 (Fryar et al. 2021, NCHS Vital and Health Statistics 3(46))."""
_STATURE_SPREAD = 0.072


@dataclass(frozen=True)
class Subject:
    """betas: (B,) of the fitter's body. model: scaled; scale_factors (K, 3) of it against the generic one."""

    name: str
    gender: Gender
    betas: np.ndarray
    model: Model
    scale_factors: np.ndarray
    appearance: Appearance
    outfit: Outfit


def sample_person(rng: np.random.Generator, config: SubjectsConfig) -> tuple[Gender, float, float]:
    """A random adult: sex, height (m) and body mass index (kg/m^2), within the configured ranges."""
    gender: Gender = "male" if rng.random() < 0.5 else "female"
    height = float(np.clip(rng.normal(_MEAN_STATURE[gender], _STATURE_SPREAD), *config.height))
    bmi = float(np.clip(rng.normal(np.mean(config.bmi), _KG_PER_M2_SPREAD), *config.bmi))
    return gender, height, bmi


def betas_of_person(
    fitter: BodyFitter, gender: Gender, height: float, bmi: float, rng: np.random.Generator
) -> np.ndarray:
    """Betas (B,) of `fitter.body`; a licensed body, whose betas have no known meaning, is sampled instead."""
    body = fitter.unstretched
    betas = body.betas_from_attributes(height, bmi, gender) if body.is_open else 0.7 * body.sample_betas(rng)
    return np.concatenate([betas, np.zeros(fitter.body.num_betas - len(betas))])


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
    gender, height, bmi = sample_person(rng, config)
    return _subject_of_body(name, fitter, gender, betas_of_person(fitter, gender, height, bmi, rng), rng)


def subject_of_motion(
    name: str,
    fitter: BodyFitter,
    motion: Motion,
    gender: Gender | None,
    config: SubjectsConfig,
    rng: np.random.Generator,
) -> Subject:
    """A person for a body motion, as tall as its legs say; a licensed body keeps the file's betas."""
    drawn, height, bmi = sample_person(rng, config)
    chosen = gender or (motion.gender if motion.gender != "neutral" else drawn)
    body = fitter.unstretched
    if not body.is_open and motion.betas is not None and len(motion.betas) >= body.num_betas:
        betas = np.concatenate(
            [motion.betas[: body.num_betas], np.zeros(fitter.body.num_betas - body.num_betas)]
        )
        return _subject_of_body(name, fitter, chosen, betas, rng)
    if body.is_open and motion.leg_length is not None:
        height = stature_for_legs(body, chosen, bmi, motion.leg_length)
    return _subject_of_body(name, fitter, chosen, betas_of_person(fitter, chosen, height, bmi, rng), rng)


def subject_of_kinematics(
    name: str, fitter: BodyFitter, solved: Kinematics, gender: Gender | None, rng: np.random.Generator
) -> Subject:
    """A person for a solved skeleton: the model comes first, the body is fitted to it."""
    chosen: Gender = gender or ("male" if rng.random() < 0.5 else "female")
    betas = fitter.fit_shape(solved, chosen)
    return _dressed(name, fitter, chosen, betas, solved.model, solved.scale_factors, rng)


def _subject_of_body(
    name: str, fitter: BodyFitter, gender: Gender, betas: np.ndarray, rng: np.random.Generator
) -> Subject:
    model, scale_factors = scale_to_body(fitter, betas, name)
    return _dressed(name, fitter, gender, betas, model, scale_factors, rng)


def _dressed(
    name: str, fitter: BodyFitter, gender: Gender, betas: np.ndarray, model: Model, scale_factors: np.ndarray,
    rng: np.random.Generator,
) -> Subject:  # fmt: skip
    appearance = sample_appearance(rng, gender)
    return Subject(
        name, gender, betas, model, scale_factors, appearance, dress(fitter.body, betas, appearance)
    )


def write_subject(subject: Subject, body_kind: str, folder: Path) -> None:
    """`model.osim`, `body.npz` and `appearance.json`, whole or not at all."""
    if (folder / "model.osim").is_file():
        return
    with atomic_folder(folder) as temporary:
        write_model(subject.model, temporary / "model.osim")
        np.savez_compressed(
            temporary / "body.npz",
            betas=subject.betas,
            body=np.array(body_kind),
            gender=np.array(subject.gender),
        )
        (temporary / "appearance.json").write_text(json.dumps(subject.appearance.to_json(), indent=1) + "\n")
