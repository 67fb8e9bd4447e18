"""Runs of other people's code, recorded: what a file of one holds, written and read."""
