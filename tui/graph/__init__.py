"""The graph as cells of a terminal."""
