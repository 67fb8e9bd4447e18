"""A matrix of any size, drawn where it is looked at."""
