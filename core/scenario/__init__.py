"""Scenario files: TOML to a scenario, each mistake at its line and column."""
