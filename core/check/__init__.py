"""Every gradient beside its numeric derivative."""
