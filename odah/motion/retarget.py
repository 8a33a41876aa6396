"""From a skeleton file's joints to SMPL-X joint rotations.

Every SMPL-X joint is turned as its source joint is turned away from the source's rest pose, after both rest
poses are brought to agree: limbs by direction (arms hanging, legs apart: whatever the source rests in), and
the roll about a limb by the way elbows bend, knees face and soles lie. Trunks all stand upright at rest.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from odah.motion.skeleton import SkeletonMotion
from odah.motion.types import Motion
from odah.names import SIDES, SMPLX_BODY_JOINTS, SMPLX_INDEX, SMPLX_JOINTS, SMPLX_PARENTS

REST_PELVIS = np.array([0.0, -0.351, 0.012])
"""Rest position of a SMPL-like body's pelvis joint, m; retargeted `transl` = pelvis in world - this."""

_FORWARD = np.array([0.0, 0.0, 1.0])
_MIN_FLEXION = np.deg2rad(25)  # below it an elbow does not show which way it bends
_FOREARM_TWIST_SHARE = 0.5

# Body joints of the open body's average adult in its T-pose, relative to the pelvis, m; right side mirrored.
_REST_MIDDLE = {
    "pelvis": (0, 0), "spine1": (0.094, 0.025), "spine2": (0.174, 0.020), "spine3": (0.299, 0.006),
    "neck": (0.490, 0.052), "head": (0.586, 0.085),
}  # fmt: skip
_REST_LEFT = {
    "hip": (0.089, -0.075, 0.041), "knee": (0.123, -0.461, 0.034), "ankle": (0.108, -0.900, -0.012),
    "foot": (0.118, -0.950, 0.131), "collar": (0.067, 0.423, 0.067), "shoulder": (0.183, 0.421, 0.061),
    "elbow": (0.443, 0.408, 0.038), "wrist": (0.680, 0.420, 0.030),
}  # fmt: skip


def average_rest_joints() -> np.ndarray:
    """(22, 3) body joints of an average adult in the T-pose (Y up, facing +Z), pelvis at the origin, m."""
    joints = np.zeros((len(SMPLX_BODY_JOINTS), 3))
    for name, (y, z) in _REST_MIDDLE.items():
        joints[SMPLX_INDEX[name]] = 0.0, y, z
    for name, (x, y, z) in _REST_LEFT.items():
        joints[SMPLX_INDEX[f"left_{name}"]] = x, y, z
        joints[SMPLX_INDEX[f"right_{name}"]] = -x, y, z
    return joints


def retarget(motion: SkeletonMotion, rest_joints: np.ndarray | None = None) -> Motion:
    """The same movement as SMPL-X joint rotations.

    Limbs keep their directions in world. Spine and neck chains of any number of joints are spread over
    the three and the one of SMPL-X. Half of the hand's twist about the forearm goes to the elbow joint,
    because a forearm turns along its length. Fingers, jaw and eyes stay at rest.

    `transl` is the pelvis joint's position in world minus `REST_PELVIS`, in the recorded person's size: the
    middle of the SMPL-X hips goes where the middle of the source's hips is, legs scaled to the same length.

    Args:
        rest_joints: (22 or more, 3) the target body's joints in its T-pose (Y up, facing +Z), m; None:
            `average_rest_joints()`.
    """
    rest = average_rest_joints() if rest_joints is None else np.asarray(rest_joints, dtype=np.float64)
    rotmats = _trunk_rotmats(motion)
    for side in SIDES:
        rotmats |= _leg_rotmats(motion, side, rest) | _arm_rotmats(motion, side, rest)
    world = np.stack([rotmats[name] for name in SMPLX_BODY_JOINTS], axis=1)
    poses = np.zeros((motion.num_frames, len(SMPLX_JOINTS), 3))
    for joint in range(len(SMPLX_BODY_JOINTS)):
        parent = SMPLX_PARENTS[joint]
        local = world[:, joint] if parent < 0 else world[:, parent].swapaxes(-1, -2) @ world[:, joint]
        poses[:, joint] = Rotation.from_matrix(local).as_rotvec()
    leg_length = motion.skeleton.leg_length
    return Motion(
        poses=poses,
        transl=_pelvis_positions(motion, world[:, 0], rest, leg_length) - REST_PELVIS,
        rate=motion.rate,
        source=motion.source,
        leg_length=leg_length,
    )


def _pelvis_positions(
    motion: SkeletonMotion, pelvis_rotmats: np.ndarray, rest: np.ndarray, leg_length: float
) -> np.ndarray:
    """(T, 3) the SMPL-X pelvis joint that puts the middle of the hips where the source has it, m."""
    hips = [motion.skeleton.roles.limbs[f"{side}_hip"] for side in SIDES]
    chains = [[SMPLX_INDEX[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle")] for side in SIDES]
    target_length = np.linalg.norm(np.diff(rest[chains], axis=1), axis=-1).sum(axis=1).mean()
    to_hips = (rest[[chain[0] for chain in chains]].mean(axis=0) - rest[0]) * leg_length / target_length
    return motion.positions[:, hips].mean(axis=1) - pelvis_rotmats @ to_hips


def _frame(primary: np.ndarray, secondary: np.ndarray) -> np.ndarray:
    """Unit columns: `primary`, what of `secondary` is perpendicular to it, and their cross product."""
    first = primary / np.linalg.norm(primary)
    second = secondary - (secondary @ first) * first
    second = second / np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)], axis=1)


def _alignment(source: tuple[np.ndarray, np.ndarray], target: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Turns the target's rest segment onto the source's: both as (direction, which way its roll faces)."""
    return _frame(*source) @ _frame(*target).T


def _hinge_plane(segments: np.ndarray, facing: np.ndarray) -> np.ndarray:
    """(2, 3) segments of a limb, projected on the plane of its whole direction and `facing`.

    Knees and elbows then move as hinges in that plane, and the target keeps its own sideways angle at rest.
    """
    hinge = np.cross(segments.sum(axis=0), facing)
    hinge = hinge / np.linalg.norm(hinge)
    return segments - (segments @ hinge)[:, None] * hinge


def _facing(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Which way a limb (2, 3) of the source faces at rest, given that the target's faces forward.

    Forward too; where the limb itself points that way, the direction that the shortest turn of the target's
    limb onto it brings forward to.
    """
    first, second = (limb.sum(axis=0) / np.linalg.norm(limb.sum(axis=0)) for limb in (target, source))
    if abs(second @ _FORWARD) < 0.7:
        return _FORWARD
    axis = np.cross(first, second)
    angle = np.arctan2(np.linalg.norm(axis), first @ second)
    return Rotation.from_rotvec(angle * axis / np.linalg.norm(axis)).apply(_FORWARD)


def _limb_alignments(
    source: tuple[np.ndarray, np.ndarray], target: tuple[np.ndarray, np.ndarray]
) -> list[np.ndarray]:
    """Alignment of the two segments of a limb, each limb given as (segments (2, 3), which way it faces)."""
    pairs = zip(_hinge_plane(*source), _hinge_plane(*target), strict=True)
    return [_alignment((s, source[1]), (t, target[1])) for s, t in pairs]


def _resampled_chain(rotmats: np.ndarray, num_joints: int) -> list[np.ndarray]:
    """Spread a chain (T, n, 3, 3) over `num_joints`: each takes the orientation at its segment's middle."""
    num_source = rotmats.shape[1]
    middles = (np.arange(num_joints) + 0.5) / num_joints * num_source - 0.5
    spread = []
    for middle in np.clip(middles, 0, num_source - 1):
        lower = int(middle)
        first, second = rotmats[:, lower], rotmats[:, min(lower + 1, num_source - 1)]
        step = Rotation.from_matrix(first.swapaxes(-1, -2) @ second).as_rotvec() * (middle - lower)
        spread.append(first @ Rotation.from_rotvec(step).as_matrix())
    return spread


def _trunk_rotmats(motion: SkeletonMotion) -> dict[str, np.ndarray]:
    """Pelvis to head, and collars: turned away from rest as the source is; rest poses all stand upright."""
    roles = motion.skeleton.roles
    turned = motion.rotmats
    spine = _resampled_chain(turned[:, list(roles.spine)], 3)
    neck = _resampled_chain(turned[:, list(roles.neck)], 1)[0] if roles.neck else turned[:, roles.head]
    rotmats = {"pelvis": turned[:, roles.pelvis], "neck": neck, "head": turned[:, roles.head]}
    rotmats |= {f"spine{k + 1}": joint for k, joint in enumerate(spine)}
    for side in SIDES:
        collar = roles.limbs.get(f"{side}_collar")
        rotmats[f"{side}_collar"] = spine[-1] if collar is None else turned[:, collar]
    return rotmats


def _segments(motion: SkeletonMotion, side: str, rest: np.ndarray, joints: tuple[str, ...]):
    """Rest directions from each joint to the next, of the source and of the target."""
    positions = motion.skeleton.rest_positions[[motion.skeleton.roles.limbs[f"{side}_{j}"] for j in joints]]
    target = rest[[SMPLX_INDEX[f"{side}_{j}"] for j in joints]]
    return np.diff(positions, axis=0), np.diff(target, axis=0)


def _leg_rotmats(motion: SkeletonMotion, side: str, rest: np.ndarray) -> dict[str, np.ndarray]:
    """Thigh and shank by direction, knees facing forward.

    At rest soles are level from heel to toe and lean sideways with the leg (CMU legs rest 20 degrees out).
    """
    limbs = motion.skeleton.roles.limbs
    source, target = _segments(motion, side, rest, ("hip", "knee", "ankle"))
    aligned = _limb_alignments((source, _facing(source, target)), (target, _FORWARD))
    source_leg, target_leg = (segments.sum(axis=0) * [1, 1, 0] for segments in (source, target))
    source_foot, target_foot = _FORWARD, _FORWARD
    if f"{side}_foot" in limbs:
        (source_bone,), (target_bone,) = _segments(motion, side, rest, ("ankle", "foot"))
        if source_bone @ _FORWARD > 0.3 * np.linalg.norm(source_bone):  # else it does not tell the toes' way
            source_foot, target_foot = source_bone, target_bone
    sole = _alignment((source_leg, source_foot), (target_leg, target_foot))
    foot = limbs.get(f"{side}_foot", limbs[f"{side}_ankle"])
    return {
        f"{side}_hip": motion.rotmats[:, limbs[f"{side}_hip"]] @ aligned[0],
        f"{side}_knee": motion.rotmats[:, limbs[f"{side}_knee"]] @ aligned[1],
        f"{side}_ankle": motion.rotmats[:, limbs[f"{side}_ankle"]] @ sole,
        f"{side}_foot": motion.rotmats[:, foot] @ sole,
    }


def _arm_rotmats(motion: SkeletonMotion, side: str, rest: np.ndarray) -> dict[str, np.ndarray]:
    """Upper arm and forearm by direction and elbow hinge; the hand with the thumb's edge forward at rest."""
    limbs = motion.skeleton.roles.limbs
    source, target = _segments(motion, side, rest, ("shoulder", "elbow", "wrist"))
    shoulder, elbow = motion.rotmats[:, limbs[f"{side}_shoulder"]], motion.rotmats[:, limbs[f"{side}_elbow"]]
    facing = _facing(source, target)
    bend = _elbow_bend_direction(shoulder.swapaxes(-1, -2) @ elbow, source[1], facing)
    aligned = _limb_alignments((source, bend), (target, _FORWARD))
    upper_arm, forearm = shoulder @ aligned[0], elbow @ aligned[1]
    hand = motion.rotmats[:, limbs[f"{side}_hand"]] @ _alignment((source[1], facing), (target[1], _FORWARD))
    return {
        f"{side}_shoulder": upper_arm,
        f"{side}_elbow": _with_shared_twist(forearm, hand, target[1]),
        f"{side}_wrist": hand,
    }


def _elbow_bend_direction(elbow_rotmats: np.ndarray, forearm: np.ndarray, facing: np.ndarray) -> np.ndarray:
    """Which way the forearm moves when the elbow bends, in the source's rest frame.

    The hinge is the mean axis of the elbow's rotations (T, 3, 3), perpendicular to the forearm, weighted by
    angle. `facing`, if the clip does not bend it enough or the answer is no way an elbow bends.
    """
    rotvecs = Rotation.from_matrix(elbow_rotmats).as_rotvec()
    along = forearm / np.linalg.norm(forearm)
    hinges = rotvecs - (rotvecs @ along)[:, None] * along
    hinge = hinges[np.linalg.norm(hinges, axis=1) > _MIN_FLEXION].sum(axis=0)
    if not np.linalg.norm(hinge) > 0:
        return facing
    bend = np.cross(hinge / np.linalg.norm(hinge), along)
    return bend if bend @ facing > 0.3 else facing


def _with_shared_twist(forearm: np.ndarray, hand: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """The forearm (T, 3, 3) turned about its own `axis` by its share of the hand's twist (swing-twist)."""
    axis = axis / np.linalg.norm(axis)
    unitquats = Rotation.from_matrix(forearm.swapaxes(-1, -2) @ hand).as_quat()  # x y z w
    twist = np.unwrap(2 * np.arctan2(unitquats[:, :3] @ axis, unitquats[:, 3]))
    twist = twist - 2 * np.pi * np.round(np.median(twist) / (2 * np.pi))
    return forearm @ Rotation.from_rotvec(_FOREARM_TWIST_SHARE * twist[:, None] * axis).as_matrix()
