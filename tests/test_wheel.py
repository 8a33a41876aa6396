"""What pip installs has every file that a checkout has, and works without the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOADED = """
import sys
from pathlib import Path
import odah
assert Path(odah.__file__).is_relative_to(sys.argv[1]), odah.__file__
from odah.assets import asset_path
from odah.estimator.checkpoint import load_checkpoint
from odah.estimator.config_file import load_train_config
for path in asset_path("configs/train").glob("*.yaml"):
    print(load_train_config(path).name)
for path in (Path(odah.__file__).parent / "estimator" / "weights").glob("*.pt"):
    load_checkpoint(path.stem)
    print(path.name)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel, which is all that an installation of one is."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    code = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, folder], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def files_under(folder: Path) -> set[str]:
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in paths if path.parent.name != "__pycache__"}


def test_every_file_of_the_package_is_in_it(installed: Path) -> None:
    packed = files_under(installed / "odah")
    assert not files_under(ROOT / "odah") - packed
    assert {"dataset/report/templates/page.html.j2", "osim/full_body.yaml"} <= packed


@pytest.mark.parametrize("folder", ["configs", "regressors", "blender_scenes"])
def test_files_beside_the_package_are_in_it(installed: Path, folder: str) -> None:
    beside = files_under(ROOT / folder)
    assert beside
    assert not beside - files_under(installed / "odah" / "_assets" / folder)


def test_networks_and_training_configs_load_from_it(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, installed], cwd=tmp_path, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (ROOT / "odah" / "estimator" / "weights").glob("*.pt")}
    assert {"paper", "compact"} | names <= set(done.stdout.split())
