"""The application: its screens, keys and themes."""
