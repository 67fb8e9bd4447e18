"""The lessons that come with gradstep: data and scripts, no code."""
