"""Every kind of room there is."""

from __future__ import annotations

from odah.scene.rooms import clinic, gait_lab, gym, living_room
from odah.scene.rooms.style import RoomStyle

STYLES: dict[str, RoomStyle] = {
    "plain": RoomStyle(
        floors=("planks", "tiles", "concrete", "carpet"),
        walls=("plaster", "paint", "bricks", "light concrete"),
    ),
    "gait_lab": gait_lab.STYLE,
    "clinic": clinic.STYLE,
    "gym": gym.STYLE,
    "living_room": living_room.STYLE,
    "outdoor": RoomStyle(floors=("grass", "paving", "asphalt", "sand", "concrete"), walls=()),
    "studio": RoomStyle(floors=("concrete", "vinyl", "planks", "carpet"), walls=()),
}
"""By `Room.kind`; those without walls are open sets."""
