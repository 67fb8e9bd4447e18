"""The panes of the application: each draws one side of the same moment."""
