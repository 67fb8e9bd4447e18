"""The engine: graph, run and trace, and what is measured of their arrays."""
