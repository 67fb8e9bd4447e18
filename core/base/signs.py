"""The signs of mathematics and of drawing, for those who read ASCII alone."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_ASCII: Final = str.maketrans(
    {
        "∂": "d",
        "∘": "*",
        "·": "*",
        "×": "x",
        "−": "-",
        "→": "->",
        "←": "<-",
        "≤": "<=",
        "≥": ">=",
        "≠": "!=",
        "≈": "~",
        "½": "1/2",
        "√": "sqrt ",
        "Σ": "sum",
        "∏": "product",
        "ᵀ": "^T",
        "σ": "sigmoid",
        "δ": "delta",
        "Δ": "D",  # one letter: numbers stand in columns below it
        "α": "alpha",
        "Φ": "Phi",
        "φ": "phi",
        "π": "pi",
        "∈": "in",
        "⋆": "(*)",
        "±": "+-",
        "′": "'",
        "ᵢ": "_i",
        "ⱼ": "_j",
        "✓": "ok",
        "✗": "x",
        "…": "...",
        "⋯": "...",
        "⋮": ":",
        "─": "-",
        "━": "=",
        "│": "|",
        "‖": "|",
        "▶": ">",
        "▸": ">",
        "●": "*",
        "○": "o",
        "◐": "%",
        "µ": "u",
        "μ": "mu",
        "ρ": "rho",
        "β": "beta",
        "ε": "epsilon",
        "∞": "inf",
        "\N{ASTERISK OPERATOR}": "*",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        **dict.fromkeys("⎡⎢⎣", "["),
        **dict.fromkeys("⎤⎥⎦", "]"),
        **dict(zip("▁▂▃▄▅▆▇█", "_.,-=+*#", strict=True)),
    }
)

_RAISED: Final = "[⁰¹²³⁴⁵⁶⁷⁸⁹]+"
_LOWERED: Final = "[₀₁₂₃₄₅₆₇₈₉]+(?:,[₀₁₂₃₄₅₆₇₈₉]+)*"


def ascii_text(text: str) -> str:
    r"""Return a text in ASCII; what has no sign there has its number.

    >>> ascii_text("∂E/∂x² → 变"), ascii_text("Xᵀ"), ascii_text("w₁₂")
    ('dE/dx^2 -> \\u53d8', 'X^T', 'w_12')
    """
    if text.isascii():
        return text
    shown = re.sub(_RAISED, _as_power, text)
    shown = re.sub(_LOWERED, _as_index, shown).translate(_ASCII)
    return shown.encode("ascii", "backslashreplace").decode("ascii")


def _as_index(lowered: re.Match[str]) -> str:
    return f"_{unicodedata.normalize('NFKC', lowered[0])}"


def _as_power(raised: re.Match[str]) -> str:
    return f"^{unicodedata.normalize('NFKC', raised[0])}"
