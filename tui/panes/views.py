"""The views that can stand at the right: one key each, 1 … 9, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from .base import Pane
from .checks import ChecksPane
from .flow import FlowPane
from .nodes import NodesPane
from .notes import NotesPane
from .runs import RunsPane
from .step import StepPane
from .stops import StopsPane
from .training import TrainingPane
from .watches import WatchesPane

VIEWS: Final[Mapping[str, type[Pane]]] = MappingProxyType(
    {
        "step": StepPane,
        "nodes": NodesPane,
        "flow": FlowPane,
        "training": TrainingPane,
        "watches": WatchesPane,
        "stops": StopsPane,
        "runs": RunsPane,
        "checks": ChecksPane,
        "notes": NotesPane,
    }
)
