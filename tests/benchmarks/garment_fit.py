"""How well garments keep off the body and each other over real recordings, and what a frame of them costs.

    python tests/benchmarks/garment_fit.py [--motions N] [--frames N] [--bodies N] [--wrinkles]
           [--only GARMENT ...] [--poses FOLDER]

Every person moves in every recording as in a dataset: through the skeleton, arms made clear of the trunk,
body fitted; frames are spread evenly, and outfits rotate so that every upper meets every lower on every body.
A drawn vertex counts as inside when it lies more than 2 mm below the nearest triangle of the posed body;
hands and head are left out; hems' folded inner sides, which face the skin on purpose, are not counted.

    strict   of all drawn vertices
    free     of all, those inside where the skin they were cut from lies in no other part of the body

`free` is the product's number: where calf lies in thigh, or upper arm in side, the body shares its own space,
no place is right for the cloth between, and no picture shows it. `strict` counts those too.
Shining through: vertices of an upper more than 1 mm below the lower it covers.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numba
import numpy as np
import torch
from fitted_motions import DATA, MOTIONS, PEOPLE, FittedMotion, Person, fitted_motions, people
from scipy.spatial import KDTree

from odah.body.mesh import vertex_normals
from odah.body.model import BodyModel
from odah.clothing.body_frame import BodyFrame, joint_transforms
from odah.clothing.finish import ClothMesh, finish
from odah.clothing.patterns import LOWERS, UPPERS, garment_pattern
from odah.clothing.posing import FollowingCloth
from odah.clothing.rest_body import RestBody
from odah.clothing.tailor import sew

INSIDE, SHINING = 0.002, 0.001
_LOOSENESS = (0.5, 0.0, 1.0)
_OVER_SKIN = 0.001
"""m over the skin, where another part of the body is looked for."""


@dataclass(frozen=True)
class Solid:
    """A closed-enough triangle mesh (its faces (F, 3)) to measure heights over."""

    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray
    tree: KDTree

    @classmethod
    def of(cls, vertices: np.ndarray, faces: np.ndarray) -> Solid:
        tree = KDTree(vertices[faces].mean(1), balanced_tree=False, compact_nodes=False)
        return cls(vertices, faces, vertex_normals(vertices, faces), tree)

    def heights(self, points: np.ndarray, k: int = 10) -> np.ndarray:
        """(P,) m to the nearest of the k triangles whose middles are nearest, negative inside by the normal
        interpolated there."""
        candidates = self.tree.query(points, k=k)[1]
        return _signed_distance(points, self.vertices[self.faces], self.normals[self.faces], candidates)


@numba.njit(cache=True)
def _signed_distance(points, triangles, normals, candidates):  # pragma: no cover, compiled
    out = np.empty(len(points))
    for i in range(len(points)):
        least = np.inf
        for f in candidates[i]:
            a, b, c = triangles[f]
            u, v = _nearest_shares(points[i] - a, b - a, c - a)
            apart = points[i] - a - u * (b - a) - v * (c - a)
            distance = np.sqrt((apart * apart).sum())
            if distance < least:
                least = distance
                normal = (1 - u - v) * normals[f, 0] + u * normals[f, 1] + v * normals[f, 2]
                out[i] = distance if (apart * normal).sum() >= 0 else -distance
    return out


@numba.njit(cache=True)
def _nearest_shares(d, ab, ac):  # pragma: no cover, compiled
    """Shares of the second and third corner at the point of a triangle nearest to `d`; from the first."""
    bb, bc, cc = (ab * ab).sum(), (ab * ac).sum(), (ac * ac).sum()
    db, dc = (d * ab).sum(), (d * ac).sum()
    area = max(bb * cc - bc * bc, 1e-20)
    u, v = (cc * db - bc * dc) / area, (bb * dc - bc * db) / area
    if u >= 0 and v >= 0 and u + v <= 1:
        return u, v
    best, least = (0.0, 0.0), np.inf
    on_ab = min(max(db / max(bb, 1e-20), 0.0), 1.0)
    on_ac = min(max(dc / max(cc, 1e-20), 0.0), 1.0)
    on_bc = min(max((dc - bc - db + bb) / max(bb - 2 * bc + cc, 1e-20), 0.0), 1.0)
    for x, y in ((on_ab, 0.0), (0.0, on_ac), (1.0 - on_bc, on_bc)):
        apart = d - x * ab - y * ac
        square = (apart * apart).sum()
        if square < least:
            best, least = (x, y), square
    return best


@dataclass(frozen=True)
class Seen:
    """A garment in one frame. heights: (P,) m over the skin. is_free: (P,) whether the skin a vertex was cut
    from lies in no other part of the body. shining: share of it below the lower, None for a lower itself."""

    kind: str
    heights: np.ndarray
    is_free: np.ndarray
    shining: float | None
    seconds: float


def row(name: str, frames: list[Seen]) -> str:
    count = sum(len(f.heights) for f in frames)
    inside = [f.heights < -INSIDE for f in frames]
    share = sum(i.sum() for i in inside) / count
    free = sum((i & f.is_free).sum() for i, f in zip(inside, frames, strict=True)) / count
    deepest = max(-f.heights[f.is_free].min() for f in frames)
    shining = [f.shining for f in frames if f.shining is not None]
    return (
        f"{name:34s} {100 * share:8.3f} {100 * free:7.3f} {100 * max(i.mean() for i in inside):8.2f}"
        f" {1e3 * deepest:9.1f} {100 * np.mean(shining) if shining else np.nan:8.2f}"
        f" {1e3 * np.median([f.seconds for f in frames]):5.1f}"
    )


HEADER = (
    f"{'':34s} {'strict %':>8s} {'free %':>7s} {'frame %':>8s} {'worst mm':>9s} {'shines %':>8s} {'ms':>5s}"
)


@dataclass(frozen=True)
class Worn:
    """A garment on a body. own_skin: (P,) the body vertex each outer drawn vertex was cut nearest to."""

    kind: str
    following: FollowingCloth
    mesh: ClothMesh
    own_skin: np.ndarray

    @classmethod
    def on(cls, rest: RestBody, kind: str, looseness: float, wrinkles: bool) -> Worn:
        garment = sew(rest, garment_pattern(kind), looseness)
        mesh = finish(garment, rest, wrinkles)
        on_skin = (mesh.combine @ garment.on_skin)[mesh.inset == 0]
        own_skin = rest.trunk_and_limbs[rest.tree.query(on_skin)[1]]
        return cls(kind, FollowingCloth.of(garment, rest), mesh, own_skin)


@dataclass(frozen=True)
class Wearer:
    """A person with every garment, in the T-pose and in motion."""

    body: BodyModel
    betas: np.ndarray
    rest: RestBody
    skin_faces: np.ndarray
    worn: dict[str, Worn]

    @classmethod
    def of(cls, person: Person, kinds: list[str], looseness: float, wrinkles: bool = False) -> Wearer:
        rest = RestBody.of(person.body, person.betas)
        worn = {kind: Worn.on(rest, kind, looseness, wrinkles) for kind in kinds}
        is_skin = (rest.hand_weight < 0.5) & (rest.head_weight < 0.5)
        return cls(person.body, person.betas, rest, rest.faces[is_skin[rest.faces].all(1)], worn)

    def frames(self, motion: FittedMotion, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Posed skin (N, 3) and joint transforms (55, 3, 4) of `count` frames spread over the motion."""
        chosen = np.linspace(0, len(motion.poses) - 1, count).round().astype(int)
        arrays = (self.betas, motion.poses[chosen], motion.transl[chosen])
        with torch.no_grad():
            posed = self.body(*(torch.as_tensor(a, dtype=self.body.dtype) for a in arrays))
        rotmats, joints = posed.joint_rotmats.double().numpy(), posed.joints.double().numpy()
        transforms = joint_transforms(rotmats, joints, self.rest.joints)
        yield from zip(posed.vertices.double().numpy(), transforms, strict=True)

    def wear(self, upper: str, lower: str, body: np.ndarray, transforms: np.ndarray) -> Iterator[Seen]:
        """The lower, then the upper over it."""
        frame = BodyFrame.of(self.rest, body, transforms)
        solid, lower_drawn, below = Solid.of(body, self.skin_faces), None, None
        is_free = solid.heights(body + _OVER_SKIN * vertex_normals(body, self.rest.faces)) > 0
        for kind in (lower, upper):
            worn, start = self.worn[kind], time.process_time()
            cloth = worn.following.posed(frame, below)
            normals = worn.following.normals(cloth)
            drawn = worn.mesh.drawn(cloth, normals)
            seconds = time.process_time() - start
            points = drawn[worn.mesh.inset == 0]
            shining = None if lower_drawn is None else _shining(points, lower_drawn)
            yield Seen(kind, solid.heights(points), is_free[worn.own_skin], shining, seconds)
            below, lower_drawn = (cloth, normals), Solid.of(drawn, worn.mesh.faces)


def _shining(upper: np.ndarray, lower: Solid) -> float:
    """Share of the upper's vertices within 3 cm of the lower that lie more than 1 mm below it."""
    height = lower.heights(upper)
    is_near = np.abs(height) < 0.03
    return float((height[is_near] < -SHINING).mean()) if is_near.any() else 0.0


def measured(options: argparse.Namespace) -> dict[str, list[Seen]]:
    """All garments seen, by garment, by body and by motion."""
    uppers, lowers = (
        [k for k in kinds if not options.only or k in options.only] or list(kinds)
        for kinds in (UPPERS, LOWERS)
    )
    outfits = list(product(uppers, lowers))
    chosen = np.linspace(0, len(MOTIONS) - 1, options.motions).round().astype(int)
    seen: dict[str, list[Seen]] = defaultdict(list)
    for number, person in enumerate(people(options.bodies)):
        looseness = _LOOSENESS[number % len(_LOOSENESS)]
        wearer = Wearer.of(person, uppers + lowers, looseness, options.wrinkles)
        np.random.default_rng(number).shuffle(outfits)
        turn = 0
        for motion in fitted_motions(person, [MOTIONS[k] for k in chosen], options.poses):
            for vertices, transforms in wearer.frames(motion, options.frames):
                for found in wearer.wear(*outfits[turn % len(outfits)], vertices, transforms):
                    for key in (found.kind, f"{person.name}, fit {looseness}", motion.name):
                        seen[key].append(found)
                turn += 1
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--motions", type=int, default=len(MOTIONS), help="of the 20, spread evenly")
    parser.add_argument("--frames", type=int, default=6, help="a motion")
    parser.add_argument("--bodies", type=int, default=len(PEOPLE), help="the first so many")
    parser.add_argument("--wrinkles", action="store_true", help="with folds")
    parser.add_argument("--only", nargs="+", default=[], metavar="GARMENT")
    parser.add_argument("--poses", type=Path, help="folder in which fitted motions are kept between runs")
    options = parser.parse_args()
    if not DATA.is_dir():
        print("the recordings are not beside the project")
        return
    torch.set_num_threads(1)
    seen = measured(options)
    print(HEADER)
    for name in sorted(seen, key=lambda k: (k not in {**UPPERS, **LOWERS}, "fit" not in k)):
        print(row(name, seen[name]))
    print(row("uppers", [f for kind in UPPERS for f in seen[kind]]))
    print(row("lowers", [f for kind in LOWERS for f in seen[kind]]))


if __name__ == "__main__":
    main()
