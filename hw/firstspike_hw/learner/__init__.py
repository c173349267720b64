"""The core that learns."""
