"""The XML of an `.osim` file: opened, checked, its properties read with errors that name them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from odah.errors import InputError
from odah.files import read_text

OLDEST_VERSION = 40000
"""The first format with joints apart from bodies, frames as offset frames, and sockets."""

_KIND = "an OpenSim model (.osim)"
_CLASS_SCOPE = re.compile(r"(</?[A-Za-z_][\w.-]*)::")
_BOOLS = {"true": True, "1": True, "false": False, "0": False}


def open_document(path: str | Path) -> tuple[ET.Element, int]:
    """The root element of an OpenSim file and its format version.

    Raises:
        InputError: missing, empty, not XML, or not an OpenSim document.
    """
    text = _CLASS_SCOPE.sub(r"\1__", read_text(path, _KIND))  # OpenSim writes <A::b>, which is no XML
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise InputError(path, f"broken XML ({error})", _KIND) from None
    if root.tag != "OpenSimDocument" or root.find("Model") is None:
        raise InputError(path, f"<{root.tag}> without a <Model>", _KIND)
    version = root.get("Version", "")
    if not version.isdecimal():
        raise InputError(f"{path}, OpenSimDocument Version", repr(version), "a number such as 40000")
    return root, int(version)


@dataclass(frozen=True)
class Node:
    """An OpenSim object in a file: an element, the file's defaults for its class, and where it is."""

    element: ET.Element
    path: str
    defaults: dict[str, ET.Element]

    @property
    def tag(self) -> str:
        return self.element.tag

    @property
    def name(self) -> str:
        name = self.element.get("name", "")
        if not name:
            raise InputError(f"{self.path}, {self.tag}", "no name", "a name")
        return name

    @property
    def where(self) -> str:
        return f"{self.path}, {self.tag} {self.element.get('name', '')!r}"

    def wrap(self, element: ET.Element) -> Node:
        return Node(element, self.path, self.defaults)

    def find(self, tag: str) -> ET.Element | None:
        """A property's element: the object's own, or else the file's default for the class."""
        found = self.element.find(tag)
        if found is None and self.tag in self.defaults:
            found = self.defaults[self.tag].find(tag)
        return found

    def child(self, tag: str) -> Node:
        found = self.find(tag)
        if found is None:
            raise InputError(f"{self.where}, {tag}", "nothing", "this element")
        return self.wrap(found)

    def children(self, tag: str) -> list[Node]:
        """Objects listed inside <tag>, or inside its <objects> where it is a set; none without <tag>."""
        found = self.find(tag)
        if found is None:
            return []
        objects = found.find("objects")
        return [self.wrap(element) for element in (found if objects is None else objects)]

    def text(self, tag: str, default: str | None = None) -> str:
        found = self.find(tag)
        if found is not None and found.text and found.text.strip():
            return found.text.strip()
        if default is None:
            raise InputError(f"{self.where}, {tag}", "nothing", "a value")
        return default

    def words(self, tag: str) -> tuple[str, ...]:
        return tuple(self.text(tag, "").split())

    def flag(self, tag: str, default: bool) -> bool:
        text = self.text(tag, str(default)).lower()
        if text not in _BOOLS:
            raise InputError(f"{self.where}, {tag}", repr(text), "true or false")
        return _BOOLS[text]

    def numbers(self, tag: str, default: tuple[float, ...] | None = None) -> np.ndarray:
        """All numbers of a property, (n,); finite."""
        if default is not None and not self.text(tag, ""):
            return np.array(default, dtype=np.float64)
        text = self.text(tag).strip("()").replace(",", " ")
        try:
            values = np.array([float(word) for word in text.split()])
        except ValueError:
            raise InputError(f"{self.where}, {tag}", repr(text[:40]), "numbers") from None
        if not np.isfinite(values).all():
            raise InputError(f"{self.where}, {tag}", repr(text[:40]), "finite numbers")
        return values

    def vector(self, tag: str, size: int, default: tuple[float, ...] | None = None) -> np.ndarray:
        values = self.numbers(tag, default)
        if len(values) != size:
            raise InputError(f"{self.where}, {tag}", f"{len(values)} numbers", f"{size} numbers")
        return values

    def number(self, tag: str, default: float | None = None) -> float:
        return float(self.vector(tag, 1, None if default is None else (default,))[0])
