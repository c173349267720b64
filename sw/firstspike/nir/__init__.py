"""Networks from NIR files and to them; docs/nir.md says what is taken, and how exactly."""
