"""Programs: text, checked against a whitelist, to a graph."""
