"""How well bodies carry skeletons on real recordings: joints, markers, feet, hands, angles there and back.

    python tests/benchmarks/body_fit.py [--only WORD ...]

Markers and skeletons: the subject is fitted to the first half of a trial, everything is measured on the
second. Body motions: the subject is the motion's own, nothing is fitted to the clip but its poses. Generated
clips are measured as `odah generate` makes them, dressed and on the floor. mm, mean / 95th percentile.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from odah.body import BodyFit, BodyFitter, FittedSubject, load_body, load_registration
from odah.body.fitting.fitted_points import registered_points
from odah.body.fitting.measured_markers import MeasuredMarkers, measured_markers
from odah.body.registration.calibration import marker_weights
from odah.body.shape.measures import body_height, body_mass
from odah.body.so3 import rotvec_to_rotmat
from odah.config import GenerateConfig
from odah.dataset.plan import plan_clips
from odah.motion import load_motion
from odah.motion.types import R_WORLD_GROUND, MarkerTrajectories, Source
from odah.osim.ik import inverse_kinematics
from odah.osim.kinematics import Kinematics, load_opensim_motion
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.clips import prepare_clip
from odah.pipeline.recording import KinematicsOptions, marker_kinematics
from odah.pipeline.standard_model import standard_kinematics

DATA = Path(__file__).parents[2].parent / "shared/data"
RAJAGOPAL = DATA / "opensim_models/Pipelines/Rajagopal"
REFERENCE = DATA / "opensim_models/reference_ik_opensim_4.6"
C3DS = (
    "hdm05/HDM_dg_06-03_03_120.c3d",
    "cmu_mocap/c3d/85_02.c3d",
    "cmu_mocap/c3d/basketball_dribble_shoot.c3d",
    "opensim_core/walking2.c3d",
)
BODY_MOTIONS = (
    *("cmu_mocap/asfamc/02_01.amc", "cmu_mocap/asfamc/02_03.amc", "cmu_mocap/asfamc/07_05.amc"),
    *("cmu_mocap/asfamc/09_06.amc", "hdm05/HDM_dg_06-03_03_120.amc", "cmu_mocap/bvh_cgspeed/10_05.bvh"),
    *("cmu_mocap/bvh_cgspeed/131_01.bvh", "cmu_mocap/bvh_from_fbx/13_13.bvh"),
    *("cmu_mocap/bvh_from_fbx/49_02.bvh", "cmu_mocap/bvh_from_expmap/washwindow_1.bvh"),
)
WALKER = {"gender": "male", "height": 1.829, "mass": 85.07}
"""The subject of the Rajagopal walk, as its scale set-up says."""
MAIN_ANGLES = tuple(
    f"{name}_{side}"
    for name in (
        *("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle"),
        *("arm_flex", "arm_add", "arm_rot", "elbow_flex", "pro_sup"),
    )
    for side in "rl"
)


@dataclass(frozen=True)
class Trial:
    """A real person: a skeleton in motion, the markers it was solved from, and what is known of them."""

    name: str
    kinematics: Kinematics
    markers: MeasuredMarkers | None
    known: dict[str, str | float]

    def half(self, second: bool) -> Trial:
        middle = self.kinematics.num_frames // 2
        frames = np.arange(middle, self.kinematics.num_frames) if second else np.arange(middle)
        kinematics = replace(self.kinematics, coordinates=self.kinematics.coordinates[frames])
        return replace(
            self, kinematics=kinematics, markers=None if self.markers is None else self.markers.frames(frames)
        )


def marker_trial(path: Path, fitter: BodyFitter, known: dict, **options: Path) -> Trial:
    recorded = load_motion(path)
    assert isinstance(recorded, MarkerTrajectories)
    solved = marker_kinematics([recorded], KinematicsOptions(plot=False, **options))[0]
    measured = measured_markers(recorded, solved)
    return Trial(path.name, standard_kinematics(solved, fitter.registration), measured, known)


def trials(fitter: BodyFitter, only: Sequence[str]) -> Iterator[Trial]:
    def is_wanted(name: str) -> bool:
        return not only or any(word in name for word in only)

    if is_wanted("ik_output_walk.mot"):
        walk = load_opensim_motion(REFERENCE / "ik_output_walk.mot", REFERENCE / "subject_scaled_walk.osim")
        yield Trial("ik_output_walk.mot", standard_kinematics(walk, fitter.registration), None, WALKER)
    if is_wanted("motion_capture_walk.trc"):
        yield marker_trial(
            RAJAGOPAL / "ExpData/motion_capture_walk.trc",
            fitter,
            WALKER,
            model=DATA / "opensim_models/Models/Rajagopal/Rajagopal2016.osim",
            scale_setup=RAJAGOPAL / "Scale/scale_setup_walk.xml",
            ik_setup=RAJAGOPAL / "IK/ik_setup_walk.xml",
        )
    for file in filter(is_wanted, C3DS):
        yield marker_trial(DATA / file, fitter, {"gender": "male"})


def both(errors_mm: np.ndarray) -> str:
    return f"{np.nanmean(errors_mm):4.1f} / {np.nanpercentile(errors_mm, 95):4.1f}"


def worst(names: Sequence[str], errors_mm: np.ndarray, count: int = 4) -> str:
    means = np.nanmean(errors_mm, axis=0)
    return ", ".join(f"{names[k]} {means[k]:.1f}" for k in np.argsort(-means)[:count])


def there_and_back(fitter: BodyFitter, seen: Trial, subject: FittedSubject, fit: BodyFit) -> np.ndarray:
    """Degrees (T, A) between `MAIN_ANGLES` of a skeleton and those that inverse kinematics finds from markers
    on the body that was fitted to it, where that body wears them."""
    layout, points = fitter.registration.layout, registered_points(fitter.body, fitter.registration)
    offsets = torch.zeros_like(points.offsets)
    if subject.offsets is not None:
        offsets[-len(layout.names) :] = torch.from_numpy(subject.offsets)
    betas, poses, transl = (torch.from_numpy(array) for array in (fit.betas, fit.poses, fit.transl))
    posed = points.fine.pose(betas, rotvec_to_rotmat(poses), transl, offsets).points
    on_body = posed[:, -len(layout.names) :].numpy() @ R_WORLD_GROUND
    markers = MarkerTrajectories(layout.names, on_body, seen.kinematics.rate, "ground", Source("body", ""))
    weights = dict(zip(layout.names, marker_weights(layout).tolist(), strict=True))
    found = inverse_kinematics(seen.kinematics.model, markers, weights)
    names = seen.kinematics.model.coordinate_names
    columns = [names.index(name) for name in MAIN_ANGLES]
    apart = found.coordinates[:, columns] - seen.kinematics.coordinates[:, columns]
    return np.rad2deg(np.abs(np.angle(np.exp(1j * apart))))


def report_trial(fitter: BodyFitter, trial: Trial) -> None:
    first, second = trial.half(False), trial.half(True)
    start = time.perf_counter()
    subject = fitter.fit_subject(first.kinematics, **trial.known)
    taken = time.perf_counter() - start
    fit = fitter.fit_pose(second.kinematics, subject)
    nominal = fitter.fit_pose(second.kinematics, subject.betas)
    print(f"{trial.name}: subject from {first.kinematics.num_frames} frames in {taken:.1f} s; rest:")
    print(f"  joints {both(fit.joint_errors_mm)}; {worst(fit.joint_names, fit.joint_errors_mm)}")
    print(
        f"  registered markers {both(fit.marker_errors_mm)}, at nominal places "
        f"{both(nominal.marker_errors_mm)}; {worst(fit.marker_names, fit.marker_errors_mm)}"
    )
    if first.markers is not None and second.markers is not None:
        placed = fitter.fit_subject(first.kinematics, **trial.known, markers=first.markers)
        followed = fitter.fit_pose(second.kinematics, placed, markers=second.markers)
        print(
            f"  with measured markers: joints {both(followed.joint_errors_mm)}, measured markers "
            f"{both(followed.marker_errors_mm)}; {worst(followed.marker_names, followed.marker_errors_mm)}"
        )
    height, mass = body_height(fitter.body, subject.betas), body_mass(fitter.body, subject.betas)
    known = f", known {WALKER['height']:.3f} m and {WALKER['mass']:.1f} kg" if "mass" in trial.known else ""
    print(f"  body {height:.3f} m and {mass:.1f} kg{known}")
    apart = there_and_back(fitter, second, subject, fit)
    told = ", ".join(f"{MAIN_ANGLES[k]} {apart[:, k].mean():.2f}" for k in np.argsort(-apart.mean(0))[:5])
    print(f"  angles there and back {apart.mean():.2f} deg mean; {told}", flush=True)


def generated(only: Sequence[str]) -> None:
    files = [file for file in (*C3DS[:3], *BODY_MOTIONS) if not only or any(word in file for word in only)]
    recordings = [{"path": str(DATA / file), "duration": 4.0} for file in files]
    config = GenerateConfig.model_validate({"name": "body_fit", "motion": {"recordings": recordings}})
    plans = plan_clips(config, Path())
    maker = ClipMaker(config, plans)
    columns = "joints, markers | sliding mesh - skeleton | below floor p95, max | floating p95 | overlap"
    print(f"generated clips: {columns}")
    for plan in plans:
        solved = maker.solve(plan)
        clip = prepare_clip(plan, maker, solved)
        checks, feet = clip.plausibility, clip.plausibility.contact
        below = f"{feet.penetration_p95_mm:.1f}, {feet.penetration_max_mm:.0f}"
        deepest = checks.overlaps[0] if checks.overlaps else None
        inside = (
            "none"
            if deepest is None
            else (f"{deepest.part} {deepest.depth_mm:.0f} in {deepest.other}, {deepest.share:.0%} of frames")
        )
        print(
            f"  {plan.clip_id:28s} {both(clip.fit.joint_errors_mm)}, {both(clip.fit.marker_errors_mm)} | "
            f"{checks.sliding.excess_mm:+.2f} | {below} | "
            f"{feet.floating_p95_mm:.0f} | {inside}",
            flush=True,
        )


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], help="Words of the recordings' names.")
    only = parser.parse_args().only
    if not DATA.is_dir():
        print("the recordings are not beside the project")
        return
    fitter = BodyFitter(load_body(), load_registration())
    report = fitter.registration.report
    for name in ("held_out_people", "held_out_poses", "fresh_people"):
        print(f"regressed joints, {name.replace('_', ' ')}: {report[name]}")
    for trial in trials(fitter, only):
        report_trial(fitter, trial)
    generated(only)


if __name__ == "__main__":
    main()
