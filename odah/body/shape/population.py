"""Adults as they are: height and body mass index by sex, with sources, and age."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from odah.body.shape.statistics import check_gender
from odah.errors import InputError
from odah.motion.types import Gender

_MAX_DRAWS = 10_000


@dataclass(frozen=True)
class AdultStatistics:
    """Heights are normal, m; body mass indices log-normal about their median, kg/m^2."""

    mean_height: float
    height_spread: float
    median_bmi: float
    log_bmi_spread: float


ADULTS = {
    "male": AdultStatistics(1.753, 0.075, 28.6, 0.20),
    "female": AdultStatistics(1.613, 0.070, 28.4, 0.25),
}
"""Adults of the USA 2015-2018 (Fryar et al. 2021, NCHS Vital and Health Statistics 3(46)): mean height;
the spreads and the medians of the body mass index are approximate."""
TYPICAL_HEIGHT = {sex: adults.mean_height for sex, adults in ADULTS.items()}
TYPICAL_HEIGHT["neutral"] = sum(TYPICAL_HEIGHT.values()) / 2
"""m, of someone whose height is not known."""
TYPICAL_BMI = 24.3
"""kg/m^2, of someone whose mass is not known: the mean of the world's adults in 2014 (NCD Risk Factor
Collaboration 2016, Lancet 387). People of the USA are heavier, those who are recorded seldom are."""


TYPICAL_AGE = 35.0
"""Years, of someone whose age is not known."""


@dataclass(frozen=True)
class Person:
    """height: m. bmi: body mass index, kg/m^2. age: years."""

    gender: Gender
    height: float
    bmi: float
    age: float = TYPICAL_AGE

    @property
    def mass(self) -> float:
        """kg"""
        return self.bmi * self.height**2


def sample_person(
    rng: np.random.Generator,
    gender: Gender | None = None,
    height: tuple[float, float] = (1.45, 2.00),
    bmi: tuple[float, float] = (17.0, 36.0),
    age: tuple[float, float] = (18.0, 75.0),
    female_share: float = 0.5,
) -> Person:
    """A random adult: `ADULTS` cut off at the ranges of height (m) and body mass index (kg/m^2); age even
    over its range (years), so that old people are not rare.

    A neutral one is as tall and heavy as someone of either sex; None draws male or female.

    Raises:
        InputError: an unknown gender, or ranges that hold next to no adult.
    """
    either: Gender = "male" if rng.random() < 1 - female_share else "female"
    gender = gender or either
    check_gender(gender)
    adults = ADULTS[either if gender == "neutral" else gender]
    stature = _drawn_within(
        lambda: rng.normal(adults.mean_height, adults.height_spread), height, f"height of {gender} people, m"
    )
    index = _drawn_within(
        lambda: adults.median_bmi * np.exp(rng.normal(0, adults.log_bmi_spread)),
        bmi,
        f"body mass index of {gender} people, kg/m^2",
    )
    return Person(gender, stature, index, sample_age(rng, age))


def sample_age(rng: np.random.Generator, age: tuple[float, float]) -> float:
    """Years, even over the range; the state of `rng` stays as it is."""
    return round(float(_child(rng).uniform(*age)), 1)


def _child(rng: np.random.Generator) -> np.random.Generator:
    """A generator that follows from the state of `rng` and leaves it as it is: ages move no other draw."""
    return np.random.default_rng(copy.deepcopy(rng).integers(2**63, size=4))


def _drawn_within(draw: Callable[[], float], bounds: tuple[float, float], name: str) -> float:
    for _ in range(_MAX_DRAWS):
        value = float(draw())
        if bounds[0] <= value <= bounds[1]:
            return value
    raise InputError(name, f"the range {bounds[0]:g} to {bounds[1]:g}", "a range that adults fall in")
