"""Who an open body's betas describe: attributes a person can name, and plausible random adults.

The numbers (beta means, covariances, the attribute map) are fitted when the body is built and lie in
its file; see `odah.body.build.shape_space`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odah.errors import InputError

GENDERS = ("neutral", "female", "male")
"""Row order of the stored statistics."""

ATTRIBUTE_RANGES: dict[str, tuple[float, float]] = {
    "height": (1.40, 2.10),
    "bmi": (15.0, 42.0),
    "muscle": (0.0, 1.0),
    "age": (18.0, 90.0),
}
"""Values that may be asked for: m, kg/m^2, 0 slack to 1 trained, years."""

_FEMALENESS = {"male": 0.1, "neutral": 0.5, "female": 0.9}
"""Means of the population the attribute map is fitted to; 0 and 1 are MakeHuman's extremes."""


def attribute_features(
    height: np.ndarray, bmi: np.ndarray, femaleness: np.ndarray, muscle: np.ndarray, age: np.ndarray
) -> np.ndarray:
    """What betas are linear in, (P, 9): a constant, the attributes about their means, and the bends
    that body mass index and sex put into the relation."""
    h, b, f = (np.asarray(height) - 1.7) / 0.1, (np.asarray(bmi) - 24.5) / 4, np.asarray(femaleness) - 0.5
    m, a = np.asarray(muscle) - 0.5, (np.asarray(age) - 45) / 20
    return np.stack(np.broadcast_arrays(1.0, h, b, f, m, a, b * b, b * f, h * f), -1)


@dataclass(frozen=True)
class ShapeStatistics:
    """Per gender of `GENDERS`: betas' mean (3, B) and covariance (3, B, B); attributes -> betas (9, B)."""

    means: np.ndarray
    covariances: np.ndarray
    attribute_map: np.ndarray

    def sample_betas(self, rng: np.random.Generator, gender: str, size: int | None = None) -> np.ndarray:
        """Random adults of a gender: betas (B,), or (size, B). The neutral ones are of both sexes.

        Components beyond three standard deviations (Mahalanobis, per adult) are drawn again.
        """
        row = check_gender(gender)
        if gender == "neutral":
            rows = rng.choice([check_gender("female"), check_gender("male")], size or 1)
        else:
            rows = np.full(size or 1, row)
        betas = np.stack([self._draw(rng, r) for r in rows])
        return betas if size is not None else betas[0]

    def _draw(self, rng: np.random.Generator, row: int) -> np.ndarray:
        root = np.linalg.cholesky(self.covariances[row])
        standard = rng.standard_normal(len(root))
        while np.abs(standard).max() > 3:
            standard = rng.standard_normal(len(root))
        return self.means[row] + root @ standard

    def betas_from_attributes(
        self, height: float, bmi: float, gender: str = "neutral", muscle: float = 0.5, age: float = 35.0
    ) -> np.ndarray:
        """Betas (B,) of a typical adult of that height (m), body mass index, sex, muscle (0..1), age (years).

        A linear map, which meets heights to 2 mm and body mass indices of 18 to 34 kg/m^2 to 1.2;
        `odah.body.shape.people` meets both.

        Raises:
            InputError: a value outside `ATTRIBUTE_RANGES` or an unknown gender.
        """
        check_gender(gender)
        values = {"height": height, "bmi": bmi, "muscle": muscle, "age": age}
        for name, (low, high) in ATTRIBUTE_RANGES.items():
            if not low <= values[name] <= high:
                raise InputError(name, f"{values[name]:g}", f"{low:g} to {high:g}")
        features = attribute_features(
            np.asarray(height),
            np.asarray(bmi),
            np.asarray(_FEMALENESS[gender]),
            np.asarray(muscle),
            np.asarray(age),
        )
        return features @ self.attribute_map


def check_gender(gender: str) -> int:
    """The row of `gender` in the statistics.

    Raises:
        InputError: no such gender.
    """
    if gender not in GENDERS:
        raise InputError("gender", repr(gender), "one of " + ", ".join(GENDERS))
    return GENDERS.index(gender)
