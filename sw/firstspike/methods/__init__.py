"""Published ways to a spiking network, each of which ends as integers on the core.

A method trains or converts in floating point and leaves a `firstspike.methods.floats.FloatNetwork`,
which `firstspike.methods.quantize` turns into an integer network. docs/methods.md compares them.
"""
