"""Acclaim skeleton and motion files (`.asf` + `.amc`), as the CMU and HDM05 databases write them.

Format: Lander 1998, "Working with Motion Capture File Formats". A bone's local rotation is C M C^-1, where C
(its `axis`) turns the bone's own axes into the rest pose's, and M is the product of its `dof` angles, the
first one applied first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from odah.errors import InputError
from odah.files import existing_file, read_text
from odah.motion.skeleton import SkeletonMotion, skeleton_motion
from odah.motion.types import Source

_INCH = 0.0254
_ROOT = "root"


@dataclass
class _Bone:
    """direction x length: from the bone's joint to its tip, file units; axis: (3,) rad and its order."""

    name: str
    direction: np.ndarray = field(default_factory=lambda: np.zeros(3))
    length: float = 0.0
    axis: Rotation = field(default_factory=Rotation.identity)
    dof: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Acclaim:
    bones: dict[str, _Bone]
    parents: dict[str, str]
    root_order: tuple[str, ...]
    root_position: np.ndarray
    root_axis: Rotation
    metres_per_unit: float
    is_degrees: bool


def find_asf(amc: str | Path) -> Path:
    """The skeleton of an `.amc`: `02.asf` beside `02_01.amc`, or the folder's only `.asf`.

    Raises:
        InputError: none or several fit.
    """
    return skeleton_of(Path(amc), skeletons_beside(Path(amc)))


def skeletons_beside(amc: Path) -> dict[str, Path]:
    """The `.asf` files in the folder of an `.amc`, by name without suffix."""
    return {path.stem: path for path in sorted(amc.parent.glob("*")) if path.suffix.lower() == ".asf"}


def skeleton_of(amc: Path, skeletons: Mapping[str, Path]) -> Path:
    """The one of these files that belongs to an `.amc`, see `find_asf`."""
    named = [stem for stem in skeletons if amc.stem == stem or amc.stem.startswith(f"{stem}_")]
    if named:
        return skeletons[max(named, key=len)]
    if len(skeletons) == 1:
        return next(iter(skeletons.values()))
    raise InputError(
        amc, f"{len(skeletons)} .asf files beside it, none named for it", "its skeleton (option skeleton)"
    )


def read_amc(
    path: str | Path,
    skeleton: str | Path | None = None,
    rate: float = 120.0,
    unit: str | float | None = None,
    up: str | None = None,
) -> SkeletonMotion:
    """A person's motion from an `.amc` file and its `.asf` skeleton, as `SkeletonMotion` has it.

    Args:
        skeleton: the `.asf` file; None: `find_asf(path)`.
        rate: Hz; the format does not state one, both databases use 120.
        unit: None: the `.asf` file's own, (1 / its `length`) inch.
        up: vertical axis of the files (`x`, `y`, `z`); None: along which the rest pose stands.

    Raises:
        InputError: one of the files is not what it should be, or they do not belong together.
    """
    path = Path(path)
    existing_file(path, "an .amc file")
    asf_path = Path(skeleton) if skeleton is not None else find_asf(path)
    acclaim = _read_asf(asf_path)
    frames = _read_frames(path, acclaim, asf_path)
    names = [_ROOT, *acclaim.parents]
    parents = [-1, *(names.index(parent) for parent in acclaim.parents.values())]
    tips = {name: bone.direction * bone.length for name, bone in acclaim.bones.items()}
    offsets = [np.zeros(3), *(tips.get(parent, np.zeros(3)) for parent in acclaim.parents.values())]
    rotmats, root = _local_poses(acclaim, frames, names)
    # tips of the last bones as joints of their own, so that head, hands and toes have an end
    leaves = [name for name in names if name not in acclaim.parents.values()]
    all_offsets = np.array([*offsets, *(tips[name] for name in leaves)])
    positions = np.broadcast_to(all_offsets, (len(root), *all_offsets.shape)).copy()
    positions[:, 0] = root
    identity = np.broadcast_to(np.eye(3), (len(root), len(leaves), 3, 3))
    return skeleton_motion(
        [*names, *(f"{name}_end" for name in leaves)],
        [*parents, *(names.index(name) for name in leaves)],
        all_offsets,
        np.concatenate([rotmats, identity], axis=1),
        positions,
        rate=rate,
        source=Source(str(path), "asf/amc"),
        up=up,
        unit=acclaim.metres_per_unit if unit is None else unit,
    )


def _numbers(words: list[str], count: int, where: str) -> np.ndarray:
    try:
        values = np.array([float(word) for word in words[:count]])
    except ValueError:
        values = np.array([np.nan])
    if len(words) != count or not np.abs(values).max(initial=0.0) < 1e9:
        raise InputError(where, repr(" ".join(words)[:60]), f"{count} finite numbers")
    return values


def _axis_rotation(words: list[str], default_order: str, where: str, *, is_degrees: bool) -> Rotation:
    """`0 0 20 XYZ`: rotations about fixed axes, in the order of the letters."""
    order = words[3].lower() if len(words) > 3 else default_order
    if sorted(order) != ["x", "y", "z"]:
        raise InputError(where, repr(order[:20]), "an order such as XYZ")
    return Rotation.from_euler(order, _numbers(words[:3], 3, where), degrees=is_degrees)


def _sections(text: str) -> dict[str, list[list[str]]]:
    """`:name` sections of an `.asf` file: their lines as words, comments left out."""
    sections: dict[str, list[list[str]]] = {}
    lines: list[list[str]] = []
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        if words and words[0].startswith(":"):
            lines = sections.setdefault(words[0][1:].lower(), [])
            words = words[1:]
        if words:
            lines.append(words)
    return sections


def _read_asf(path: Path) -> _Acclaim:
    sections = _sections(read_text(path, "an .asf file"))
    for needed in ("units", "root", "bonedata", "hierarchy"):
        if needed not in sections:
            raise InputError(path, f"no :{needed} section", "an Acclaim skeleton file")
    units = {words[0].lower(): words[1:] for words in sections["units"]}
    length = _numbers(units.get("length", ["1"]), 1, f"{path}, :units length")[0]
    if not length > 0:
        raise InputError(f"{path}, :units length", f"{length:g}", "more than 0")
    is_degrees = " ".join(units.get("angle", ["deg"])).lower().startswith("deg")
    root = {words[0].lower(): words[1:] for words in sections["root"]}
    order = tuple(word.lower() for word in root.get("order", ["TX", "TY", "TZ", "RX", "RY", "RZ"]))
    if sorted(order) != ["rx", "ry", "rz", "tx", "ty", "tz"]:
        raise InputError(f"{path}, :root order", " ".join(order)[:60], "TX TY TZ RX RY RZ in some order")
    orientation = [*root.get("orientation", ["0", "0", "0"])[:3], *root.get("axis", ["XYZ"])[:1]]
    bones = _read_bones(sections["bonedata"], path, is_degrees=is_degrees)
    return _Acclaim(
        bones=bones,
        parents=_read_hierarchy(sections["hierarchy"], bones, path),
        root_order=order,
        root_position=_numbers(root.get("position", ["0", "0", "0"]), 3, f"{path}, :root position"),
        root_axis=_axis_rotation(orientation, "xyz", f"{path}, :root orientation", is_degrees=is_degrees),
        metres_per_unit=_INCH / length,
        is_degrees=is_degrees,
    )


def _read_bones(lines: list[list[str]], path: Path, *, is_degrees: bool) -> dict[str, _Bone]:
    bones: dict[str, _Bone] = {}
    bone = _Bone("")
    for key, *words in lines:
        where = f"{path}, bone {bone.name or len(bones) + 1}"
        match key.lower():
            case "begin":
                bone = _Bone("")
            case "name":
                bone.name = words[0] if words else ""
            case "direction":
                bone.direction = _unit(_numbers(words, 3, f"{where}, direction"), where)
            case "length":
                bone.length = float(_numbers(words, 1, f"{where}, length")[0])
            case "axis":
                bone.axis = _axis_rotation(words, "xyz", f"{where}, axis", is_degrees=is_degrees)
            case "dof":
                bone.dof = tuple(word.lower() for word in words)
                if not set(bone.dof) <= {"rx", "ry", "rz"} or len(set(bone.dof)) < len(bone.dof):
                    raise InputError(f"{where}, dof", " ".join(words)[:60], "rotations rx, ry, rz")
            case "end":
                if not bone.name or bone.name in bones:
                    raise InputError(where, "a missing or repeated name", "one name a bone")
                bones[bone.name] = bone
    return bones


def _unit(direction: np.ndarray, where: str) -> np.ndarray:
    length = np.linalg.norm(direction)
    if not length > 1e-9:
        raise InputError(f"{where}, direction", "0 0 0", "a direction")
    return direction / length


def _read_hierarchy(lines: list[list[str]], bones: dict[str, _Bone], path: Path) -> dict[str, str]:
    """Parent of each bone, parents before children."""
    parents: dict[str, str] = {}
    for parent, *children in (words for words in lines if words[0].lower() not in ("begin", "end")):
        if parent != _ROOT and parent not in parents:
            raise InputError(f"{path}, :hierarchy", f"{parent[:40]!r} before its own parent", "parents first")
        for child in children:
            if child not in bones or child in parents:
                raise InputError(f"{path}, :hierarchy", repr(child[:40]), "each bone of :bonedata once")
            parents[child] = parent
    if not parents:
        raise InputError(f"{path}, :hierarchy", "no bones", "bones below the root")
    return parents


def _read_frames(path: Path, acclaim: _Acclaim, asf_path: Path) -> dict[str, np.ndarray]:
    """Values (T, dofs) of each moving bone and of the root."""
    widths = {_ROOT: 6} | {name: len(acclaim.bones[name].dof) for name in acclaim.parents}
    values: dict[str, list[list[str]]] = {name: [] for name, width in widths.items() if width}
    num_frames = 0
    for line in read_text(path, "an .amc file").splitlines():
        words = line.split("#", 1)[0].split()
        if not words or words[0].startswith(":"):
            continue
        if len(words) == 1 and re.fullmatch(r"[0-9]+", words[0]):
            _check_frame(values, num_frames, path)
            num_frames += 1
            continue
        name, *numbers = words
        where = f"{path}, frame {num_frames}, {name[:40]}"
        if name not in values:
            raise InputError(where, "a bone without dof in its skeleton", f"the bones of {asf_path.name}")
        if len(numbers) != widths[name] or len(values[name]) != num_frames - 1:
            raise InputError(where, f"{len(numbers)} values", f"{widths[name]} values once a frame")
        values[name].append(numbers)
    _check_frame(values, num_frames, path)
    if num_frames == 0:
        raise InputError(path, "no frames", "an .amc file")
    return {name: _table(rows, f"{path}, {name}") for name, rows in values.items()}


def _check_frame(values: dict[str, list[list[str]]], num_frames: int, path: Path) -> None:
    missing = [name for name, rows in values.items() if len(rows) != num_frames]
    if missing:
        raise InputError(
            f"{path}, frame {num_frames}", f"no values of {missing[0]}", "values of every moving bone"
        )


def _table(rows: list[list[str]], where: str) -> np.ndarray:
    try:
        table = np.array(rows, dtype=np.float64)
    except ValueError:
        table = np.array([np.nan])
    if not np.abs(table).max() < 1e9:
        raise InputError(where, "a value that is no finite number", "finite numbers")
    return table


def _local_poses(
    acclaim: _Acclaim, frames: dict[str, np.ndarray], names: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Parent-relative rotmats (T, J, 3, 3) and the root's position (T, 3) in file units."""
    root = frames[_ROOT]
    order = acclaim.root_order
    rotmats = np.broadcast_to(np.eye(3), (len(root), len(names), 3, 3)).copy()
    for index, name in enumerate(names):
        if name not in frames:
            continue
        dof = [d for d in order if d[0] == "r"] if name == _ROOT else acclaim.bones[name].dof
        columns = [order.index(d) for d in dof] if name == _ROOT else range(len(dof))
        sequence = "".join(d[1] for d in dof)
        angles = frames[name][:, list(columns)]
        rotation = Rotation.from_euler(sequence, angles, degrees=acclaim.is_degrees)
        axis = acclaim.root_axis if name == _ROOT else acclaim.bones[name].axis
        rotmats[:, index] = (axis * rotation * axis.inv()).as_matrix()
    translation = root[:, [order.index(t) for t in ("tx", "ty", "tz")]]
    return rotmats, acclaim.root_position + translation
