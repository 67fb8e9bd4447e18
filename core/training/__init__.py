"""Iterations: batches, updates, and the timeline over all of them."""
