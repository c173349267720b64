"""Simulation engines and benches of firstspike."""
