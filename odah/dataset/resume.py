"""What of a dataset is there already: told by digests of inputs, so that what changed is made again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from odah.dataset.index import read_index, update_index
from odah.dataset.plan import ClipPlan
from odah.dataset.records import read_record
from odah.dataset.schema import DatasetPaths
from odah.dataset.writer import write_json
from odah.files import drop_unfinished
from odah.locks import locked
from odah.wording import clips_told, some_of


@dataclass(frozen=True)
class Found:
    """Plans by what there is of them, and orphans: finished clips that no plan names.

    changed: were made from other inputs, or their record cannot be read. relabelled: are the same, but in
    another split or other subsets.
    """

    finished: tuple[ClipPlan, ...]
    changed: tuple[ClipPlan, ...]
    missing: tuple[ClipPlan, ...]
    relabelled: tuple[ClipPlan, ...]
    orphans: tuple[str, ...]

    @property
    def waiting(self) -> list[ClipPlan]:
        """What is to be made."""
        return [*self.changed, *self.missing]

    def sentences(self) -> list[str]:
        """What a user is told; nothing of a dataset that is new."""
        count = len(self.finished) + len(self.waiting)
        lines = []
        if self.finished:
            lines.append(f"{len(self.finished)} of {count} clips are finished already")
        if self.changed:
            names = some_of([plan.clip_id for plan in self.changed])
            lines.append(f"{clips_told(len(self.changed))} made from other inputs, to be made again: {names}")
        if self.relabelled:
            names = some_of([plan.clip_id for plan in self.relabelled])
            lines.append(f"{clips_told(len(self.relabelled))} now in another split or other subsets: {names}")
        if self.orphans:
            names = some_of(self.orphans)
            lines.append(
                f"{clips_told(len(self.orphans))} that the config does not name, left as they are: {names}"
            )
        return lines


def find_clips(paths: DatasetPaths, plans: Sequence[ClipPlan], all_ids: Collection[str]) -> Found:
    """Compare plans, which have their digests, with the dataset's folder.

    all_ids: of all clips of the config, also those that other shards make.

    Raises:
        InputError: `dataset.json` cannot be used.
    """
    known = _known(paths)
    finished, changed, missing, relabelled = [], [], [], []
    for plan in plans:
        there = known.get(plan.clip_id)
        if there is None:
            (changed if paths.clip(plan.clip_id).exists() else missing).append(plan)
        elif there[0] != plan.inputs:
            changed.append(plan)
        else:
            finished.append(plan)
            if there[1:] != (plan.split, plan.subsets):
                relabelled.append(plan)
    orphans = sorted(known.keys() - set(all_ids))
    return Found(tuple(finished), tuple(changed), tuple(missing), tuple(relabelled), tuple(orphans))


def relabel(paths: DatasetPaths, plans: Sequence[ClipPlan]) -> None:
    """Write the split and subsets of finished clips into their records."""
    for plan in plans:
        path = paths.clip(plan.clip_id) / "clip.json"
        drop_unfinished(path.parent)
        write_json(path, read_record(path) | {"split": plan.split, "subsets": list(plan.subsets)})


def drop_remains(paths: DatasetPaths, clip_ids: Collection[str] | None) -> None:
    """Remove what runs that were killed left half made.

    clip_ids: those that this run makes; None if no other run is here, so that all remains are nobody's.
    """
    drop_unfinished(paths.clips, clip_ids)
    shared = {
        "subjects": ((paths.subjects, None), (paths.root, {paths.info.name})),
        "describe": ((paths.root, {path.name for path in (paths.index, paths.card, paths.croissant)}),
                     (paths.splits, None)),
        "hashes": ((paths.state, None),),
    }  # fmt: skip
    for lock, folders in shared.items():
        with locked(paths.lock(lock)) as is_held:
            if is_held or clip_ids is None:
                for folder, names in folders:
                    drop_unfinished(folder, names)


def _known(paths: DatasetPaths) -> dict[str, tuple[str | None, str, tuple[str, ...]]]:
    """By clip the digest of its inputs, its split and its subsets."""
    if not paths.info.is_file():
        return {}
    paths.state.mkdir(exist_ok=True)
    with locked(paths.lock("describe")):  # or another shard that starts takes its files for remains
        update_index(paths)
        table = read_index(paths, ("clip", "inputs", "split", "subsets"))
    ids, *columns = (column.to_pylist() for column in table.columns)
    return {
        clip_id: (inputs, split, tuple(subsets or ()))
        for clip_id, inputs, split, subsets in zip(ids, *columns, strict=True)
    }
