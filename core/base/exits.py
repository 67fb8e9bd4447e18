"""The exit codes of gradstep: how a script, a check or a command ended.

`quit N` ends a script with a number of its own.
"""

from __future__ import annotations

from typing import Final

OK: Final = 0
FAILED: Final = 1  # an assertion or a check did not hold
WRONG: Final = 2  # a flag, a file, a command or a name was wrong
BUG: Final = 3  # of gradstep
INTERRUPTED: Final = 130  # the person ended it
SIGNALLED: Final = 128  # and the number of the signal, as shells say it
