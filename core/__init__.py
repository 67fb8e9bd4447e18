"""The engine and the debugger: NumPy and the standard library only."""
