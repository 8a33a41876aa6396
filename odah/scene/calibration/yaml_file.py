"""Calibration files in YAML, OpenCV's included."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from odah.errors import InputError
from odah.scene.calibration.records import Records, listed


class _OpenCVLoader(yaml.SafeLoader):
    """Plain YAML, and OpenCV's matrices as the mappings they are."""


_OpenCVLoader.add_constructor("tag:yaml.org,2002:opencv-matrix", _OpenCVLoader.construct_yaml_map)


def read_yaml(path: Path, text: str) -> Records:
    """The cameras of a YAML file.

    Raises:
        InputError: damaged, or of another structure.
    """
    # OpenCV opens its files with "%YAML:1.0", which no reader of YAML but its own understands.
    body = re.sub(r"\A%YAML[^\n]*\n", "", text)
    try:
        document = yaml.load(body, _OpenCVLoader)
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(path, " ".join(str(error).split())[:200], "valid YAML") from None
    except (TypeError, AttributeError):  # PyYAML on keys that cannot be keys, tags on the wrong kind of node
        raise InputError(path, "keys or tags that make no sense", "valid YAML") from None
    if isinstance(document, dict) and "cameras" not in document:
        document = [{"name": document.get("camera_name", path.stem), **document}]
    return listed(path, document)
