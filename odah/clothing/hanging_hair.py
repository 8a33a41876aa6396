"""Hair that hangs: curtains around the head, tails, braids and buns."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates, maximum_filter
from scipy.spatial import KDTree

from odah.clothing.face import FaceFrame
from odah.clothing.rest_body import RestBody
from odah.clothing.surface import Surface, grid_faces
from odah.names import SMPLX_INDEX

_OFF_CAP, _OFF_HEAD, _OFF_EARS, _OFF_BACK = 0.001, 0.009, 0.004, 0.022
"""Distance of the hair's outside from hair on the scalp, from the head and its ears, and from the back with a
shirt on it, m."""
_BINS_DEG, _ROW = 6.0, 0.01
_COLUMNS = 81
PARTING = 0.8
"""Where hair is parted, aside from the middle, in half distances between the eyes."""


def falling(points: np.ndarray, face: FaceFrame, side: float) -> np.ndarray:
    """(N, 2) texture coordinates of hair that falls to both sides of a parting; side: +1 left, -1 right."""
    x, y, z = points.T
    aside = np.abs(x - side * PARTING * face.half)
    around = np.arctan2(aside + 0.03, z - face.axis_z)
    return np.stack([1.2 * around, (0.7 * aside - y) / 0.15], 1)


def hanging_weights(rest: RestBody, face: FaceFrame, vertices: np.ndarray) -> np.ndarray:
    """(N, 55): hair moves with the head above the chin, with the neck below, on the back with the chest."""
    neck = rest.joint("neck")[1]
    head = np.clip((vertices[:, 1] - neck) / (face.chin + 0.02 - neck), 0, 1)
    chest = np.clip((neck - vertices[:, 1]) / 0.07, 0, 1)
    weights = np.zeros((len(vertices), len(SMPLX_INDEX)))
    for name, share in (("head", head), ("spine3", chest), ("neck", 1 - head - chest)):
        weights[:, SMPLX_INDEX[name]] = share
    return weights


def _behind(rest: RestBody, points: np.ndarray) -> np.ndarray:
    """(P,) depth of the neck and back's skin behind points (P, 3), m."""
    arms = rest.arm_weight("left") + rest.arm_weight("right")
    back = rest.vertices[(rest.normals[:, 2] < 0.3) & (arms < 0.5) & (rest.head_weight < 0.9)]
    _, index = KDTree(back[:, :2]).query(points[:, :2], k=6)
    return back[index, 2].min(1)


def _radii(rest: RestBody, face: FaceFrame, cap: Surface, rows: np.ndarray, fall: float) -> np.ndarray:
    """(R, B) distance of hanging hair from the skull's axis, by height and angle from straight back, -180 to
    180 degrees: what is wide above holds it off what is narrow below."""
    is_head = rest.head_weight + rest.weight_of("neck") > 0.6
    off = np.full(len(rest.vertices), _OFF_HEAD)
    off[rest.groups.get("ears", [])] = _OFF_EARS
    x, y, z = np.concatenate([rest.vertices[is_head], cap.vertices]).T
    off = np.concatenate([off[is_head], np.full(cap.num_vertices, _OFF_CAP)])
    column = np.round((np.degrees(np.arctan2(x, face.axis_z - z)) + 180) / _BINS_DEG).astype(int)
    row = np.round((rows[0] - y) / _ROW).astype(int)
    table = np.zeros((len(rows), int(360 / _BINS_DEG) + 1))
    ok = (row >= 0) & (row < len(rows))
    np.maximum.at(table, (row[ok], column[ok]), (np.hypot(x, z - face.axis_z) + off)[ok])
    table = maximum_filter(table, 3)
    for k in range(1, len(rows)):
        table[k] = np.maximum(table[k], table[k - 1] - fall * _ROW)
    return gaussian_filter(table, (1.5, 1.2), mode="nearest")


def _open_at(rows: np.ndarray, face: FaceFrame, shoulder: float, is_long: bool) -> np.ndarray:
    """(R,) degrees from straight ahead to loose hair's front edge."""
    knots = [shoulder - 0.12, shoulder - 0.02, shoulder + 0.04, face.mouth, face.eye[1], rows[0]]
    return np.interp(rows, knots, [140, 122, 98, 66, 63, 66] if is_long else [68, 68, 66, 62, 62, 66])


def curtain(
    rest: RestBody, face: FaceFrame, cap: Surface, side: float, length: float, rng: np.random.Generator
) -> tuple[Surface, np.ndarray]:
    """Loose hair, open at the face, that ends `length` m below the chin, behind the shoulders where long;
    and its texture coordinates. It comes out of the hair on the scalp, `cap`, without a step.
    side: of the parting, +1 left, -1 right."""
    volume = rng.uniform(0.0, 0.010)
    top = face.eye[1] + 0.60 * face.forehead
    shoulder = rest.joint("neck")[1] + 0.01
    is_long = length > 0.06
    rows = np.arange(top, face.chin - length if is_long else max(face.chin - length, shoulder + 0.03), -_ROW)
    across = np.linspace(1, -1, _COLUMNS)
    back = (180 - _open_at(rows, face, shoulder, is_long))[:, None] * across
    column = np.broadcast_to((back + 180) / _BINS_DEG, (len(rows), _COLUMNS))
    row = np.broadcast_to(np.arange(len(rows))[:, None], column.shape)
    radius = map_coordinates(_radii(rest, face, cap, rows, fall=0.22), [row, column], order=1)
    locks = gaussian_filter(rng.standard_normal((12, _COLUMNS)), (4, 1.3))
    locks = locks[np.linspace(0, 11, len(rows)).round().astype(int)] / locks.std()
    start = 0.012 * gaussian_filter(rng.standard_normal(_COLUMNS), 4) * np.sqrt(4 * 3.5)
    below, down = (top - rows)[:, None] + start, np.linspace(0, 1, len(rows))[:, None]
    radius = radius - 0.007 * np.clip(1 - below / 0.08, 0, 1) + volume * np.clip(below / 0.12 - 0.3, 0, 1)
    radius = radius + 0.0012 * locks * np.clip(below / 0.05 - 0.5, 0, 1)
    radius = radius - 0.018 * np.abs(across) ** 10 - (0.0 if is_long else 0.012) * down**5
    phi = np.radians(back)
    height = np.broadcast_to(rows[:, None], radius.shape)
    outer = np.stack([radius * np.sin(phi), height, face.axis_z - radius * np.cos(phi)], 2)
    outer = _behind_shoulders(rest, face, outer, shoulder) if is_long else outer
    ragged = 0.004 * locks[-1] + (0.03 if is_long else 0.008) * np.abs(across) ** 3
    outer[..., 1] += ragged * down**3
    inner = _inside(face, outer, across, shoulder)
    ring = np.concatenate([outer, inner[:, ::-1]], 1)
    vertices = ring.reshape(-1, 3)
    surface = Surface(vertices, grid_faces(len(rows), ring.shape[1]), hanging_weights(rest, face, vertices))
    return surface, falling(vertices, face, side)


def _behind_shoulders(rest: RestBody, face: FaceFrame, grid: np.ndarray, shoulder: float) -> np.ndarray:
    """Below the chin the hair lies on the neck and the back, between the shoulder blades."""
    low = np.clip((face.chin - 0.01 - grid[..., 1]) / 0.05, 0, 1)
    grid = grid.copy()
    widest = 0.115
    grid[..., 0] += low * (widest * np.tanh(grid[..., 0] / widest) - grid[..., 0])
    is_low = low > 0
    if is_low.any():
        for _ in range(3):
            limit = _behind(rest, grid[is_low]) - _OFF_BACK
            share = np.clip((shoulder + 0.03 - grid[is_low][:, 1]) / 0.04, 0, 1)
            depth = grid[..., 2].copy()
            depth[is_low] = np.where(
                share > 0,
                np.minimum(depth[is_low], limit * share + (1 - share) * depth[is_low]),
                depth[is_low],
            )
            grid[..., 2] = depth + low * (gaussian_filter(depth, (2, 2), mode="nearest") - depth)
    return grid


def _inside(face: FaceFrame, outer: np.ndarray, across: np.ndarray, shoulder: float) -> np.ndarray:
    """The sheet's other side: nearer to the skull's axis or the back; they meet at tips and edges."""
    thickness = 0.014 * np.sqrt(np.linspace(1, 0, len(outer)))[:, None] * (1 - 0.75 * np.abs(across) ** 6)
    inward = np.array([0.0, 0.0, face.axis_z]) - outer * [1, 0, 1]
    inward /= np.linalg.norm(inward, axis=2, keepdims=True)
    on_back = np.clip((shoulder + 0.02 - outer[..., 1:2]) / 0.05, 0, 1)
    return outer + thickness[..., None] * ((1 - on_back) * inward + on_back * np.array([0.0, 0.0, 1.0]))


def _tube(
    path: np.ndarray, radii: np.ndarray, columns: int = 16
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Closed tube around a path in the plane x = 0: path (R, 3), radii (R,); vertices, faces, uv."""
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.array([1.0, 0.0, 0.0])
    other = np.cross(tangent, side)
    phi = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    ring = np.cos(phi)[None, :, None] * side + np.sin(phi)[None, :, None] * other[:, None]
    vertices = path[:, None] + radii[:, None, None] * ring
    along = np.cumsum(np.linalg.norm(np.diff(path, axis=0, prepend=path[:1]), axis=1))
    uv = np.stack(np.broadcast_arrays(np.abs(phi - np.pi)[None] * 0.25, along[:, None] / 0.15), 2)
    return vertices.reshape(-1, 3), grid_faces(len(path), columns)[:, ::-1], uv.reshape(-1, 2)


def tied(kind: str, rest: RestBody, face: FaceFrame, rng: np.random.Generator) -> tuple[Surface, np.ndarray]:
    """A bun, a ponytail or a braid at the back of the head, and its texture coordinates."""
    head = rest.vertices[rest.head_weight > 0.5]
    height = {"bun": rng.uniform(0.25, 0.85), "ponytail": rng.uniform(0.2, 0.7), "braid": -0.35}[kind]
    y = face.eye[1] + height * face.forehead
    back = head[np.abs(head[:, 1] - y) < 0.015, 2].min()
    root = np.array([0.0, y, back + 0.012])
    if kind == "bun":
        t = np.linspace(0, 1, 14)
        radii = rng.uniform(0.030, 0.042) * np.sqrt(np.maximum(1 - (2 * t - 1) ** 2, 1e-4))
        path = root + np.stack([0 * t, 0.020 * t, -0.062 * t], 1)
    else:
        path, radii = _tail(kind, root, rng)
        behind = _behind(rest, path) - 0.9 * _OFF_BACK - 0.6 * radii
        is_low = path[:, 1] < face.chin
        path[is_low, 2] = np.minimum(path[is_low, 2], behind[is_low])
        path[:, 2] = gaussian_filter(path[:, 2], 2, mode="nearest")
    vertices, faces, uv = _tube(path, radii)
    if kind == "braid":
        vertices[:, 0] += np.repeat(0.006 * np.sin(np.arange(len(path)) * 0.9), 16)
    return Surface(vertices, faces, hanging_weights(rest, face, vertices)), uv


def _tail(kind: str, root: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Path (R, 3) and radii (R,) of hair that leaves the head backwards, then hangs."""
    t = np.linspace(0, 1, 40)
    length = rng.uniform(0.16, 0.30) if kind == "ponytail" else rng.uniform(0.18, 0.32)
    out = 0.055 if kind == "ponytail" else 0.012
    path = root + np.stack(
        [0 * t, 0.012 - length * np.maximum(t - 0.1, 0) ** 1.15, -out * np.sin(np.minimum(2.4 * t, 1.9))], 1
    )
    radii = np.interp(t, [0, 0.06, 0.14, 0.4, 0.85, 1], [0.012, 0.018, 0.020, 0.028, 0.020, 0.004])
    if kind == "braid":
        radii = 0.55 * np.interp(t, [0, 0.1, 0.9, 1], [0.028, 0.034, 0.022, 0.004])
        radii = radii * (1 + 0.22 * np.sin(np.arange(len(t)) * 1.6))
    return path, radii
