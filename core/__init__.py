"""The engine and the debugger: numpy and the standard library only."""
