"""How long a test waits for a state: what never comes fails it, not a busy machine."""

from typing import Final

PATIENCE: Final = 300.0  # seconds
