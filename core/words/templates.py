"""Templates of the operation table, filled with names so that each stays together."""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACE: Final = re.compile(r"\{(\w+)\}")
_ATOM: Final = re.compile(r"[\w.`()\[\]]*")  # a name, a call, or what is picked of one
_BRACKET: Final = re.compile(r"[][()]")
_SUM: Final = re.compile(r"\{\w+\} [+−] \{\w+\}")
_POWER: Final = r"\^(\d+)(?![\w.^])"
_ONE_LESS: Final = r"\^\((\d{1,9}) − 1\)"
_FIRST_POWER: Final = r"\^1(?![\w.^])"
_BESIDE_NUMBER: Final = (
    r"(?<=[\d.]) ∘ (?<=(?<![\w.])\d ∘ )| ∘ (?=\d+(?:\.\d*)?(?![\w.]))"
)
_SUPERSCRIPT: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_NO_WORDS: Final[Mapping[str, str]] = MappingProxyType({})


def filled(
    template: str,
    words: Mapping[str, str],
    scalars: bool,
    here: Mapping[str, str] = _NO_WORDS,
) -> str:
    """Fill a template; · stands for ∘ where the factors are numbers."""
    template = template.replace("∘", "·") if scalars else template
    return fill(template, words, here, expressions=True)


def fill(
    template: str,
    words: Mapping[str, str],
    here: Mapping[str, str] = _NO_WORDS,
    expressions: bool = False,
) -> str:
    """Put words into the places of a template, `expressions` with parentheses.

    Those of `here` come before `words`, which may be thousands.
    """
    first, places = _places(template)
    made = [first]
    for place in places:
        text = here.get(place.name) or words.get(place.name, place.name)
        if text.startswith("∂") and place.after.startswith("ᵀ"):
            text = f"({text})"  # the whole gradient is transposed, not what it is by
        elif expressions and not _stands_alone(place, text):
            text = bound(text)
        made += text, place.after
    filled = "".join(made)
    return _tidy(filled) if expressions else filled


class _Place(NamedTuple):
    """A place of a template, and what is around it."""

    name: str  # whose word goes there
    after: str  # the text between it and the next place
    leads: bool  # nothing stands before it
    is_closed: bool  # at both sides are brackets, commas, or the ends
    is_addend: bool  # the template is the sum or the difference of two places


def places_of(template: str) -> list[str]:
    """Return the names of the places of a template, in their order."""
    return [place.name for place in _places(template)[1]]


@lru_cache(4096)  # the formulas of all steps are made from few templates
def _places(template: str) -> tuple[str, tuple[_Place, ...]]:
    """Return the text before the first place of a template, and its places."""
    first, *rest = _PLACE.split(template)
    is_sum = _SUM.fullmatch(template) is not None
    places: list[_Place] = []
    for found, between in zip(_PLACE.finditer(template), rest[1::2], strict=True):
        before, after = template[: found.start()].rstrip(), template[found.end() :]
        is_closed = before[-1:] in "([|," and after[:1] in ")]|,"  # "" is in both
        places.append(_Place(found[1], between, not before, is_closed, is_sum))
    return first, tuple(places)


def _tidy(text: str) -> str:
    """Write whole powers as they are written by hand, and · beside a number.

    >>> _tidy("2 ∘ x^(2 − 1)"), _tidy("3 ∘ x^(3 − 1)"), _tidy("x^0.5")
    ('2 · x', '3 · x²', 'x^0.5')
    """
    text = text.replace("ᵀᵀ", "")
    if "^" in text:
        text = re.sub(_ONE_LESS, lambda found: f"^{int(found[1]) - 1}", text)
        text = re.sub(_FIRST_POWER, "", text)
        text = re.sub(_POWER, lambda found: found[1].translate(_SUPERSCRIPT), text)
    return re.sub(_BESIDE_NUMBER, " · ", text) if " ∘ " in text else text


def _stands_alone(place: _Place, text: str) -> bool:
    """Tell whether nothing beside a place of a template can tear `text` apart."""
    if place.is_closed:
        return True
    if place.is_addend:
        return place.leads or not _is_sum(text)
    is_negative = text.startswith(("-", "−")) and " " not in text
    return is_negative and place.leads and place.after.startswith(" ")


def bound(text: str) -> str:
    """Return an expression so that it stays together beside others.

    >>> bound("x"), bound("x @ W"), bound("σ(x + b)"), bound("-2")
    ('x', '(x @ W)', 'σ(x + b)', '(-2)')
    """
    return f"({text})" if " " in _outside(text) or text[:1] in {"-", "−"} else text


def as_factor(text: str) -> str:
    """Return an expression so that a product can have it as a factor.

    >>> as_factor("a + b"), as_factor("2 · x"), as_factor("x @ W"), as_factor("−sin(x)")
    ('(a + b)', '2 · x', '(x @ W)', '(−sin(x))')
    """
    return (
        text
        if bound(text.replace(" · ", "")) == text.replace(" · ", "")
        else f"({text})"
    )


def below(text: str) -> str:
    """Return what stands under a derivative: ∂E/∂(Kᵀ) is no transpose of ∂E/∂K."""
    return f"({text})" if text.endswith("ᵀ") else bound(text)


def _is_sum(text: str) -> bool:
    return re.search(r"^[-−]| [+−] ", _outside(text)) is not None


def _outside(text: str) -> str:
    return hollow(text) if _BRACKET.search(text) else text


def hollow(text: str, instead: str = "") -> str:
    """Return `text` without what stands in brackets, or with something instead.

    >>> hollow("f(x[0], y) + [z]"), hollow("f(x[0], y) + b", "…")
    ('f() + []', 'f(…) + b')
    """
    depth, kept = 0, ""
    for character in text:
        depth -= character in ")]"
        kept += character if depth == 0 else ""
        if character in "([":
            kept += instead if depth == 0 else ""
            depth += 1
    return kept


def indexed(name: str, index: str) -> str:
    """Return a name with an index; an expression stands in brackets.

    >>> indexed("x @ W", "[0]"), indexed("x*W", "[0]"), indexed("∂E/∂(x @ W)", "[0]")
    ('(x @ W)[0]', '(x*W)[0]', '∂E/∂(x @ W)[0]')
    """
    is_one = name.startswith("∂") or _ATOM.fullmatch(_outside(name))
    is_bound = index and not is_one
    return f"({name}){index}" if is_bound else name + index
