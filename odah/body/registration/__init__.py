"""Registering a body to the OpenSim full-body model: marker layout, calibrated markers, joint regressor."""

from odah.body.registration.record import Registration, load_registration, save_registration

__all__ = ["Registration", "load_registration", "save_registration"]
