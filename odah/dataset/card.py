"""The dataset's own README: what it is, what is in it, whose it is, and what it cannot do."""

from __future__ import annotations

from importlib.resources import files
from itertools import islice
from typing import Any

import jinja2
import pyarrow as pa
import yaml

from odah.dataset.index import read_index
from odah.dataset.index_columns import CONTENT
from odah.dataset.label_conventions import coordinate_rows
from odah.dataset.licences import OPEN_BODY, hub_licence, licences, terms_to_mind
from odah.dataset.records import read_info
from odah.dataset.schema import DatasetPaths
from odah.dataset.summary import counted, counted_subsets, people, residuals, split_summaries, spread
from odah.files import atomic_path

_MOST_LISTED = 40
"""Names in a list; of the others the card gives the number."""
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
"""Size categories of the Hugging Face hub, by clips."""


def write_card(paths: DatasetPaths) -> None:
    """Write `README.md` from `dataset.json` and the index.

    Raises:
        InputError: one of the two cannot be used.
    """
    info, index = read_info(paths), read_index(paths, CONTENT)
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["counts"] = _counts
    environment.filters["cell"] = _cell
    template = environment.from_string(files("odah.dataset").joinpath("card.md.j2").read_text())
    persons = people(index)
    text = template.render(
        info=info,
        front_matter=front_matter(info, index),
        terms=terms_to_mind(index),
        size=_size(info, index),
        num_clips=len(index),
        num_frames=sum(index["num_frames"].to_pylist()),
        seconds=sum(index["duration"].to_pylist()),
        num_subjects=len(index["subject"].unique()),
        num_persons=len(persons),
        splits=split_summaries(index),
        subsets=counted_subsets(index),
        genders=counted(persons, "gender"),
        spreads={name: spread(persons, name) for name in ("age", "height", "mass", "bmi")},
        by={name: counted(index, name) for name in ("action", "room", "upper", "lower", "texture_licence")},
        motions=counted(index, "motion_format", "motion_licence"),
        bodies=counted(index, "body_kind", "body_licence"),
        renderers=counted(index, "engine", "device", "blender_version"),
        is_open=set(index["body_kind"].to_pylist()) <= {OPEN_BODY},
        coordinates=coordinate_rows(info["coordinate_names"], info["coordinate_ranges"]),
        residuals=residuals(index),
        flagged=[clip for clip, flags in _columns(index, "clip", "flags") if flags],
        most_listed=_MOST_LISTED,
    )
    with atomic_path(paths.card) as temporary:
        temporary.write_text(text)


def front_matter(info: dict[str, Any], index: pa.Table) -> str:
    """The YAML at a card's head, by which the Hugging Face hub and its `datasets` know the files."""
    licence = hub_licence(licences(index))
    splits = [{"split": row.name, "path": f"splits/{row.name}.parquet"} for row in split_summaries(index)]
    size = next((name for most, name in _SIZES if len(index) < most), "n>1M")
    head: dict[str, Any] = {"pretty_name": info["name"], "license": licence}
    if licence == "other":
        head |= {"license_name": "by-clip", "license_link": "README.md#licences"}
    head |= {
        "task_categories": ["keypoint-detection", "image-segmentation", "video-classification"],
        "tags": ["biomechanics", "opensim", "human-pose-estimation", "joint-angles", "synthetic", "video"],
        "size_categories": [size],
    }
    if splits:
        head["configs"] = [{"config_name": "default", "data_files": splits}]
    return yaml.safe_dump(head, sort_keys=False, allow_unicode=True)


def _columns(index: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(index[name].to_pylist() for name in names), strict=True))


def _size(info: dict[str, Any], index: pa.Table) -> str:
    if info["crop_size"] is not None:
        return f"crops of {info['crop_size']}x{info['crop_size']} px"
    sizes = sorted(counted(index, "picture_size"))
    return f"{' and '.join(sizes)} px" if sizes else "px"


def _counts(counts: dict[str, int], most: int = _MOST_LISTED) -> str:
    """ "walking (3), running (1) and 5 more"."""
    told = ", ".join(f"{_cell(name)} ({count})" for name, count in islice(counts.items(), most))
    return f"{told} and {len(counts) - most} more" if len(counts) > most else told


def _cell(text: str) -> str:
    """Text of others in Markdown, on one line of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
