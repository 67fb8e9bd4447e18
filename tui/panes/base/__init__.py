"""What all panes share."""
