"""Expressions over the state of a session: what `print` and conditions take."""
