"""How fast simulation and golden model are here, and how fast cores are by the cost model."""
