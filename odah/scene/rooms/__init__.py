"""Rooms built by code: a box, what is on its walls, and furniture out of everybody's way."""

from odah.scene.rooms.build import sample_room
from odah.scene.rooms.furnish import furnish
from odah.scene.rooms.furniture import stool

__all__ = ["furnish", "sample_room", "stool"]
