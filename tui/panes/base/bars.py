"""Scroll bars of panes that are painted often."""

from __future__ import annotations

from textual.scrollbar import ScrollBar


class SlowBar(ScrollBar):
    """A scroll bar that is painted again where it looks different, and only there.

    In many lines it seldom does, and to paint it takes as long as to paint a pane.
    """

    def validate_position(self, position: float) -> float:
        """Return a position with the same picture, which is in eighths of a cell."""
        whole, cells = self.window_virtual_size, self.size.height
        far = whole - self.window_size
        steps = 8 * (cells - max(1, self.window_size * cells / whole)) if whole else 0
        if 0 < steps < far:
            position = min((int(position / far * steps) + 0.5) * far / steps, far)
        return super().validate_position(position)
