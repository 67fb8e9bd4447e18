"""The pane of the graph: what it draws, what boxes show, where a name is typed."""
