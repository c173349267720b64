"""A core on a board, and the host that talks to it; docs/board.md has the protocol in words."""
