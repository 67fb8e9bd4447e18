"""The step: upstream, local, contribution, accumulated."""
