"""Which body a frame of a model file is fixed to, and where on it."""

from __future__ import annotations

import posixpath

import numpy as np

from odah.errors import InputError
from odah.osim.document import Node
from odah.osim.model import GROUND, euler_xyz_to_rotmat, rigid


class FrameTable:
    """All frames of a model by absolute path: ground, bodies, and offset frames hung on these or each other.

    An offset frame hung on another offset frame is resolved to its place on the body. OpenSim would
    scale such a chain link by link; here its place on the body is scaled.
    """

    def __init__(self, model: Node) -> None:
        self._bases = {f"/{GROUND}": GROUND}
        self._offsets: dict[str, Node] = {}
        bodies = model.children("BodySet")
        for body in bodies:
            self._bases[f"/bodyset/{body.name}"] = body.name
        owners = [("/ground", model.wrap(element)) for element in model.element.findall("Ground")]
        owners += [(f"/bodyset/{body.name}", body) for body in bodies]
        owners += [(f"/jointset/{joint.name}", joint) for joint in model.children("JointSet")]
        for owner, node in owners:
            for frame in node.children("frames") + node.children("components"):
                self._add(owner, frame)
        for frame in model.children("ComponentSet"):
            self._add("/componentset", frame)
        for frame in model.children("components"):
            self._add("", frame)

    def _add(self, owner: str, frame: Node) -> None:
        if frame.tag.endswith("OffsetFrame"):
            self._offsets[f"{owner}/{frame.name}"] = frame

    def locate(self, node: Node, socket: str, owner: str) -> tuple[str, np.ndarray]:
        """The body (or ground) and the (4, 4) place on it of the frame that `node`'s socket names.

        Args:
            owner: absolute path of the object that holds the socket.
        """
        path = self._resolve(node, socket, owner)
        T, seen = np.eye(4), set()
        while path not in self._bases:
            if path in seen:
                raise InputError(f"{node.where}, {socket}", "frames hung on each other", "a chain to a body")
            seen.add(path)
            frame = self._offsets[path]
            rotmat = euler_xyz_to_rotmat(frame.vector("orientation", 3, (0.0, 0.0, 0.0)))
            T = rigid(frame.vector("translation", 3, (0.0, 0.0, 0.0)), rotmat) @ T
            path = self._resolve(frame, "socket_parent", path)
        return self._bases[path], T

    def _resolve(self, node: Node, socket: str, owner: str) -> str:
        """Absolute path of a connected frame, found as OpenSim does: by path, else by its name alone."""
        text = node.text(socket)
        for base in (owner, posixpath.dirname(owner)):
            path = posixpath.normpath(posixpath.join(base, text))
            if path in self._bases or path in self._offsets:
                return path
        name = posixpath.basename(text)
        alike = [path for path in (*self._bases, *self._offsets) if posixpath.basename(path) == name]
        if len(alike) != 1:
            raise InputError(
                f"{node.where}, {socket}", repr(text), "the path of a body or frame in this file"
            )
        return alike[0]
