"""The orders in which a model's joints and couplers have to be computed."""

from __future__ import annotations

from odah.osim.model import GROUND, Coupler, Joint


def tree_levels(joints: tuple[Joint, ...]) -> list[list[int]]:
    """Indices of joints by depth: level 0 hangs on ground, level k on bodies of level k - 1."""
    levels: list[list[int]] = []
    parents = {GROUND}
    while level := [j for j, joint in enumerate(joints) if joint.parent in parents]:
        levels.append(level)
        parents = {joints[j].child for j in level}
    return levels


def coupler_stages(couplers: tuple[Coupler, ...]) -> list[list[Coupler]]:
    """Enforced couplers in rounds, each depending only on coordinates that earlier rounds have set.

    Raises:
        ValueError: a coordinate depends on itself.
    """
    waiting = [coupler for coupler in couplers if coupler.is_enforced]
    stages: list[list[Coupler]] = []
    while waiting:
        unset = {coupler.dependent for coupler in waiting}
        ready = [coupler for coupler in waiting if not unset.intersection(coupler.independent)]
        if not ready:
            raise ValueError(f"{sorted(unset)} depend on each other")
        stages.append(ready)
        waiting = [coupler for coupler in waiting if unset.intersection(coupler.independent)]
    return stages
