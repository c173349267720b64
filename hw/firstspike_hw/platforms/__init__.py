"""Pins and clocks of boards that amaranth-boards lacks."""
