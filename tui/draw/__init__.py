"""Renderables: steps, matrices and tables as blocks of text."""
