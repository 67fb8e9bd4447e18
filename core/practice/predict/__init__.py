"""Predicting: what is asked before an event, what an answer shows, and the score."""
