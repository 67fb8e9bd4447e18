"""A run as another program, a formula, a picture of the graph, or records."""
