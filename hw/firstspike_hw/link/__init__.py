"""Frames over bytes, and the commands in them: what stands between a UART and a core."""
