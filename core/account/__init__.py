"""Somebody else's gradients, held to each rule: what is wrong, and whose it is."""
