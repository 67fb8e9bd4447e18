"""Runs of other people's code, recorded: what a file of one holds, written and read."""

ENDING = ".gradstep"  # of the name of a file of one
