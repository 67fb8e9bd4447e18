"""How long a test waits for a state: what never comes fails it, not a busy machine."""

import signal
from typing import Final

import pytest

PATIENCE: Final = 300.0  # seconds

# What is started by nohup never hears of a terminal that hangs up.
hears_hang_ups = pytest.mark.skipif(
    signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, reason="hang-ups are ignored"
)
