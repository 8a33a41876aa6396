"""A motion that was solved on another model, brought to the full-body model."""

from odah.osim.transfer.transfer import transfer_kinematics

__all__ = ["transfer_kinematics"]
