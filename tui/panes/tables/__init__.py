"""The panes that are tables."""
