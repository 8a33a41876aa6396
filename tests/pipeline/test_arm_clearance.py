"""Arms make room for the body beside them: the right one, smoothly, within ranges, only where they must."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import KDTree

from odah.body.checks.body_sample import sample_body
from odah.body.checks.self_penetration import Overlap, self_penetration
from odah.body.fitting.body_fitter import BodyFitter
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.body.shape.subject_scaling import scale_to_body
from odah.clothing.wardrobe import Wardrobe
from odah.config import GenerateConfig
from odah.dataset.plan import plan_clips
from odah.motion import Motion, write_amass
from odah.motion.actions.poses import compose_pose
from odah.motion.types import Source
from odah.names import SIDES, SMPLX_INDEX
from odah.osim import write_model
from odah.osim.kinematics import Kinematics
from odah.osim.storage import write_mot
from odah.pipeline import clip_maker
from odah.pipeline.arm_clearance import clear_arms
from odah.pipeline.clip_maker import ClipMaker

RATE, NUM_FRAMES = 30.0, 90
ASIDE = {"arm_add": -25.0}
ARM = ("arm_flex", "arm_add", "arm_rot", "elbow_flex")


@pytest.fixture(scope="module")
def fitter() -> BodyFitter:
    return BodyFitter(load_body(), load_registration())


@pytest.fixture(scope="module")
def betas(fitter: BodyFitter) -> np.ndarray:
    """Of a broad person."""
    return fitter.body.betas_from_attributes(1.66, 29.0, "female")


@pytest.fixture(scope="module")
def standing(fitter: BodyFitter, betas: np.ndarray) -> Kinematics:
    """That person, arms held away from the body."""
    model, factors = scale_to_body(fitter, betas, "broad")
    poses = np.tile(compose_pose(["stand", ASIDE]), (NUM_FRAMES, 1))
    return Kinematics(model, poses, RATE, Source("made", "mot"), 0.0, factors)


def column(kinematics: Kinematics, name: str) -> int:
    return kinematics.model.coordinate_names.index(name)


def moved(kinematics: Kinematics, **tracks_deg: float | np.ndarray) -> Kinematics:
    """Some coordinates set, degrees."""
    values = kinematics.coordinates.copy()
    for name, track in tracks_deg.items():
        values[:, column(kinematics, name)] = np.radians(track)
    return replace(kinematics, coordinates=values)


def hanging(kinematics: Kinematics, side: str) -> Kinematics:
    """One arm hanging straight down, inside a broad body's hip."""
    return moved(kinematics, **{f"arm_add_{side[0]}": 2.0})


def arm_overlaps(fitter: BodyFitter, betas: np.ndarray, kinematics: Kinematics) -> list[Overlap]:
    """Of hands and forearms with trunk and thighs."""
    fit = fitter.fit_pose(kinematics, betas)
    sample = sample_body(fitter.body, betas)
    found = self_penetration(sample, *sample.posed(fit.poses, fit.transl))
    return [
        overlap for overlap in found
        if overlap.part.endswith(("hand", "forearm")) and overlap.other.endswith(("trunk", "thigh"))
    ]  # fmt: skip


@pytest.mark.parametrize("side", SIDES)
def test_a_hand_inside_a_hip_comes_out_on_its_side(
    fitter: BodyFitter, betas: np.ndarray, standing: Kinematics, side: str
) -> None:
    inside = hanging(standing, side)
    assert {overlap.part.split()[0] for overlap in arm_overlaps(fitter, betas, inside)} == {side}
    cleared = clear_arms(inside, fitter, betas)
    assert not arm_overlaps(fitter, betas, cleared)
    change = np.rad2deg(cleared.coordinates - inside.coordinates)
    outwards = -change[:, column(standing, f"arm_add_{side[0]}")]
    assert (outwards > 3).all()
    assert (outwards < 20).all()
    others = np.delete(change, [column(standing, f"{name}_{side[0]}") for name in ARM], axis=1)
    assert (others == 0).all()
    assert cleared.notes == (
        f"arms moved by up to {np.abs(change).max():.0f} degrees, so that hands and forearms clear the body",
    )


def test_a_clear_motion_stays_as_it_is(fitter: BodyFitter, betas: np.ndarray, standing: Kinematics) -> None:
    assert clear_arms(standing, fitter, betas) is standing


def test_a_single_frame_is_a_motion_too(fitter: BodyFitter, betas: np.ndarray, standing: Kinematics) -> None:
    inside = hanging(standing, "left")
    one = replace(inside, coordinates=inside.coordinates[:1])
    assert not arm_overlaps(fitter, betas, clear_arms(one, fitter, betas))


def test_the_change_sets_in_and_fades_smoothly(
    fitter: BodyFitter, betas: np.ndarray, standing: Kinematics
) -> None:
    # In at 1.5 s, out again at once: a Gaussian half a second wide.
    time = standing.time
    track = -25 + 27 * np.exp(-(((time - 1.5) / 0.25) ** 2))
    cleared = clear_arms(moved(standing, arm_add_r=track), fitter, betas)
    change = cleared.coordinates[:, column(standing, "arm_add_r")] - np.radians(track)
    assert np.rad2deg(change.min()) < -3
    assert (change[np.abs(time - 1.5) > 1.0] == 0).all()
    # A Hann window of half-width 0.2 s bends what varies by d with at most pi d / 0.2^2.
    assert np.abs(np.diff(change, 2) * RATE**2).max() < np.pi * np.ptp(change) / 0.2**2
    assert not arm_overlaps(fitter, betas, cleared)


def test_ranges_are_respected(fitter: BodyFitter, betas: np.ndarray, standing: Kinematics) -> None:
    inside = hanging(standing, "right")
    at = column(standing, "arm_add_r")
    coordinates = list(standing.model.coordinates)
    coordinates[at] = replace(coordinates[at], range=(np.radians(0.5), np.radians(90)))
    narrow = replace(inside, model=replace(inside.model, coordinates=tuple(coordinates)))
    cleared = clear_arms(narrow, fitter, betas)
    low, high = narrow.model.coordinate_ranges.T
    changed = (cleared.coordinates != narrow.coordinates).any(axis=0)
    assert changed[at]
    assert (cleared.coordinates[:, changed] >= low[changed] - 1e-12).all()
    assert (cleared.coordinates[:, changed] <= high[changed] + 1e-12).all()


def test_hands_that_rest_on_the_hips_still_touch_them(fitter: BodyFitter) -> None:
    betas = fitter.body.betas_from_attributes(1.70, 22.0, "male")
    model, factors = scale_to_body(fitter, betas, "slim")
    poses = np.tile(compose_pose("hands_on_hips"), (12, 1))
    akimbo = Kinematics(model, poses, RATE, Source("made", "mot"), 0.0, factors)
    cleared = clear_arms(akimbo, fitter, betas)
    fit, sample = fitter.fit_pose(cleared, betas), sample_body(fitter.body, betas)
    points = sample.posed(fit.poses, fit.transl)[0][0]
    body = points[np.isin(sample.parts, ("trunk", "left thigh", "right thigh"))]
    for side in SIDES:
        assert KDTree(body).query(points[sample.parts == f"{side} hand"])[0].min() < 0.02
    assert clear_arms(cleared, fitter, betas) is cleared


def test_built_in_actions_and_carried_over_motions_make_room_recorded_skeletons_never(
    fitter: BodyFitter, standing: Kinematics, tiny_config: GenerateConfig, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    inside = hanging(standing, "left")
    write_model(inside.model, tmp_path / "model.osim")
    write_mot(tmp_path / "measured.mot", inside.trajectory, inside.model)
    poses = np.zeros((8, 55, 3))
    poses[:, SMPLX_INDEX["pelvis"], 0] = np.pi / 2
    moving = Motion(poses, np.zeros((8, 3)), RATE, Source("made", "amass"))
    write_amass(tmp_path / "carried.npz", moving)
    recordings = [
        {"path": str(tmp_path / "measured.mot"), "osim": str(tmp_path / "model.osim"), "duration": 0.2},
        {"path": str(tmp_path / "carried.npz"), "duration": 0.2},
    ]
    motion = {"actions": ["hand_waving"], "recordings": recordings}
    config = GenerateConfig.model_validate(tiny_config.model_dump() | {"motion": motion})
    made = []
    monkeypatch.setattr(clip_maker, "clear_arms", lambda solved, *_: (made.append(solved.source), solved)[1])
    monkeypatch.setattr(Wardrobe, "dress", lambda *_: None)  # clothes take most of the time
    plans = plan_clips(config, tmp_path)
    for plan in plans:
        ClipMaker(config, plans, tmp_path).solve(plan)
    assert {source.format for source in made} == {"builtin", "amass"}
