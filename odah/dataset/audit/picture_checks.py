"""Checks of what the pictures show: the person where the labels say, and all kinds of pictures alike."""

from __future__ import annotations

import numpy as np

from odah.dataset.audit.context import Context, expect
from odah.dataset.audit.motion_in_pictures import watch
from odah.render.parts import OCCLUDED

MIN_INSIDE_MASK = 0.99
_MIN_PARTS_AGREE = 0.995
"""Keypoints on the edge of a pixel may be rounded to either side."""
_DEPTH_RANGE = (-0.05, 0.35)
"""m of flesh before a joint that is visible, median of a clip; loose clothes add to it."""
_MAX_AWAY = 0.02
"""Share of pixels whose normal faces away: at the silhouette, smooth shading turns some."""
_MIN_CONTRAST = 4.0
"""Grey levels that a video must span; a blank one spans none."""
_MIN_MOVING = 0.005
"""Share of a picture that must move to tell anything."""
_MIN_ON_PERSON = 0.5
"""Share of moving pixels near the person: at least 0.94 in clips as rendered, shadows being the rest."""


def check_masks(context: Context) -> None:
    """Masks are black and white, and projected joints fall on them in at least 99 % of frame-joint pairs."""
    names = context.names("joint")
    for v, (view, look) in enumerate(zip(context.dataset.views, context.looks, strict=True)):
        _check_meaning(f"{view}_mask.mkv", look.frames, look.strange_px["mask"], "neither 0 nor 255")
        labels, inside = context.labels, np.array(look.inside)
        is_hidden = labels["part_at_joint"][v][look.frames] == OCCLUDED
        counts = labels["is_in_picture"][v][look.frames] & ~is_hidden
        share = np.mean(inside, where=counts) if counts.any() else 1.0
        missed = (counts & ~inside).sum(axis=0)
        expect(
            share >= MIN_INSIDE_MASK,
            f"{view}_mask.mkv: only {share:.1%} of joints fall on the person "
            f"({names[missed.argmax()]} misses it in {missed.max()} of {len(inside)} frames)",
        )


def check_parts(context: Context) -> None:
    """Parts are those of the labels at every joint, and cover the mask."""
    for v, (view, look) in enumerate(zip(context.dataset.views, context.looks, strict=True)):
        name = f"{view}_parts.mkv"
        _check_meaning(name, look.frames, look.strange_px["parts"], "of no body part")
        _check_meaning(name, look.frames, look.other_px["parts"], "at odds with the mask")
        if look.part_at:
            agree = np.array(look.part_at) == context.labels["part_at_joint"][v][look.frames]
            worst = int((~agree).sum(axis=0).argmax())
            expect(
                agree.mean() >= _MIN_PARTS_AGREE,
                f"{name} agrees with labels.npz: part_at_joint at only {agree.mean():.1%} of joints "
                f"({context.names('joint')[worst]} in {agree[:, worst].sum()} of {len(agree)} frames)",
            )


def check_depth(context: Context) -> None:
    """Depth is there where the mask is, and joints lie a little behind what is seen of them."""
    for v, (view, look) in enumerate(zip(context.dataset.views, context.looks, strict=True)):
        name = f"{view}_depth.mkv"
        _check_meaning(name, look.frames, look.other_px["depth"], "at odds with the mask")
        if not look.depth_at:
            continue
        T = context.labels["T_cam_world"][v]
        behind = (context.joints_seen[v] @ T[2, :3] + T[2, 3])[look.frames] - np.array(look.depth_at)
        behind = behind[context.labels["is_visible"][v][look.frames] & np.isfinite(behind)]
        middle = float(np.median(behind)) if len(behind) else 0.0
        low, high = _DEPTH_RANGE
        expect(
            low <= middle <= high,
            f"{name}: joints are {middle:.2f} m behind what is seen of them, expected {low} to {high} m",
        )


def check_normals(context: Context) -> None:
    """Normals are there where the mask is, of length 1, and face the camera."""
    for view, look in zip(context.dataset.views, context.looks, strict=True):
        name = f"{view}_normals.mkv"
        _check_meaning(name, look.frames, look.other_px["normals"], "at odds with the mask")
        _check_meaning(name, look.frames, look.strange_px["normals"], "not of length 1")
        away = sum(look.away_px) / max(sum(look.person_px), 1)
        expect(away <= _MAX_AWAY, f"{name}: {away:.1%} of normals face away from the camera")


def _check_meaning(name: str, frames: list[int], wrong: list[int], what: str) -> None:
    worst = int(np.argmax(wrong)) if wrong else 0
    expect(not any(wrong), f"{name} has {max(wrong, default=0)} pixels {what} in frame {frames[worst]}")


def check_videos(context: Context) -> None:
    """Pictures can be decoded and are not blank; of clips that are looked at wholly, what moves in them is
    the person of the masks."""
    wanted = context.num_frames if context.is_whole else 1
    for view in context.dataset.views:
        name = f"{view}.mp4"
        seen = watch(context.clip.video(view), wanted)
        expect(seen.num_frames == wanted, f"{name}: only {seen.num_frames} of {wanted} frames can be decoded")
        expect(seen.contrast >= _MIN_CONTRAST, f"{name} is blank")
        if context.is_whole and context.dataset.crop_size is None:
            num_moving, share = seen.share_on(context.clip.picture(view, "mask"))
            is_clear = num_moving > _MIN_MOVING * seen.pictures[0].size
            expect(
                not is_clear or share >= _MIN_ON_PERSON,
                f"{name}: only {share:.0%} of what moves in it is where {view}_mask.mkv has the person",
            )
