"""Results of OpenSim as programs leave them: `.mot` files of coordinates near the models they belong to.

Layouts: a session of OpenCap, also of its validation data set; an export of AddBiomechanics; what
`odah kinematics` writes; and any folder where the rule of `ResultModels.of` finds the model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from odah.errors import InputError
from odah.motion.collections.mot_header import MotHeader
from odah.motion.collections.opensim_models import ResultModels
from odah.motion.collections.opensim_people import gender_told, person_name, subject_folder
from odah.motion.collections.scan import folder_files, natural_key
from odah.motion.collections.take import Take
from odah.names import OPENSIM_COORDINATES

LAYOUT = (
    "results of OpenSim: .mot files of coordinates and the .osim they belong to, such as OpenCap sessions"
)
_OF_RATES = ("speeds", "accelerations")
_SEGMENT = re.compile(r"_segment_\d+$")
_IK = re.compile(r"[_-]ik$", re.IGNORECASE)
_NUMBER = re.compile(r"[ _-]*\d+$")
_SAYS_NOTHING = ("kinematics", "coordinates", "motion", "ik", "results")
_FEW_KNOWN = 3
"""Coordinates of the full-body model, names that other models share."""


@dataclass(frozen=True)
class FoundResults:
    """takes: by subject and name. passed_over: why other .mot files are not takes, and how many."""

    takes: tuple[Take, ...]
    passed_over: dict[str, int]

    @property
    def sentence(self) -> str:
        """What was passed over; empty if nothing was."""
        return ", ".join(f"{count} {why}" for why, count in sorted(self.passed_over.items()))


@dataclass(frozen=True)
class _Result:
    """A motion, its model, and the folder that is the person's."""

    path: Path
    model: Path
    person: Path


def scan_results(root: Path) -> FoundResults:
    """Motions below `root` with their models. Of `.mot` files only the headers are read.

    Subjects are called as the folder of their session; one with several models is as many subjects.

    Raises:
        InputError: no such folder, no result in it, or models of which none is to be preferred.
    """
    root = Path(root)
    motions: dict[Path, MotHeader] = {}
    passed: Counter[str] = Counter()
    models: list[Path] = []
    for folder, names in folder_files(root, LAYOUT):
        paths = [Path(folder) / name for name in names if not name.startswith(".")]
        models += [path for path in paths if path.suffix.lower() == ".osim"]
        for path in (path for path in paths if path.suffix.lower() == ".mot"):
            header = MotHeader.read(path)
            why = _why_none(path, header, root)
            if header is None or why:
                passed[why] += 1
            else:
                motions[path] = header
    known = ResultModels(root, models, {path.parent for path in motions if _is_of_a_person(motions[path])})
    results = _without_repeats(list(_with_models(motions, known, passed)), passed)
    if not results:
        told = FoundResults((), dict(passed)).sentence or "no .mot file"
        raise InputError(root, told, LAYOUT)
    return FoundResults(tuple(_takes(results, root)), dict(passed))


def _why_none(path: Path, header: MotHeader | None, root: Path) -> str:
    """Why a file is no motion by its header alone; empty if it may be one."""
    if header is None:
        return "without the header of an OpenSim table"
    if header.num_rows is not None and header.num_rows < 2:
        return "of a single pose"
    if header.title.lower() in _OF_RATES:
        return "of speeds or accelerations"
    parts = [part.lower() for part in path.relative_to(root).parts[:-1]]
    if "opensimdata" in parts and "dynamics" in parts[parts.index("opensimdata") :]:
        return "of simulations that track another"
    return ""


def _with_models(
    motions: dict[Path, MotHeader], models: ResultModels, passed: Counter[str]
) -> Iterator[_Result]:
    for path, header in motions.items():
        found = models.of(path, header.coordinates)
        if found is not None:
            yield _Result(path, found.model, subject_folder(found.common, models.root))
        elif _is_of_a_person(header):
            passed["of coordinates without a model that has them"] += 1
        else:
            passed["of forces, markers or other things than coordinates"] += 1


def _is_of_a_person(header: MotHeader) -> bool:
    """Whether it is a table of coordinates, whatever its model is."""
    return len(header.coordinates & set(OPENSIM_COORDINATES)) >= _FEW_KNOWN


def _without_repeats(results: list[_Result], passed: Counter[str]) -> list[_Result]:
    """OpenCap's validation data hold each trial solved from markers and from video: the former are kept."""
    with_markers = {result.person for result in results if _solved_from(result) == "mocap"}
    kept = [
        result for result in results if _solved_from(result) != "video" or result.person not in with_markers
    ]
    if len(kept) < len(results):
        passed["from video of people whose markers are solved too"] = len(results) - len(kept)
    return kept


def _solved_from(result: _Result) -> str:
    """The folder in OpenCap's `OpenSimData`; empty elsewhere."""
    inside = [part.lower() for part in result.path.relative_to(result.person).parts]
    return inside[1] if len(inside) > 2 and inside[0] == "opensimdata" else ""


def _takes(results: list[_Result], root: Path) -> list[Take]:
    names = _subject_names({(result.person, result.model) for result in results}, root)
    takes = [
        Take(
            path=result.path,
            subject=names[result.person, result.model],
            action=_action(result),
            name=_IK.sub("", result.path.stem),
            gender=gender_told(result.person),
            osim=result.model,
        )
        for result in results
    ]
    same = Counter((take.subject.casefold(), (take.name or "").casefold()) for take in takes)
    for k, (take, result) in enumerate(zip(takes, results, strict=True)):
        if same[take.subject.casefold(), (take.name or "").casefold()] > 1:
            takes[k] = replace(take, name=_joined(result.path, result.person))
    return sorted(takes, key=lambda take: (natural_key(take.subject), natural_key(take.name or "")))


def _action(result: _Result) -> str:
    """What the file's name says, without its number; the folder's where it says nothing."""
    stem = _SEGMENT.sub("", _IK.sub("", result.path.stem))
    if stem.lower() in _SAYS_NOTHING:
        stem = person_name(result.path.parent)
    return _NUMBER.sub("", stem) or stem


def _subject_names(people: set[tuple[Path, Path]], root: Path) -> dict[tuple[Path, Path], str]:
    """Folders' names; with the way there, or with the model's, where a name is not one person's alone."""
    folders = {folder: person_name(folder) for folder, _ in people}
    same = Counter(name.casefold() for name in folders.values())
    for folder, name in folders.items():
        if same[name.casefold()] > 1 and folder != root:
            folders[folder] = _joined(folder, root)
    num_models = Counter(folder for folder, _ in people)
    return {
        (folder, model): folders[folder]
        if num_models[folder] == 1
        else f"{folders[folder]}_{_joined(model, folder)}"
        for folder, model in people
    }


def _joined(path: Path, folder: Path) -> str:
    return "_".join(path.relative_to(folder).with_suffix("").parts)
