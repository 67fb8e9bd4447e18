"""What every pane has: lines that are broken where they have no room."""

from __future__ import annotations

from itertools import product

import pytest

from gradstep.tui.panes.base.pane import folded

_TEXTS = ("ab cd efg", "日本", "日 x 本y", "-0.1 × 日本語", "abcdefghij")


@pytest.mark.parametrize("width", range(1, 9))
def test_a_line_is_broken_in_any_width_and_keeps_its_letters(width: int) -> None:
    for text, indent in product(_TEXTS, range(6)):
        parts = folded(" " * indent + text, width)
        assert "".join("".join(parts).split()) == "".join(text.split())
        assert len(parts) <= indent + len(text)
