"""The XML of OpenSim set-up files: opened with what they include, read with errors that name the field."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from odah.errors import InputError
from odah.files import existing_file, read_text
from odah.osim.document import Node

_DOCUMENT_VERSION = "40000"
_UNASSIGNED = ("", "unassigned")


def open_setup(path: str | Path, kind: str) -> tuple[ET.Element, ET.Element]:
    """The document (its version says how OpenSim must read it) and the `kind` element in it.

    An element with a `file` attribute is replaced by the one of its tag in that file, as OpenSim does.

    Raises:
        InputError: the file, or one that it includes, is not XML or holds something else.
    """
    return _open(Path(path), kind, ())


def read_tool(path: str | Path, kind: str) -> ET.Element:
    """The `kind` element (`ScaleTool`, `InverseKinematicsTool`, `MarkerSet`) of a file.

    Raises:
        InputError: the file is not XML, or holds another kind.
    """
    return open_setup(path, kind)[1]


def tool_node(path: str | Path, kind: str) -> Node:
    """The same as `read_tool`, with the file's defaults and errors that name file and field."""
    tool = read_tool(path, kind)
    blocks = tool.find("defaults")
    return Node(tool, str(path), {} if blocks is None else {block.tag: block for block in blocks})


def objects(node: Node, set_tag: str, tag: str) -> list[Node]:
    """The `tag` elements of one of OpenSim's sets; none where the set is missing."""
    return [child for child in node.children(set_tag) if child.tag == tag]


def named_file(node: Node, field: str) -> Path | None:
    """The file that a field names, relative to the set-up; None if it names none.

    Raises:
        InputError: no file can have such a name.
    """
    text = node.text(field, "").replace("\\", "/")
    if text.lower() in _UNASSIGNED:
        return None
    try:
        path = (Path(node.path).parent / text).resolve()
        path.exists()
    except OSError as error:
        raise InputError(
            f"{node.path}, {field}", f"{text[:40]!r} ({error.strerror})", "the name of a file"
        ) from None
    return path


def named_input(node: Node, field: str, kind: str) -> Path | None:
    """The same, where the file must exist.

    Raises:
        InputError: it does not, or is empty or a folder.
    """
    source = named_file(node, field)
    if source is None:
        return None
    try:
        return existing_file(source, kind)
    except InputError as error:
        found = "which does not exist" if error.found == "no such file" else error.found
    raise InputError(f"{node.path}, {field}", f"{source}, {found}", kind)


def read_time_range(node: Node) -> tuple[float, float]:
    """First and last time of a `time_range`, s, either may be infinite; -1 to -1 where there is none.

    Raises:
        InputError: it is not two numbers.
    """
    text = node.text("time_range", "-1 -1")
    try:
        first, last = (float(word) for word in text.split())
    except ValueError:
        first = last = np.nan
    if np.isnan([first, last]).any():
        raise InputError(f"{node.where}, time_range", repr(text[:40]), "two times in s")
    return first, last


def new_document(tag: str, name: str) -> tuple[ET.Element, ET.Element]:
    """A document of today's format, and a `tag` element in it."""
    document = ET.Element("OpenSimDocument", Version=_DOCUMENT_VERSION)
    return document, ET.SubElement(document, tag, name=name)


def descend(element: ET.Element, path: str) -> ET.Element:
    """The element at `path`, made where it is missing."""
    for tag in path.split("/"):
        child = element.find(tag)
        element = ET.SubElement(element, tag) if child is None else child
    return element


def put(element: ET.Element, path: str, text: str) -> None:
    """Set the text of the element at `path`, made where it is missing."""
    descend(element, path).text = text


def joined(values: Iterable[float]) -> str:
    """Numbers as OpenSim lists them, which read back as the same float64."""
    return " ".join(repr(float(value)) for value in values)


def write_document(path: Path, document: ET.Element) -> Path:
    ET.ElementTree(document).write(path, encoding="UTF-8", xml_declaration=True)
    return path


def _open(path: Path, kind: str, includers: tuple[Path, ...]) -> tuple[ET.Element, ET.Element]:
    expected = f"an OpenSim file with a <{kind}>"
    if path.resolve() in includers:
        raise InputError(path, "a file that includes itself", expected)
    try:
        document = ET.fromstring(read_text(path, expected))
    except ET.ParseError as error:
        raise InputError(path, f"ill-formed XML ({error})", expected) from None
    except OSError as error:
        raise InputError(path, str(error.strerror), expected) from None
    tool = document if document.tag == kind else document.find(kind)
    if tool is None:
        inside = next((child.tag for child in document), document.tag)
        raise InputError(path, f"<{inside}>", expected)
    _include(tool, path, (*includers, path.resolve()))
    return document, tool


def _include(element: ET.Element, path: Path, includers: tuple[Path, ...]) -> None:
    for index, child in enumerate(element):
        name = child.get("file", "").strip().replace("\\", "/")
        if name.lower() in _UNASSIGNED:
            _include(child, path, includers)
        else:
            element[index] = _open(path.parent / name, child.tag, includers)[1]
