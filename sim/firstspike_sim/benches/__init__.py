"""cocotb modules that run inside the simulator."""
