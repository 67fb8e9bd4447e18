"""The garbage collector of Python, and when it only disturbs."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def undisturbed() -> Generator[None]:
    """Turn the collector off while much is made that stays.

    It would look for cycles among all of it, again and again, and there are none.
    Afterwards it goes on as before.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
