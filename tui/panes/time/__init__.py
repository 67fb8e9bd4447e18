"""The panes of time: one pass, and all iterations."""
