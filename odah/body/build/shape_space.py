"""One linear shape space for all adults, and where men and women lie in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odah.body.build.makehuman import MakeHuman
from odah.body.build.phenotypes import Measures, accept_as_population, measure, sample_phenotypes
from odah.body.build.rerest import to_t_pose
from odah.body.shape.statistics import ShapeStatistics, attribute_features


@dataclass(frozen=True)
class Population:
    """P adults in the T-pose: vertices (P, N, 3) float32, joints (P, 55, 3), m; phenotype values (P,)."""

    vertices: np.ndarray
    joints: np.ndarray
    phenotypes: dict[str, np.ndarray]
    measures: Measures

    def __len__(self) -> int:
        return len(self.vertices)


def sample_population(source: MakeHuman, rng: np.random.Generator, pool: int, chunk: int = 500) -> Population:
    """Draw `pool` phenotypes and keep those that make heights and BMI distributed as in real adults."""
    phenotypes = sample_phenotypes(rng, pool)
    measured = [
        measure(source.rest({k: v[s : s + chunk] for k, v in phenotypes.items()})[0], source.faces)
        for s in range(0, pool, chunk)
    ]
    in_a_pose = Measures(*(np.concatenate([getattr(m, n) for m in measured]) for n in ("height", "bmi")))
    kept = accept_as_population(rng, phenotypes["gender"] > 0.5, in_a_pose)
    phenotypes = {k: v[kept] for k, v in phenotypes.items()}
    vertices, joints = to_t_pose(*source.rest(phenotypes), source.joint_weights)
    return Population(vertices, joints, phenotypes, measure(vertices, source.faces))


@dataclass(frozen=True)
class ShapeSpace:
    """vertices = v_template + shapedirs @ betas, joints likewise; betas have unit variance over adults."""

    v_template: np.ndarray
    shapedirs: np.ndarray
    joint_template: np.ndarray
    joint_shapedirs: np.ndarray

    def betas_of(self, vertices: np.ndarray) -> np.ndarray:
        """Least-squares betas (P, num_betas) of T-pose meshes (P, N, 3)."""
        basis = self.shapedirs.reshape(-1, self.shapedirs.shape[-1])
        difference = (vertices - self.v_template).reshape(len(vertices), -1)
        return np.linalg.lstsq(basis.T @ basis, (difference @ basis).T, rcond=None)[0].T


def fit_shape_space(population: Population, mirror: np.ndarray, num_betas: int) -> ShapeSpace:
    """Principal components of vertices and joints together; the mean is made left-right symmetric."""
    num_vertices = population.vertices.shape[1]
    points = np.concatenate([population.vertices, population.joints], 1, dtype=np.float64)
    mean = points.mean(0)
    centred = (points - mean).reshape(len(points), -1)
    values, vectors = np.linalg.eigh(centred @ centred.T)
    leading = np.argsort(values)[::-1][:num_betas]
    # Directions scaled by their standard deviation, so that betas have unit variance.
    directions = centred.T @ vectors[:, leading] / np.sqrt(len(points) - 1)
    directions = directions.reshape(-1, 3, num_betas)
    directions *= _signs(mean[:num_vertices], directions[:num_vertices])
    flip = np.array([-1.0, 1.0, 1.0])
    template = mean[:num_vertices]
    template = (template + template[mirror] * flip) / 2
    return ShapeSpace(template, directions[:num_vertices], mean[num_vertices:], directions[num_vertices:])


def _signs(template: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """+1 or -1 a direction, so that positive betas make taller (or else wider) bodies."""
    height = np.einsum("nk,n->k", directions[:, 1], np.sign(template[:, 1] - template[:, 1].mean()))
    return np.where(height < 0, -1.0, 1.0)


def fit_statistics(population: Population, betas: np.ndarray) -> ShapeStatistics:
    """Where the two sexes lie, and the linear map from attributes a person can name."""
    is_female = population.phenotypes["gender"] > 0.5
    members = (np.full(len(population), True), is_female, ~is_female)  # the order of statistics.GENDERS
    features = attribute_features(
        population.measures.height,
        population.measures.bmi,
        population.phenotypes["gender"],
        population.phenotypes["muscle"],
        age_years(population.phenotypes["age"]),
    )
    return ShapeStatistics(
        means=np.stack([betas[m].mean(0) for m in members]),
        covariances=np.stack([np.cov(betas[m].T) for m in members]),
        attribute_map=np.linalg.lstsq(features, betas, rcond=None)[0],
    )


def age_years(age: np.ndarray) -> np.ndarray:
    """MakeHuman's age parameter in years: 2/3 is its 25-year-old target, 1 its 90-year-old one."""
    return 25 + (np.asarray(age) - 2 / 3) * 3 * 65
