"""odah: OpenSim Driven Animated Humans."""

__version__ = "0.1.0"
