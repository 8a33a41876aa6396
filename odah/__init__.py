"""odah: OpenSim Driven Animated Humans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from odah.dataset.reader import Dataset, open_dataset

__version__ = "0.1.0"
__all__ = ["Dataset", "__version__", "open_dataset"]


def __getattr__(name: str) -> Any:
    """Imported when first used, so that `import odah` is instant."""
    if name in ("Dataset", "open_dataset"):
        from odah.dataset import reader

        return getattr(reader, name)
    raise AttributeError(f"module 'odah' has no attribute {name!r}")
