"""Amaranth components of the firstspike core."""
