"""Names that were made up, and what they stand for: `E._1` is `x3 - t`.

A part of a line that has no name of its own is typed by such a name, which says nothing
to a person. So every text that a person reads has its code beside it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..engine.graph import Graph, Node

_LOW: Final = "₀₁₂₃₄₅₆₇₈₉"  # an index as in books: the name is at its end before it
_MADE_UP: Final = re.compile(
    rf"(?<![\w.@])(?:[^\W\d]\w*(?:@\d+)?\.(?:\w+(?:@\d+)?\.)*)?_\d+(?![^\W{_LOW}])"
)
# What of a call follows its name, and is no gradient of its result.
_INSIDE: Final = re.compile(rf"(?: \([^\n]*?\))?\.(?!grad(?:\b|[{_LOW}]))\w")
# A made-up name, with what may follow it: `x1.z._2.grad[0, 1]`.
_INDEX: Final = rf"\[[-\d, ]*\]|[{_LOW}](?:,?[{_LOW}])*"
_ELEMENT: Final = rf"({_MADE_UP.pattern})(?:\.grad(?:\b|(?=[{_LOW}])))?(?:{_INDEX})?"
_SIGNS: Final = str.maketrans("−∘·", "-**")  # those of formulas, as they are typed


def called(node: Node, element: str = "") -> str:
    """Return the name of a node, or of its `element`, with what it stands for."""
    name = element or node.name
    return f"{name} ({node.wording})" if node.wording else name


def spelled(node: Node, graph: Graph) -> str:
    """Return what a node is called in a formula: its code where its name is made up.

    In the code of a call names are its own: elsewhere they are others, or none.
    """
    frame = graph.frame_of(node)
    is_own = frame is not None and frame.depth == 0
    return (node.wording if is_own else "") or node.name


def bound(node: Node, graph: Graph) -> str:
    """Return the same beside others: code stands in brackets."""
    code = spelled(node, graph)
    return code if code == node.name else f"({code})"


def with_wording(text: str, node: Node) -> str:
    """Return text about a node, with what a name that was made up stands for.

    Every other name says that by itself.
    """
    return f"{text}   {node.wording}" if node.wording else text


def with_wordings(text: str, graph: Graph, said: str = "") -> str:
    """Return text, with what the made-up names in it stand for, where it does not say.

    One stands at the end, and so does that of an edge, which is the consumer's: the
    operand is a part of it. Of several, each stands behind its name. What is `said`
    beside the text already, it needs not say.
    """
    missing = _missing(text, graph)
    missing = {name: code for name, code in missing.items() if code != said}
    if not missing:
        return text
    (name, code), *more = missing.items()
    if not more:
        is_inside = re.search(re.escape(name) + _INSIDE.pattern, text)
        return f"{text}   {'in ' * bool(is_inside)}{code}"
    (other, part), *rest = more
    if not rest and f"{name}<-{other}" in text:
        return f"{text}   {code if part in code else f'{part} in {code}'}"
    return re.sub(
        _ELEMENT,
        lambda found: (
            f"{found[0]} ({code})" if (code := missing.pop(found[1], "")) else found[0]
        ),
        text,
    )


def wordings(text: str, graph: Graph) -> str:
    """Return what the made-up names in a text stand for, "" where it says so itself."""
    return ", ".join(_missing(text, graph).values())


def sentence_with_wordings(text: str, graph: Graph) -> str:
    """Return a sentence, at its end what the made-up names in it stand for."""
    missing = _missing(text, graph)
    told = ", ".join(f"{name} is {code}" for name, code in missing.items())
    return f"{text} ({told})" if told else text


def _missing(text: str, graph: Graph) -> dict[str, str]:
    """Return the code of each made-up name in a text that does not hold it."""
    found: dict[str, str] = {}
    for match in _MADE_UP.finditer(text):
        name = match[0]
        is_call = _INSIDE.match(text, match.end()) is not None
        code = _call(name, graph) if is_call else _wording(name, graph)
        if code and code.translate(_SIGNS) not in text.translate(_SIGNS):
            found[name] = code
    return found


def _wording(name: str, graph: Graph) -> str:
    number = graph.names.get(name)
    return "" if number is None else graph.nodes[number].wording


def _call(name: str, graph: Graph) -> str:
    """Return the call whose inside a name is of: `E._1.centred` is in `E._1`."""
    calls = (frame.call for frame in graph.frames[1:] if frame.name == name)
    call = next(calls, None)
    return "" if call is None else call.text
