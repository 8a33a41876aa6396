"""`croissant.json`: the dataset told to machines, JSON-LD in the Croissant 1.0 vocabulary of MLCommons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from odah.dataset.index import read_index
from odah.dataset.index_columns import CONTENT, STATE, Column, Kind, index_columns
from odah.dataset.licences import licences, spdx_names, terms_to_mind
from odah.dataset.records import read_info
from odah.dataset.schema import DatasetPaths, file_hash
from odah.dataset.writer import write_json

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""As the specification gives it."""
_DATA_TYPES: dict[Kind, str] = {
    "text": "sc:Text",
    "number": "sc:Float",
    "count": "sc:Integer",
    "texts": "sc:Text",
}
_FILE_SETS = (
    ("videos", "Pictures: a video a view", "video/mp4", "clips/*/*.mp4"),
    (
        "label-videos",
        "Masks and other labels as pictures, lossless (FFV1)",
        "video/x-matroska",
        "clips/*/*.mkv",
    ),
    ("labels", "Labels as numpy arrays", "application/zip", "clips/*/labels.npz"),
    ("kinematics", "Coordinates, OpenSim's .mot, degrees", "text/plain", "clips/*/kinematics.mot"),
    ("markers", "The model's markers, .trc, mm", "text/plain", "clips/*/markers.trc"),
    ("records", "A clip's scene, sources, error budget and hashes", "application/json", "clips/*/clip.json"),
    ("models", "Scaled OpenSim models", "application/xml", "subjects/*/model.osim"),
)
"""Id, description, encoding format, pattern of paths."""


def write_croissant(paths: DatasetPaths) -> None:
    """Write `croissant.json` from `dataset.json` and the index, whose hashes it holds.

    Raises:
        InputError: one of the two cannot be used.
    """
    info, index = read_info(paths), read_index(paths, CONTENT)
    write_json(
        paths.croissant,
        {
            "@context": _CONTEXT,
            "@type": "sc:Dataset",
            "name": info["name"],
            "conformsTo": CONFORMS_TO,
            "description": " ".join([_description(info, len(index)), *terms_to_mind(index)]),
            "license": _licence(licences(index)),
            "version": f"{info['schema_version']}.0.0",
            "citeAs": f"{info['name']}, seed {info['seed']}, made with odah {info['odah_version']}",
            "keywords": [
                "biomechanics",
                "OpenSim",
                "joint angles",
                "human pose estimation",
                "synthetic",
                "video",
            ],
            "distribution": [
                _file_object("index.parquet", "A row a clip", "application/x-parquet", paths),
                _file_object("dataset.json", "Config, names, ranges, units", "application/json", paths),
                *(_file_set(*row) for row in _FILE_SETS),
            ],
            "recordSet": [_clips(index_columns(info))],
        },
    )


def _licence(names: list[str]) -> list[str]:
    """Addresses where all licences have one, else their names."""
    spdx = spdx_names(names)
    if spdx is None:
        return names or ["none yet, for there is no clip"]
    return [f"https://spdx.org/licenses/{name}.html" for name in spdx]


def _description(info: dict[str, Any], num_clips: int) -> str:
    return (
        f"{num_clips} clips of synthetic people, views: {', '.join(info['views'])}. An OpenSim full-body "
        "model moved them, so that joint angles are known exactly; with joints, markers, bone scales, "
        "cameras, masks and body parts."
    )


def _file_object(name: str, description: str, encoding: str, paths: DatasetPaths) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "description": description,
        "contentUrl": name,
        "encodingFormat": encoding,
        "sha256": file_hash(paths.root / name),
    }


def _file_set(name: str, description: str, encoding: str, pattern: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "description": description,
        "encodingFormat": encoding,
        "includes": pattern,
    }


def _clips(columns: Sequence[Column]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "clips",
        "name": "clips",
        "description": "A row a clip; paths start from the dataset's folder.",
        "key": {"@id": "clips/clip"},
        "field": [_field(column) for column in columns if column not in STATE],
    }


def _field(column: Column) -> dict[str, Any]:
    field = {
        "@type": "cr:Field",
        "@id": f"clips/{column.name}",
        "name": column.name,
        "description": column.meaning,
        "dataType": _DATA_TYPES[column.kind],
        "source": {"fileObject": {"@id": "index.parquet"}, "extract": {"column": column.name}},
    }
    return field | {"repeated": True} if column.kind == "texts" else field
