"""Adults to learn the shape space from: MakeHuman phenotypes, and what people with them measure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import gaussian_kde, norm

from odah.body.mesh import enclosed_volume
from odah.body.shape.measures import BODY_DENSITY

_HEIGHT = {0: (1.76, 0.075), 1: (1.63, 0.07)}
"""Mean and spread of adults' heights, m: men, women (rounded from NHANES 2015-2018)."""

_LOG_BMI = (float(np.log(24.5)), 0.16)
"""Log-normal body mass index: 1st to 99th percentile 16.9 to 35.5 kg/m^2."""


def sample_phenotypes(rng: np.random.Generator, size: int) -> dict[str, np.ndarray]:
    """Values in 0..1 of MakeHuman's eleven macro parameters, wider spread than real populations.

    `gender` is 0 male, 1 female. `age`: MakeHuman puts 25 years at 0.5 on its own scale and `anny`
    young adult at 2/3, old at 1.
    """
    is_female = rng.random(size) < 0.5
    ancestry = rng.dirichlet([0.6, 0.6, 0.6], size)

    def around(mean: float, spread: float) -> np.ndarray:
        return np.clip(rng.normal(mean, spread, size), 0, 1)

    return {
        "gender": np.where(
            is_female, 1 - np.abs(rng.normal(0, 0.12, size)), np.abs(rng.normal(0, 0.12, size))
        ),
        "age": rng.uniform(0.66, 0.95, size),
        "muscle": around(0.5, 0.22),
        "weight": rng.uniform(0.1, 1.0, size),
        "height": np.clip(rng.normal(np.where(is_female, 0.372, 0.365), 0.08), 0, 1),
        "proportions": around(0.5, 0.2),
        "cupsize": around(0.5, 0.2),
        "firmness": around(0.5, 0.2),
        "african": ancestry[:, 0],
        "asian": ancestry[:, 1],
        "caucasian": ancestry[:, 2],
    }


@dataclass(frozen=True)
class Measures:
    """height: T-pose sole to crown, m. bmi: kg/m^2, mass from the volume."""

    height: np.ndarray
    bmi: np.ndarray


def measure(vertices: np.ndarray, faces: np.ndarray) -> Measures:
    """Height and body mass index of T-pose meshes (P, N, 3), Y-up, m."""
    height = np.ptp(vertices[..., 1], axis=-1)
    mass = BODY_DENSITY * np.array([enclosed_volume(v, faces) for v in vertices])
    return Measures(height, mass / height**2)


def accept_as_population(rng: np.random.Generator, is_female: np.ndarray, measures: Measures) -> np.ndarray:
    """Indices that survive rejection sampling towards real adults' heights and BMI, as many of each sex."""
    accepted = []
    for sex in (0, 1):
        members = np.flatnonzero(is_female == bool(sex))
        points = np.stack([measures.height[members], np.log(measures.bmi[members])])
        wanted = norm.pdf(points[0], *_HEIGHT[sex]) * norm.pdf(points[1], *_LOG_BMI)
        ratio = wanted / gaussian_kde(points)(points)
        # Rare shapes would otherwise set the scale and few samples would be kept.
        accepted.append(members[rng.random(len(members)) < ratio / np.quantile(ratio, 0.98)])
    each = min(map(len, accepted))
    return np.sort(np.concatenate([rng.choice(members, each, replace=False) for members in accepted]))
