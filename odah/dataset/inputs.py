"""Digests of what a clip is made from: as long as they are the same, so is the clip.

What matters is what a file holds, not where it lies; what cannot change a clip (how many are made side by
side, which others there are) does not matter either.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from odah.config import GenerateConfig, Recording
from odah.dataset.file_hashes import UNREADABLE, FileHashes
from odah.dataset.plan import ClipPlan
from odah.dataset.portable import portable
from odah.dataset.schema import CONTENT_VERSION
from odah.errors import OdahError
from odah.motion.asf_amc import skeleton_of, skeletons_beside

_OF_ALL_CLIPS = {
    "": ("name", "motion", "subsets"),
    "subjects": ("count", "split", "bmi_variants"),
}
"""By section, settings that say which clips there are; what they mean for one is in its plan."""
_OF_PEOPLE = ("seed", "body", "registration", "subjects", "clip", "clothing")
"""Settings that people come from."""
_LABELS_OF_PLAN = ("split", "subsets", "inputs", "person_inputs")
"""Of a plan, what may change while the clip stays."""


def with_inputs(
    plans: Sequence[ClipPlan],
    all_plans: Sequence[ClipPlan],
    config: GenerateConfig,
    folder: Path,
    hashes: FileHashes,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> list[ClipPlan]:
    """The plans with the digests of their inputs.

    all_plans: of the whole dataset, for a person comes from their first recording. folder: of the config
    file. tell: is told how many of how many plans are done.

    Raises:
        InputError: a folder of pictures or garments is not what it should be.
    """
    first: dict[str, ClipPlan] = {}
    for plan in all_plans:
        first.setdefault(plan.subject, plan)
    digests = _Digests(config, folder, hashes)
    found = []
    for done, plan in enumerate(plans):
        tell(done, len(plans))
        found.append(digests.filled_in(plan, first[plan.subject]))
    return found


class _Digests:
    def __init__(self, config: GenerateConfig, folder: Path, hashes: FileHashes) -> None:
        self._hashes = hashes
        self._skeletons: dict[Path, dict[str, Path]] = {}
        settings = _of_one_clip(config)
        files = _shared_files(config, folder, hashes)
        self._people = _digest({name: settings[name] for name in _OF_PEOPLE}, files)
        self._all = _digest(settings, files)
        self._of_recordings: dict[Recording, Any] = {}

    def filled_in(self, plan: ClipPlan, first: ClipPlan) -> ClipPlan:
        # those who perform built-in actions come from their name alone
        origin = None if first.recording is None else self._recording(first.recording)
        person = _digest(self._people, plan.subject, plan.variant, origin)
        inputs = _digest(self._all, person, self._content(plan))
        return replace(plan, inputs=inputs, person_inputs=person)

    def _content(self, plan: ClipPlan) -> dict[str, Any]:
        names = [field.name for field in fields(plan) if field.name not in _LABELS_OF_PLAN]
        content = {name: getattr(plan, name) for name in names}
        if plan.recording is not None:
            content["recording"] = self._recording(plan.recording)
        return content

    def _recording(self, recording: Recording) -> Any:
        """What the config says about it and what its files hold."""
        if recording not in self._of_recordings:
            files = [Path(recording.path), *([] if recording.osim is None else [Path(recording.osim)])]
            hashes = [self._hashes.of(path) for path in files]
            if files[0].suffix.lower() == ".amc":
                hashes.append(self._skeleton_hash(files[0]))
            told = recording.model_dump(exclude={"path", "osim"}) | {"file": files[0].name}
            self._of_recordings[recording] = [told, hashes]
        return self._of_recordings[recording]

    def _skeleton_hash(self, amc: Path) -> str:
        if amc.parent not in self._skeletons:
            self._skeletons[amc.parent] = skeletons_beside(amc)
        try:
            return self._hashes.of(skeleton_of(amc, self._skeletons[amc.parent]))
        except OdahError:
            return UNREADABLE


def _digest(*parts: Any) -> str:
    text = json.dumps([CONTENT_VERSION, *parts], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _of_one_clip(config: GenerateConfig) -> dict[str, Any]:
    """The settings that shape a clip, without paths and without what says which clips there are."""
    settings = portable(config)
    settings["body"] = "open" if config.body == "open" else "a file"
    settings["registration"] = None
    settings["cameras"] |= {"calibration": None}
    settings["clothing"] |= {"pictures": None, "garments": None}
    for section, names in _OF_ALL_CLIPS.items():
        for name in names:
            (settings[section] if section else settings).pop(name, None)
    return settings


def _shared_files(config: GenerateConfig, folder: Path, hashes: FileHashes) -> Mapping[str, Any]:
    """Hashes of the files that all clips are made from."""

    def hash_of(path: str | None) -> str | None:
        return None if path is None else hashes.of(folder / Path(path).expanduser())

    return {
        "body": None if config.body == "open" else hash_of(config.body),
        "registration": hash_of(config.registration),
        "calibration": hash_of(config.cameras.calibration),
        "clothes": [(path.name, hashes.of(path)) for path in _clothes_files(config, folder)],
    }


def _clothes_files(config: GenerateConfig, folder: Path) -> list[Path]:
    clothing = config.clothing
    if not (clothing.pictures or clothing.garments):
        return []
    from odah.clothing.makehuman.garment import garment_files
    from odah.clothing.wardrobe import picture_files

    garments = [garment_files(folder / Path(path).expanduser()) for path in clothing.garments]
    return [*picture_files(clothing.pictures, folder), *(file for files in garments for file in files)]
