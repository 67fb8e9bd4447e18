"""The debugger: lines in, replies out."""
