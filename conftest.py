"""Shape annotations are checked in tests only; the hook must come before any import of the package."""

from pathlib import Path

from jaxtyping import install_import_hook

_ROOT = Path(__file__).parent
_REFUSES_SHAPES_ITSELF = _ROOT / "odah/body/body_model.py"
_ANNOTATED = [
    ".".join(path.relative_to(_ROOT).with_suffix("").parts)
    for path in sorted((_ROOT / "odah").rglob("*.py"))
    if path != _REFUSES_SHAPES_ITSELF and "from jaxtyping import" in path.read_text()
]

install_import_hook(_ANNOTATED, "beartype.beartype")
