"""firstspike: spiking networks that decide with their first spike, on small FPGAs."""

__version__ = "0.1.0"
