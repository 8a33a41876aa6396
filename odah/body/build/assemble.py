"""The whole open body, from the base mesh to the arrays of its file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from odah.body.build.correctives import fit_posedirs, sample_correctives
from odah.body.build.fine_rig import FineRig
from odah.body.build.makehuman import MakeHuman, load_makehuman
from odah.body.build.regions import vertex_groups
from odah.body.build.rerest import relaxed_hands, to_t_pose
from odah.body.build.shape_space import fit_shape_space, fit_statistics, sample_population
from odah.body.build.vertex_order import find_landmarks, landmark_order, mirror_indices
from odah.body.files import pack_groups, pack_posedirs

NUM_BETAS = 16

_MIDDLE_ADULT = {"gender": 0.5, "age": 0.75, "weight": 0.55, "height": 0.37}

_RIGGED_ADULTS = (
    _MIDDLE_ADULT,
    {"gender": 0.05, "age": 0.75, "weight": 0.6, "muscle": 0.6, "height": 0.37},
    {"gender": 0.95, "age": 0.75, "weight": 0.5, "muscle": 0.4, "height": 0.37},
    {"gender": 0.1, "age": 0.8, "weight": 0.85, "muscle": 0.6, "height": 0.4},
    {"gender": 0.9, "age": 0.7, "weight": 0.8, "muscle": 0.4, "height": 0.35},
)
"""Whose fine rigs the pose correctives are averaged over: they are one set for all shapes."""


def _one(phenotypes: dict[str, float]) -> dict[str, np.ndarray]:
    return {name: np.array([value]) for name, value in phenotypes.items()}


def _rig(source: MakeHuman, phenotypes: dict[str, float]) -> FineRig:
    vertices, joints = source.rest(_one(phenotypes))
    return FineRig.of(source, vertices[0], joints[0])


def load_ordered_makehuman(cache_folder: Path) -> tuple[MakeHuman, np.ndarray]:
    """The base mesh with its landmarks at SMPL-X's vertex numbers, and each vertex's mirror partner (N,)."""
    source = load_makehuman(cache_folder)
    vertices, joints = to_t_pose(*source.rest(_one(_MIDDLE_ADULT)), source.joint_weights)
    landmarks = find_landmarks(vertices[0], joints[0], source.joint_weights)
    source = source.reordered(landmark_order(source.num_vertices, landmarks))
    vertices, _ = to_t_pose(*source.rest(_one(_MIDDLE_ADULT)), source.joint_weights)
    return source, mirror_indices(vertices[0])


def build_open_body(
    cache_folder: Path, pool: int, num_poses: int, seed: int, report: Callable[[str], None]
) -> dict[str, np.ndarray]:
    """All arrays of `open_body.npz`; `report` is told each step's outcome."""
    rng = np.random.default_rng(seed)
    source, mirror = load_ordered_makehuman(cache_folder)
    report(f"base mesh: {source.num_vertices} vertices, {len(source.faces)} faces")
    population = sample_population(source, rng, pool)
    space = fit_shape_space(population, mirror, NUM_BETAS)
    betas = space.betas_of(population.vertices)
    statistics = fit_statistics(population, betas)
    report(f"shape space: {NUM_BETAS} betas from {len(population)} adults")
    samples = sample_correctives([_rig(source, adult) for adult in _RIGGED_ADULTS], rng, num_poses)
    posedirs = fit_posedirs(samples, source.joint_weights)
    report(f"pose correctives: from {len(samples.features)} poses")
    groups = vertex_groups(source, space.v_template, space.joint_template)
    return {
        "v_template": space.v_template.astype(np.float32),
        "shapedirs": space.shapedirs.astype(np.float32),
        "joint_template": space.joint_template.astype(np.float32),
        "joint_shapedirs": space.joint_shapedirs.astype(np.float32),
        "lbs_weights": source.joint_weights.astype(np.float32),
        **pack_posedirs(posedirs),
        "faces": source.faces.astype(np.int32),
        "uv": source.uv.astype(np.float32),
        "uv_faces": source.uv_faces.astype(np.int32),
        **pack_groups(groups, source.num_vertices),
        "mirror": mirror.astype(np.int32),
        "hand_mean": relaxed_hands(source.rest(_one(_MIDDLE_ADULT))[1][0]),
        "beta_means": statistics.means,
        "beta_covariances": statistics.covariances,
        "attribute_map": statistics.attribute_map,
    }
