"""What a dataset says about itself, written anew from its clips: index, card, Croissant."""

from __future__ import annotations

from odah.dataset.card import write_card
from odah.dataset.croissant import write_croissant
from odah.dataset.index import update_index
from odah.dataset.schema import DatasetPaths
from odah.locks import locked
from odah.progress import say


def describe_dataset(paths: DatasetPaths) -> int:
    """Write index, splits, card and Croissant description; returns the number of clips.

    Clips whose records are damaged are told and left out. Where several runs end at the same time, they take
    turns, so that the files agree with each other.

    Raises:
        InputError: `dataset.json` cannot be used.
    """
    paths.state.mkdir(exist_ok=True)
    with locked(paths.lock("describe")):
        update = update_index(paths)
        write_card(paths)
        write_croissant(paths)
    for why in update.damaged:
        say(f"left out of the index: {why}")
    return update.num_clips
