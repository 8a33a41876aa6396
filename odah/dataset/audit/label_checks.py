"""Checks of `labels.npz` by itself and against what `dataset.json` and `body.npz` say."""

from __future__ import annotations

import numpy as np

from odah.dataset.audit.context import Context, expect
from odah.dataset.schema import BUDGET_KEYS, MAY_BE_NAN
from odah.errors import InputError
from odah.files import DAMAGED_ARRAYS
from odah.motion.types import R_WORLD_GROUND
from odah.names import OPENSIM_COORDINATES
from odah.render.parts import BODY_PARTS, OCCLUDED, OUTSIDE, joint_visibility

MAX_RANGE_EXCESS = 1e-3
"""rad beyond a coordinate's range; float32 rounding is 1e-7."""
_TYPES = {"time": "float64", "part_at_joint": "uint8", "is_in_picture": "bool", "is_visible": "bool"}
_MAX_BODY_OFFSET = 1.0
"""m between a body's origin, near its pelvis in the rest pose, and the skeleton's pelvis."""
_EDGE_PX = 0.01
"""How near to a picture's edge float32 may turn inside into outside."""


def check_arrays(context: Context) -> None:
    """Shapes agree with each other and with the names; types are those that were written; all is finite."""
    labels = context.clip.labels
    for kind, axis in (
        ("coordinate", "coordinates"),
        ("joint", "joints"),
        ("body", "body_coms"),
        ("marker", "markers"),
    ):
        found, stated = labels[axis].shape[1], len(context.names(kind))
        expect(found == stated, f"labels.npz: {axis} has {found} columns, dataset.json names {stated}")
    views = len(context.dataset.views)
    expect(len(labels["K"]) == views, f"labels.npz: K has {len(labels['K'])} views, dataset.json {views}")
    expect(
        ("crops" in labels) == (context.dataset.crop_size is not None),
        "labels.npz: crops are there only where dataset.json has a crop_size",
    )
    for name, array in labels.items():
        wanted = _TYPES.get(name, "float32")
        expect(array.dtype.name == wanted, f"labels.npz: {name} is {array.dtype.name}, expected {wanted}")
        expect(name in MAY_BE_NAN or np.isfinite(array).all(), f"labels.npz: {name} is not finite")
    frames, stated = len(labels["time"]), context.clip.record["num_frames"]
    expect(frames == stated, f"labels.npz: {frames} frames, clip.json: num_frames: {stated}")


def check_time(context: Context) -> None:
    """Time rises from 0 at the stated rate; scales are positive; crops have a size."""
    labels, rate = context.clip.labels, context.clip.record["rate"]
    time = labels["time"]
    expect((np.diff(time) > 0).all(), "labels.npz: time does not rise")
    expect(time[0] == 0, f"labels.npz: time starts at {time[0]:g} s, expected 0")
    expect(
        np.allclose(np.diff(time), 1 / rate, rtol=0, atol=1e-6),
        f"labels.npz: time steps differ from 1/{rate:g} s",
    )
    expect((labels["scale_factors"] > 0).all(), "labels.npz: a scale factor is not positive")
    expect((labels.get("crops", np.ones((1, 3)))[..., 2] > 0).all(), "labels.npz: a crop without a size")


def check_visibility(context: Context) -> None:
    """What is visible is in the picture; parts, flags and pixels of joints say the same."""
    labels = context.clip.labels
    parts, is_in, is_visible = (labels[key] for key in ("part_at_joint", "is_in_picture", "is_visible"))
    known = np.isin(parts, (*range(len(BODY_PARTS)), OCCLUDED, OUTSIDE))
    expect(known.all(), "labels.npz: part_at_joint holds numbers of no body part")
    expect(not (is_visible & ~is_in).any(), "labels.npz: is_visible outside the picture")
    expect(
        ((parts != OUTSIDE) == is_in).all(), "labels.npz: is_in_picture and part_at_joint do not say the same"
    )
    visible = np.stack([joint_visibility(view, context.names("joint")) for view in parts])
    expect((visible == is_visible).all(), "labels.npz: is_visible does not follow from part_at_joint")
    for v, view in enumerate(context.dataset.views):
        pixels, high = context.video_keypoints[v], np.array(context.picture_size(v)) - 0.5
        beyond = np.maximum(-0.5 - pixels, pixels - high).max(axis=-1)  # px outside, negative inside
        wrong = np.where(is_in[v], ~(beyond < _EDGE_PX), beyond < -_EDGE_PX)
        expect(
            not wrong.any(), f"{view}: labels.npz: is_in_picture does not follow from {wrong.sum()} keypoints"
        )


def check_ranges(context: Context) -> None:
    """Coordinates within the model's ranges, but for those that the clip's flags name, as recorded motions
    may leave them; the free root is not limited."""
    values, names = context.labels["coordinates"], context.names("coordinate")
    flagged = {flag.split()[0] for flag in context.clip.record["flags"] if flag.strip()}
    for c, (name, (low, high)) in enumerate(
        zip(names, context.dataset.info["coordinate_ranges"], strict=True)
    ):
        if name in OPENSIM_COORDINATES[:6] or name in flagged:
            continue
        excess = max(low - values[:, c].min(), values[:, c].max() - high)
        expect(
            excess <= MAX_RANGE_EXCESS,
            f"labels.npz: coordinates: {name} is {np.rad2deg(excess):.2f} deg beyond its range, "
            "which no flag says",
        )


def check_body(context: Context) -> None:
    """The body is the subject's, near the skeleton, in a world whose z points up."""
    path = context.clip.model_path.with_name("body.npz")
    try:
        with np.load(path, allow_pickle=False) as file:
            betas = np.asarray(file["betas"], dtype=float)
    except DAMAGED_ARRAYS:
        raise InputError(path, "no readable betas", "a body.npz") from None
    labels = context.labels
    same = betas.shape == labels["betas"].shape and np.allclose(betas, labels["betas"], atol=1e-5)
    expect(same, f"labels.npz: betas are not those of {path}")
    T = labels["T_world_ground"]
    expect(
        np.allclose(T[:3, :3], R_WORLD_GROUND, atol=1e-6) and np.allclose(T[3], [0, 0, 0, 1]),
        "labels.npz: T_world_ground does not turn ground's y-axis up into world's z",
    )
    pelvis = labels["joints"][:, context.names("joint").index("ground_pelvis")] @ T[:3, :3].T + T[:3, 3]
    away = np.linalg.norm(labels["transl"] - pelvis, axis=-1).max()
    expect(away <= _MAX_BODY_OFFSET, f"labels.npz: transl is up to {away:.2f} m from the skeleton's pelvis")


def check_budget(context: Context) -> None:
    """The error budget has every number that the schema asks for."""
    budget = context.clip.record["error_budget"]
    for name in BUDGET_KEYS:
        value = budget.get(name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)
        expect(is_number, f"clip.json: error_budget: no number {name}")


def share_upside_down(context: Context) -> float:
    """Share of frames in which the lumbar joint is below both ankles, in world; 0 if there are none."""
    names, T = context.names("joint"), context.labels["T_world_ground"]
    if not {"back", "ankle_l", "ankle_r"} <= set(names):
        return 0.0
    height = context.labels["joints"] @ T[2, :3]
    back, left, right = (height[:, names.index(name)] for name in ("back", "ankle_l", "ankle_r"))
    return float(np.mean((back < left) & (back < right)))
