"""PyTorch, watched while it runs.

Two modes see each call: one as the user wrote it, for names, lines and arguments, and
one below it that keeps numbers before something writes into them. What they meet goes
on a tape; `recording` cuts the tape at the backward pass that is wanted.
"""
