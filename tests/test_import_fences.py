"""A later stage may import an earlier one, never the other way; foreign packages stay in their files."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STAGES = ("motion", "osim", "body", "clothing", "scene", "render", "dataset", "estimator", "benchmark")
SHARED = {
    *("names", "errors", "files", "locks", "scratch", "stopping", "workers", "progress", "assets", "config"),
    *("sections", "wording", "__version__"),
}
BLENDER_MAY_IMPORT = {"numpy", "bpy", "gpu", "mathutils"}
FENCED = {"opensim": "odah/osim", "smplx": "odah/body", "anny": "odah/body/build", "bpy": "blender_scenes"}
STDLIB = set(__import__("sys").stdlib_module_names)


def imported_modules(path: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return modules


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", python_files("odah"), ids=lambda path: str(path.relative_to(ROOT)))
def test_stages_import_only_earlier_ones(path: Path) -> None:
    parts = path.relative_to(ROOT / "odah").parts
    if parts[0] not in STAGES:
        return
    allowed = set(STAGES[: STAGES.index(parts[0]) + 1]) | SHARED
    inner = {module.split(".")[1] for module in imported_modules(path) if module.startswith("odah.")}
    assert inner <= allowed, f"{parts[0]} imports {sorted(inner - allowed)}"


@pytest.mark.parametrize("path", python_files("blender_scenes"), ids=lambda path: path.name)
def test_blender_files_import_only_stdlib_numpy_and_bpy(path: Path) -> None:
    siblings = {other.stem for other in python_files("blender_scenes")}
    tops = {module.split(".")[0] for module in imported_modules(path)}
    assert tops <= STDLIB | BLENDER_MAY_IMPORT | siblings


@pytest.mark.parametrize("package", FENCED)
def test_foreign_packages_stay_in_their_folder(package: str) -> None:
    users = [
        path.relative_to(ROOT).as_posix()
        for folder in ("odah", "blender_scenes")
        for path in python_files(folder)
        if package in {module.split(".")[0] for module in imported_modules(path)}
    ]
    assert all(user.startswith(FENCED[package]) for user in users), users
    limit = {"opensim": 2, "smplx": 1}.get(package)
    assert limit is None or len(users) <= limit, users


def test_fences_see_imports() -> None:
    assert "odah.osim.model.Model" in imported_modules(ROOT / "odah/osim/fk.py")


@pytest.mark.parametrize(
    "module", ["odah.cli", "odah.config", "odah.pipeline.recordings", "odah.pipeline.animation"]
)
def test_kinematics_needs_nothing_of_the_extra_for_pictures(module: str) -> None:
    block = "import sys; sys.modules.update(dict.fromkeys(['cv2', 'numba', 'av', 'pyarrow', 'jinja2']))"
    done = subprocess.run(
        [sys.executable, "-c", f"{block}; import {module}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
