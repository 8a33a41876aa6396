"""A human body with SMPL-X's interface: betas and joint rotations in, vertices and joints out.

`load_body()` gives the open body that ships with the package; `load_body(path)` a user's licensed
SMPL-X file. Both are the same `BodyModel` from then on (Pavlakos et al. 2019, equations 1-2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from odah.body.lbs import compose_rotations, place_joints, pose_features, skin
from odah.body.mesh import MeshClip
from odah.body.shape.statistics import ShapeStatistics
from odah.body.so3 import rotvec_to_rotmat
from odah.errors import InputError, OdahError
from odah.names import SMPLX_PARENTS

NUM_JOINTS = len(SMPLX_PARENTS)


@dataclass(frozen=True)
class BodyPose:
    """A posed body: vertices (*B, N, 3) and joints (*B, 55, 3), m; joint_rotmats (*B, 55, 3, 3), global."""

    vertices: Tensor
    joints: Tensor
    joint_rotmats: Tensor


@dataclass(frozen=True, eq=False)
class BodyModel:
    """Template, shape directions, skinning weights and pose correctives of a body.

    The rest pose is SMPL-X's T-pose: Y-up, facing +Z, left = +X, metres. Posed bodies are in whatever
    frame the root rotation and `transl` are given in.

    v_template: (N, 3). shapedirs: (N, 3, num_betas). joint_template: (55, 3), joint_shapedirs:
    (55, 3, num_betas): the rest joints as an exact linear function of betas. lbs_weights: (N, 55).
    posedirs: (N, 3, 486) or None. faces: (F, 3) int64. uv: (T, 2), uv_faces: (F, 3) into it.
    hand_mean: (30, 3) relaxed finger rotations, left hand first, rad; zero pose has flat hands.
    groups: vertex numbers of named regions. mirror: (N,) each vertex's partner on the other side.
    """

    name: str
    gender: str
    v_template: Tensor
    shapedirs: Tensor
    joint_template: Tensor
    joint_shapedirs: Tensor
    lbs_weights: Tensor
    posedirs: Tensor | None
    faces: np.ndarray
    hand_mean: np.ndarray
    uv: np.ndarray | None = None
    uv_faces: np.ndarray | None = None
    groups: Mapping[str, np.ndarray] = field(default_factory=dict)
    mirror: np.ndarray | None = None
    statistics: ShapeStatistics | None = None
    bone_lengths: tuple[str, ...] = ()

    @property
    def num_betas(self) -> int:
        return self.shapedirs.shape[-1]

    @property
    def num_shape_betas(self) -> int:
        """How many betas come before the bone lengths."""
        return self.num_betas - len(self.bone_lengths)

    @property
    def beta_names(self) -> tuple[str, ...]:
        """`shape1` and on, principal components of people, then the bone lengths."""
        return (*(f"shape{k + 1}" for k in range(self.num_shape_betas)), *self.bone_lengths)

    @property
    def num_vertices(self) -> int:
        return len(self.v_template)

    @property
    def dtype(self) -> torch.dtype:
        return self.v_template.dtype

    @property
    def is_open(self) -> bool:
        """True for the body that ships with the package, whose betas have known statistics."""
        return self.statistics is not None

    def __call__(
        self,
        betas: Float[Tensor, "*#B S"] | None = None,
        poses: Float[Tensor, "*#B 55 3"] | None = None,
        transl: Float[Tensor, "*#B 3"] | None = None,
    ) -> BodyPose:
        """Pose the body.

        The root turns about the pelvis joint's rest place; `transl` (m) is added after. Leading
        dimensions broadcast, so one `betas` serves all frames. What is None is zero.

        Raises:
            InputError: betas, poses or transl of another length than the model's.
        """
        betas, poses, transl = self._checked(betas, poses, transl)
        local = rotvec_to_rotmat(poses)
        rotmats = compose_rotations(local, SMPLX_PARENTS)
        vertices, joints = self.shaped(betas)
        posed_joints = place_joints(joints, rotmats, SMPLX_PARENTS)
        if self.posedirs is not None:
            correctives = pose_features(local) @ self.posedirs.reshape(-1, self.posedirs.shape[-1]).T
            vertices = vertices + correctives.unflatten(-1, (-1, 3))
        vertices = skin(vertices, self.lbs_weights, joints, rotmats, posed_joints)
        shift = transl[..., None, :]
        return BodyPose(vertices + shift, posed_joints + shift, rotmats)

    def posed_joints(
        self, betas: Tensor | None = None, poses: Tensor | None = None, transl: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The joints (*B, 55, 3), m, and their global rotations (*B, 55, 3, 3), without the vertices."""
        betas, poses, transl = self._checked(betas, poses, transl)
        rotmats = compose_rotations(rotvec_to_rotmat(poses), SMPLX_PARENTS)
        joints = self.joint_template + _weighted_directions(self.joint_shapedirs, betas)
        return place_joints(joints, rotmats, SMPLX_PARENTS) + transl[..., None, :], rotmats

    def shaped(self, betas: Float[Tensor, "*B S"]) -> tuple[Tensor, Tensor]:
        """The T-pose body of these betas: vertices (*B, N, 3) and joints (*B, 55, 3), m."""
        vertices = self.v_template + _weighted_directions(self.shapedirs, betas)
        return vertices, self.joint_template + _weighted_directions(self.joint_shapedirs, betas)

    def restricted_to(self, vertices: np.ndarray | Tensor | Sequence[int]) -> BodyModel:
        """The same body with only these vertices (in this order, repeats allowed) and no faces.

        Posing it costs in proportion to their number, and gives the same positions.
        """
        index = torch.as_tensor(vertices, dtype=torch.int64)
        return replace(
            self,
            v_template=self.v_template[index],
            shapedirs=self.shapedirs[index],
            lbs_weights=self.lbs_weights[index],
            posedirs=None if self.posedirs is None else self.posedirs[index],
            faces=np.zeros((0, 3), np.int64),
            uv=None,
            uv_faces=None,
            groups={},
            mirror=None,
        )

    def to(self, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> BodyModel:
        """The same body in another precision or on another device."""
        moved = {
            name: value.to(device=device, dtype=dtype)
            for name, value in vars(self).items()
            if isinstance(value, Tensor)
        }
        return replace(self, **moved)

    def animate(self, betas: Tensor, poses: Tensor, transl: Tensor, rate: float, chunk: int = 64) -> MeshClip:
        """The moving mesh of poses (T, 55, 3), transl (T, 3) and one betas (num_betas,) or (T, num_betas).

        Raises:
            InputError: betas, poses or transl of another length than the model's, or of other frames.
        """
        betas, poses, transl = self._checked(betas, poses, transl)
        self._check_frames(betas, poses, transl)
        betas = betas.expand(len(poses), -1) if betas.ndim == 2 else betas
        frames = np.empty((len(poses), self.num_vertices, 3), np.float32)
        with torch.no_grad():
            for start in range(0, len(poses), chunk):
                part = slice(start, start + chunk)
                shape = betas[part] if betas.ndim == 2 else betas
                frames[part] = self(shape, poses[part], transl[part]).vertices.cpu().numpy()
        return MeshClip(frames, self.faces, rate)

    def _check_frames(self, betas: Tensor, poses: Tensor, transl: Tensor) -> None:
        if poses.ndim != 3:
            raise InputError(f"{self.name}: poses", f"{poses.ndim} dimensions", "frames x 55 x 3")
        if transl.shape != (len(poses), 3):
            raise InputError(f"{self.name}: transl", f"shape {tuple(transl.shape)}", f"({len(poses)}, 3)")
        if betas.ndim > 2 or (betas.ndim == 2 and len(betas) not in (1, len(poses))):
            raise InputError(
                f"{self.name}: betas", f"shape {tuple(betas.shape)}", f"one row or {len(poses)}, one a frame"
            )

    def sample_betas(
        self, rng: np.random.Generator, gender: str | None = None, size: int | None = None
    ) -> np.ndarray:
        """Betas (num_betas,), or (size, num_betas), of random plausible adults of `gender`.

        Bone lengths stay zero; see `odah.body.shape.people` for people of given height and mass.
        """
        if self.statistics is None:
            count = self.num_shape_betas
            return self._with_zero_lengths(rng.standard_normal(count if size is None else (size, count)))
        return self._with_zero_lengths(self.statistics.sample_betas(rng, gender or self.gender, size))

    def betas_from_attributes(
        self, height: float, bmi: float, gender: str | None = None, muscle: float = 0.5, age: float = 35.0
    ) -> np.ndarray:
        """Betas (num_betas,) of a typical adult: height m, body mass index kg/m^2, muscle 0..1, age years.

        Raises:
            InputError: an attribute out of range.
            OdahError: the body is no open body, so what its betas mean is not known.
        """
        if self.statistics is None:
            raise OdahError(f"{self.name}: attributes to betas is known for the open body only")
        betas = self.statistics.betas_from_attributes(height, bmi, gender or self.gender, muscle, age)
        return self._with_zero_lengths(betas)

    def _with_zero_lengths(self, shape_betas: np.ndarray) -> np.ndarray:
        return np.concatenate([shape_betas, np.zeros((*shape_betas.shape[:-1], len(self.bone_lengths)))], -1)

    def _checked(
        self, betas: Tensor | None, poses: Tensor | None, transl: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The arguments as tensors like the model's, zeros for None, their last dimensions right."""
        wanted = {"betas": (self.num_betas,), "poses": (NUM_JOINTS, 3), "transl": (3,)}
        checked = []
        for (name, shape), value in zip(wanted.items(), (betas, poses, transl), strict=True):
            given = torch.zeros(shape) if value is None else torch.as_tensor(value)
            if given.shape[-len(shape) :] != shape:
                found, expected = ("x".join(map(str, s)) or "a single value" for s in (given.shape, shape))
                raise InputError(f"{self.name}: {name}", found, f"(any number of dimensions x) {expected}")
            checked.append(given.to(self.v_template))
        return checked[0], checked[1], checked[2]


def _weighted_directions(directions: Tensor, betas: Tensor) -> Tensor:
    """Sum over betas (*B, S) of directions (P, 3, S): (*B, P, 3)."""
    return (betas @ directions.reshape(-1, directions.shape[-1]).T).unflatten(-1, (-1, 3))
