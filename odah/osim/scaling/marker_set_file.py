"""OpenSim's MarkerSet files, of any version: which markers sit where on a model, and which of them stay."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from pathlib import Path

from odah.errors import InputError
from odah.osim.document import Node, open_document
from odah.osim.model import GROUND, Marker, Model
from odah.osim.setup_document import objects, tool_node

_FRAME_TAGS = ("socket_parent_frame", "socket_parent_frame_connectee_name", "body")
"""Where a marker's body stands: since version 40000, in its forerunners, before 30500."""


@dataclass(frozen=True, eq=False)
class MarkedModel:
    """A model, and the names of its markers that marker placement leaves where they are."""

    model: Model
    fixed: frozenset[str] = frozenset()

    def with_marker_set(self, path: str | Path) -> MarkedModel:
        """Markers of the same name replaced, others added after those kept, as OpenSim does.

        Raises:
            InputError: not a marker set, or a marker of it on no body of the model.
        """
        nodes = {node.name: node for node in objects(tool_node(path, "MarkerSet"), "objects", "Marker")}
        kept = tuple(marker for marker in self.model.markers if marker.name not in nodes)
        added = tuple(_read_marker(node, self.model) for node in nodes.values())
        fixed = {name for name, node in nodes.items() if _is_fixed(node)}
        model = self.model.with_markers((*kept, *added))
        return MarkedModel(model, self.fixed.difference(nodes).union(fixed))


def fixed_markers(model_path: str | Path) -> frozenset[str]:
    """The markers that a model file says are fixed."""
    element = open_document(model_path)[0].find("Model")
    assert element is not None  # open_document has looked
    blocks = element.find("defaults")
    defaults = {} if blocks is None else {block.tag: block for block in blocks}
    nodes = objects(Node(element, str(model_path), defaults), "MarkerSet", "Marker")
    return frozenset(node.name for node in nodes if _is_fixed(node))


def _read_marker(node: Node, model: Model) -> Marker:
    text = next((text for tag in _FRAME_TAGS if (text := node.text(tag, ""))), "")
    body = posixpath.basename(text)
    if body not in (GROUND, *model.body_names):
        raise InputError(f"{node.where}, body", repr(text), f"a body of the model {model.name!r}")
    return Marker(node.name, body, node.vector("location", 3, (0.0, 0.0, 0.0)))


def _is_fixed(node: Node) -> bool:
    return node.flag("fixed", False)
