# PyTorch is none of our dependencies: its types are not looked at.
from typing import Any

def __getattr__(name: str) -> Any: ...
