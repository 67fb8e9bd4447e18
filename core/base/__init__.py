"""What everything stands on: errors, clean text, limits, files."""
