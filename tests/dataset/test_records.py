import json
from pathlib import Path

import pytest

from odah import __version__
from odah.dataset.reader import open_dataset
from odah.dataset.schema import SCHEMA_VERSION
from odah.errors import InputError


def with_version(path: Path, version: object) -> None:
    info = json.loads(path.read_text()) | {"schema_version": version, "odah_version": "9.8"}
    path.write_text(json.dumps(info))


@pytest.mark.parametrize(
    ("version", "told"),
    [
        (
            SCHEMA_VERSION + 1,
            f"newer odah (9.8), expected {SCHEMA_VERSION}; this is odah {__version__}: upgrade odah",
        ),
        (SCHEMA_VERSION - 1, f"older odah (9.8), expected {SCHEMA_VERSION}; make the dataset again"),
        ("four", f"found 'four', expected {SCHEMA_VERSION}"),
    ],
)
def test_a_dataset_of_another_version_says_what_to_do(made_up, version: object, told: str) -> None:
    paths = made_up().paths
    with_version(paths.info, version)
    with pytest.raises(InputError) as caught:
        open_dataset(paths.root)
    assert str(caught.value).startswith(f"{paths.info}: schema_version: found ")
    assert told in str(caught.value)
