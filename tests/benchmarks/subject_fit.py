"""The joint fit of scale factors, marker places and poses against the other ways to scale a model.

    OMP_NUM_THREADS=1 python tests/benchmarks/subject_fit.py

First drawn people, whose joints are known; then recordings in ../shared/data: each
way sees some frames, and the markers of others tell how well its model fits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from odah.motion.load import load_motion
from odah.motion.trc import read_trc
from odah.motion.types import MarkerTrajectories, Source
from odah.osim import ForwardKinematics, Model, full_body_model, read_model, scale_model, setup_files
from odah.osim.ik import inverse_kinematics
from odah.osim.markersets import choose_marker_set
from odah.osim.scaling.marker_set_file import MarkedModel
from odah.osim.scaling.scale_by_setup import scale_by_setup
from odah.osim.scaling.subject_fit import fit_subject
from odah.osim.scaling.subject_priors import (
    LANDMARK,
    SOFT,
    SubjectPriors,
    marker_deviations,
    priors_of_marker_set,
    scale_effects,
)
from odah.osim.scaling.subject_problem import moved_markers
from odah.osim.scaling.subject_size import size_by_distances

DATA = Path(__file__).parents[2].parent / "shared/data"
OPENSIM = DATA / "opensim_models"
C3DS = (
    "hdm05/HDM_dg_06-03_03_120.c3d",
    "cmu_mocap/c3d/85_02.c3d",
    "cmu_mocap/c3d/basketball_dribble_shoot.c3d",
)
BONES = {
    "hips": ("hip_r", "hip_l"),
    "femur": ("hip_r", "knee"),
    "tibia": ("knee", "ankle_r"),
    "humerus": ("acromial_r", "elbow_r"),
    "ulna": ("elbow_r", "radius_hand_r"),
}

Trials = Sequence[MarkerTrajectories]


@dataclass(frozen=True)
class Subject:
    """What the ways to scale are given, and what they are judged by."""

    name: str
    generic: Model
    weights: Mapping[str, float]
    priors: SubjectPriors
    seen: Trials
    held_out: Trials


def jointly(subject: Subject) -> Model:
    fit = fit_subject(subject.generic, subject.seen, subject.weights, subject.priors)
    print(f"    {fit.num_frames} frames, rms {1e3 * fit.rms_before:.1f} -> {1e3 * fit.rms_after:.1f} mm")
    return fit.model


def marker_rms(model: Model, trials: Trials, weights: Mapping[str, float]) -> float:
    """mm, unweighted, over all markers and frames."""
    squares = []
    for trial in trials:
        shared = [n for n in trial.names if n in model.marker_names and weights.get(n, 0.0) > 0]
        solution = inverse_kinematics(model, trial, weights)
        placed = ForwardKinematics(model)(torch.from_numpy(solution.coordinates)).markers.numpy()
        found = placed[:, [model.marker_names.index(n) for n in shared]]
        measured = trial.in_ground().positions[:, [trial.names.index(n) for n in shared]]
        squares.append(((found - measured) ** 2).sum(axis=-1).ravel())
    return 1e3 * float(np.sqrt(np.nanmean(np.concatenate(squares))))


def bone_lengths(model: Model) -> dict[str, float]:
    """mm, between joints at the defaults."""
    joints = ForwardKinematics(model)(torch.from_numpy(model.default_coordinates)).joints.numpy()
    place = dict(zip(model.joint_names, joints, strict=True))
    place["knee"] = place["walker_knee_r" if "walker_knee_r" in place else "knee_r"]
    ends = {bone: joints for bone, joints in BONES.items() if place.keys() >= set(joints)}
    return {bone: 1e3 * float(np.linalg.norm(place[a] - place[b])) for bone, (a, b) in ends.items()}


def listed(lengths: Mapping[str, float]) -> str:
    return ", ".join(f"{bone} {length:.0f}" for bone, length in lengths.items())


def report(subject: Subject, ways: Mapping[str, Callable[[], Model]]) -> None:
    print(f"{subject.name}: {sum(t.num_frames for t in subject.seen)} frames seen, generic model", end=" ")
    print(listed(bone_lengths(subject.generic)))
    for name, way in ways.items():
        start = time.perf_counter()
        model = way()
        taken = time.perf_counter() - start
        seen, held_out = (marker_rms(model, t, subject.weights) for t in (subject.seen, subject.held_out))
        moved = marker_shifts(subject.generic, model)
        print(
            f"  {name:14s} {taken:5.1f} s  markers seen {seen:5.1f} mm, held out {held_out:5.1f} mm, "
            f"moved {np.median(moved):3.0f} (most {moved.max():3.0f}) mm; {listed(bone_lengths(model))}"
        )


def marker_shifts(generic: Model, model: Model) -> np.ndarray:
    """mm; how far markers are from where the generic model has them, in its size."""
    own = {marker.name: marker.offset for marker in generic.markers}
    return 1e3 * np.array(
        [
            np.linalg.norm(m.offset - own[m.name])
            for m in model.markers
            if m.name in own and m.body != "ground"
        ]
    )


def part(trial: MarkerTrajectories, first: float, last: float) -> MarkerTrajectories:
    frames = slice(int(first * trial.num_frames), int(last * trial.num_frames))
    return replace(trial, positions=trial.positions[frames])


def drawn_person(generic: Model, priors: SubjectPriors, seed: int) -> tuple[Model, np.ndarray]:
    """A model with the scale factors and marker places of the priors, and coordinates of 100 frames."""
    random = np.random.default_rng(seed)
    effects = scale_effects(generic, replace(priors, size=0.1))
    factors = np.exp(effects @ random.normal(size=effects.shape[-1]))
    offsets = random.normal(size=(len(generic.markers), 3)) * marker_deviations(generic, priors)
    low, high = generic.coordinate_ranges.T
    middle, spread = np.clip((low + high) / 2, -2, 2), np.clip(0.25 * (high - low), 0, 0.6)
    coordinates = middle + spread * random.uniform(-1, 1, (100, len(low)))
    return moved_markers(scale_model(generic, factors), offsets), coordinates


def drawn_people(noise: float, variety: float = 1.0, count: int = 3) -> None:
    """How far joints of full-body people are found from where they are.

    variety: of their proportions, against the priors that the fit takes.
    """
    generic = full_body_model()
    marker_set = choose_marker_set(generic.marker_names, generic)
    priors = priors_of_marker_set(marker_set)
    generic = generic.with_markers(tuple(marker_set.places(generic).values()))
    errors: dict[str, list[list[float]]] = {}
    for seed in range(count):
        drawn = replace(priors, segment=variety * priors.segment, axis=variety * priors.axis)
        person, coordinates = drawn_person(generic, drawn, seed)
        fk = ForwardKinematics(person)
        pose = fk(fk.couple(torch.from_numpy(coordinates)))
        positions = pose.markers.numpy()
        positions = positions + np.random.default_rng(seed).normal(0, noise, positions.shape)
        trial = MarkerTrajectories(person.marker_names, positions, 100.0, "ground", Source("drawn", ""))
        size = np.full((len(generic.bodies), 3), size_by_distances(generic, trial.positions))
        ways = {
            "size alone": scale_model(generic, size),
            "fit_subject": fit_subject(generic, [trial], marker_set.weights, priors).model,
        }
        for name, model in ways.items():
            solution = inverse_kinematics(model, trial, marker_set.weights)
            joints = ForwardKinematics(model)(torch.from_numpy(solution.coordinates)).joints
            apart = torch.linalg.vector_norm(joints - pose.joints, dim=-1)[:, 1:]
            found, true = (np.array(list(bone_lengths(each).values())) for each in (model, person))
            bones = float(np.sqrt(np.mean((found - true) ** 2)))
            errors.setdefault(name, []).append([bones, 1e3 * float(apart.square().mean().sqrt())])
    print(f"{count} people, proportions {variety:g} x the priors' variety, marker noise {1e3 * noise:g} mm")
    for name, rows in errors.items():
        bones, joints = np.mean(rows, axis=0)
        print(f"  {name:14s} errors of bones {bones:5.1f} mm, of joints {joints:5.1f} mm")


def rajagopal() -> None:
    folder = OPENSIM / "Pipelines/Rajagopal"
    model_path = OPENSIM / "Models/Rajagopal/Rajagopal2016.osim"
    marked = MarkedModel(read_model(model_path).with_markers(()))
    marked = marked.with_marker_set(folder / "Scale/markerset_walk_preScale.xml")
    sigmas = {n: np.full(3, LANDMARK if n in marked.fixed else SOFT) for n in marked.model.marker_names}
    still = [read_trc(folder / f"ExpData/static_walk_{k}.trc") for k in (1, 2)]
    walk = read_trc(folder / "ExpData/motion_capture_walk.trc")
    own = setup_files.ik_weights(folder / "IK/ik_setup_walk.xml")
    weights = {n: own.get(n, 1.0) for n in marked.model.marker_names if n in walk.names}
    setup = folder / "Scale/scale_setup_walk.xml"
    by_opensim = scale_by_setup(setup, model=model_path).marked.model
    for name, seen, held_out in (
        ("standing, then walking", still, [walk]),
        ("standing and half of walking, then the rest", [*still, part(walk, 0, 0.5)], [part(walk, 0.5, 1)]),
    ):
        priors = SubjectPriors(markers=sigmas)
        subject = Subject(f"Rajagopal, {name}", marked.model, weights, priors, seen, held_out)
        report(subject, {"scale set-up": lambda: by_opensim, "fit_subject": lambda s=subject: jointly(s)})


def gait2354() -> None:
    folder = OPENSIM / "Pipelines/Gait2354_Simbody"
    model_path = OPENSIM / "Models/Gait2354_Simbody/gait2354_simbody.osim"
    marked = MarkedModel(read_model(model_path)).with_marker_set(folder / "gait2354_Scale_MarkerSet.xml")
    still, walk = (read_trc(folder / f"subject01_{name}.trc") for name in ("static", "walk1"))
    own = setup_files.ik_weights(folder / "subject01_Setup_IK.xml")
    only_still = {n: 5.0 for n in still.names if ".Knee." in n or ".Ankle." in n}
    weights = {n: w for n, w in (own | only_still).items() if n in marked.model.marker_names}
    by_opensim = scale_by_setup(folder / "subject01_Setup_Scale.xml", model=model_path).marked.model
    for name, seen, held_out in (
        ("standing, then walking", [still], [walk]),
        ("standing and half of walking, then the rest", [still, part(walk, 0, 0.5)], [part(walk, 0.5, 1)]),
    ):
        subject = Subject(f"Gait2354, {name}", marked.model, weights, SubjectPriors(), seen, held_out)
        report(subject, {"scale set-up": lambda: by_opensim, "fit_subject": lambda s=subject: jointly(s)})


def c3d_files() -> None:
    for file in C3DS:
        trial = load_motion(DATA / file)
        assert isinstance(trial, MarkerTrajectories)
        generic = full_body_model()
        marker_set = choose_marker_set(trial.names, generic)
        generic = generic.with_markers(tuple(marker_set.places(generic).values()))
        priors = priors_of_marker_set(marker_set)
        halves = part(trial, 0, 0.5), part(trial, 0.5, 1)
        for name, seen, held_out in (("first", *halves), ("second", *halves[::-1])):
            subject = Subject(
                f"{file}, {name} half seen", generic, marker_set.weights, priors, [seen], [held_out]
            )
            report(subject, {"fit_subject": lambda s=subject: jointly(s)})


def main() -> None:
    torch.set_num_threads(1)
    for noise, variety in ((0.0, 1.0), (2e-3, 1.0), (2e-3, 2.0)):
        drawn_people(noise, variety)
    if not DATA.is_dir():
        print("the recordings are not beside the project")
        return
    rajagopal()
    gait2354()
    c3d_files()


if __name__ == "__main__":
    main()
