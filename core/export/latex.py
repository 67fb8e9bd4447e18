"""The derivation of a gradient in LaTeX: the chain rule from the output to a node.

Only amsmath is needed. Every name and every sign of a formula is translated; what
LaTeX might read as a command never gets there.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from ..base.errors import CommandError, LimitError
from ..base.progress import with_progress
from ..base.text import clean
from ..engine.backward import broadcast_axes
from ..engine.measure import largest
from ..explain.axes import attribute
from ..explain.gradients import Part, explain_gradient
from ..ops import OPS
from ..words.digits import SENTENCE
from ..words.formulas import axes_text, code_text
from ..words.indices import WHOLE, in_formula
from ..words.numbers import element_text, number_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..base.progress import Progress
    from ..engine.element import Index
    from ..engine.graph import Edge, Graph, Node
    from ..engine.subject import Subject
    from ..engine.trace import Trace
    from ..ops.table import Shape, Value
    from ..words.indices import First

_MOST_NODES: Final = 400  # between the output and the node
_MOST_TERMS: Final = 8
_MOST_SEED: Final = 16  # elements that are written out
_TERMS_A_LINE: Final = 3
_SLOT: Final = 0xE000  # private characters stand for the operands in a formula

_LETTERS: Final = "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ"
_LETTER_NAMES: Final = (
    "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi "
    "rho sigma tau upsilon varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma "
    "Phi Psi Omega"
)
_GREEK: Final = dict(zip(_LETTERS, _LETTER_NAMES.split(), strict=True))
_SIGNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{sign: f"\\{name} " for sign, name in _GREEK.items()},
        "Σ": "\\sum ",
        "∂": "\\partial ",
        "∘": "\\circ ",
        "·": "\\cdot ",
        "×": "\\times ",
        "⋆": "\\star ",
        "∏": "\\prod ",
        "√": "\\surd ",
        "−": "-",
        "@": "\\, ",
        "→": "\\to ",
        "≤": "\\le ",
        "≥": "\\ge ",
        "≠": "\\ne ",
        "½": "\\tfrac{1}{2} ",
        "ᵀ": "^{\\top}",
        "²": "^{2}",
        "⁻": "{}^{-}",  # each sign is whole by itself
        "¹": "{}^{1}",
        "³": "^{3}",
        "ᵢ": "_{i}",
        "ⱼ": "_{j}",
        "|": "\\vert ",
        "…": "\\ldots ",
        "′": "'",
        "{": "\\{",
        "}": "\\}",
        "\\": "\\backslash ",
        "~": "\\sim ",
        "^": "\\hat{\\ }",
        **{sign: f"\\{sign}" for sign in "_#%&$"},
    }
)
_TEXT_SIGNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "\\": "\\textbackslash{}",
        "~": "\\textasciitilde{}",
        "^": "\\textasciicircum{}",
        **{sign: f"\\{sign}" for sign in "_#%&${}"},
        "\N{EN DASH}": "--",
        "\N{EM DASH}": "---",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "…": "\\ldots{}",
    }
)
# By the combining characters of Unicode.
_ACCENTS: Final = dict(
    zip(
        "\u0300\u0301\u0302\u0303\u0308\u030a\u030c\u0327",
        "`'^~\"rvc",
        strict=True,
    )
)
# What a letter of a name is called; of any other character the number is told.
_SPELLED: Final = {"_": "\\_", **{sign: f"\\{name} " for sign, name in _GREEK.items()}}
# The functions of the formulas for which LaTeX has commands.
_COMMANDS: Final = frozenset(
    {"arctan", "cos", "exp", "log", "max", "min", "sin", "tanh"}
)
_TOKEN: Final = re.compile(
    r"Σ_(?P<over>\w+)|\^\((?P<high>[^()]*)\)|\^(?P<power>-?[\d.]+|[\ue000-\uf8ff])"
    rf"|(?P<low>[₀-₉{WHOLE}](?:[₀-₉{WHOLE}…,]*[₀-₉{WHOLE}])?)"
    r"|(?P<function>[A-Za-z_][A-Za-z_0-9]+(?=\())"
    r"|(?P<words>[A-Za-z_]{2,}(?: [A-Za-z]{2,}\b(?!\())*)|(?P<sign>.)"
)
_RAISED: Final = str.maketrans(
    dict(zip(f"₀₁₂₃₄₅₆₇₈₉{WHOLE}…", [*"0123456789*", "\\ldots "], strict=True))
)
_FRACTION: Final = re.compile(r"∂(?P<above>[^/∂]+)/∂(?P<below>[^/∂]+)")
_NAME: Final = re.compile(r"(?P<letters>[^\W\d]+?)_?(?P<digits>\d*)")


def latex(
    subject: Subject,
    trace: Trace,
    node: int,
    index: Index | None = None,
    *,
    fragment: bool = False,
    first: First = 0,
    progress: Progress | None = None,
) -> str:
    """Return the derivation of the gradient of a node, or of one of its elements.

    It is a document to compile, or a `fragment` for one that loads amsmath. `first` is
    what the first index is called. `progress` is told of the nodes on the way, and of
    the terms of the element. Raises `CommandError` where no gradient flows, and
    `LimitError` where the way is too long.
    """
    run = trace.run
    if not run.arrives(node):
        name = run.graph.nodes[node].name
        raise CommandError(
            f"no gradient flows to {name}", f"why {name} tells the reason"
        )
    way = _way(trace, node)
    literature = _literature(subject, run.graph)
    writer = _Writer(run.graph, literature, first, _differentiated(literature.values()))
    nodes = run.graph.nodes
    computed = [writer.forward(i) for i in way if nodes[i].op is not None]
    back = with_progress(way[::-1], progress)
    parts = {
        "The values, from the first on:": computed,
        "The gradients, from the output on:": [
            *_gradients(writer, trace, back, frozenset(way))
        ],
    }
    if index is not None or not nodes[node].shape:
        title = "One element:" if index else "In numbers:"
        parts[title] = list(_element(writer, trace, node, index or (), progress))
    told = [(title, _aligned(lines)) for title, lines in parts.items() if lines]
    body = "\n\n".join(text for pair in told for text in pair)
    if fragment:
        return f"{body}\n"
    title = f"{subject.title}: the gradient of {nodes[node].name}"
    title += f" ({trace.samples})" if trace.samples else ""
    return _DOCUMENT.format(title=text_latex(title), body=body)


_DOCUMENT: Final = r"""\documentclass{{article}}
\usepackage{{amsmath}}
\allowdisplaybreaks
\begin{{document}}

\section*{{{title}}}

{body}

\end{{document}}
"""


def _aligned(lines: Sequence[str]) -> str:
    joined = " \\\\\n".join(f"  {line}" for line in lines)
    return f"\\begin{{align*}}\n{joined}\n\\end{{align*}}"


def _way(trace: Trace, node: int) -> list[int]:
    """Return the nodes that lie between a node and the output, both included."""
    run, found = trace.run, {node}
    for index in range(node + 1, run.graph.output + 1):
        operands = run.graph.nodes[index].operands
        carrying = (k for k, one in enumerate(operands) if one in found)
        if any(run.carries(index, k) for k in carrying):
            found.add(index)
    if len(found) > _MOST_NODES:
        name = run.graph.nodes[node].name
        raise LimitError(
            f"{len(found)} nodes lie between {name} and the output",
            f"{_MOST_NODES} at most are derived; ask for a node nearer to it",
        )
    return sorted(found)


def _literature(subject: Subject, graph: Graph) -> dict[int, str]:
    """Return the literature's names of gradients by the numbers of their nodes."""
    return {
        graph.names[target.removesuffix(".grad")]: name
        for name, target in subject.names.items()
        if target.removesuffix(".grad") in graph.names
    }


def _differentiated(names: Iterable[str]) -> str:
    """Return what the literature differentiates: the L of ∂L/∂W; "" for nothing."""
    found = filter(None, map(_FRACTION.fullmatch, names))
    return next((one["above"] for one in found), "")


# ----------------------------------------------------------------------- the formulas


@dataclass(frozen=True, slots=True)
class _Writer:
    """How the nodes of a graph and their gradients are written."""

    graph: Graph
    literature: Mapping[int, str]
    first: First  # what the first index is called
    differentiated: str = ""  # the name of it in the literature; "": the output is

    def node(self, index: int, *, shaped: bool = False) -> str:
        """Return a node's name, over its shape where that is wanted."""
        node = self.graph.nodes[index]
        name = math_latex(node.name) if node.is_literal else name_latex(node.name)
        if name.startswith("-"):
            name = f"({name})"
        return _shaped(name, node.shape) if shaped else name

    def partial(self, index: int) -> str:
        """Return ∂E/∂x as a fraction."""
        return _fraction(self.output, self.node(index))

    def element(self, index: int, place: Index) -> str:
        """Return an element of a node: `W_{1}[0, 2]`, or in books `{W_{1}}_{13}`."""
        name = self.node(index)
        if not self.first or not place:
            return element_text(name, place)
        numbers = [str(one + self.first) for one in place]
        gap = "" if max(map(len, numbers)) == 1 else ","
        return f"{{{name}}}_{{{gap.join(numbers)}}}"

    @property
    def output(self) -> str:
        """What is differentiated."""
        if self.differentiated:
            return name_latex(self.differentiated)
        return self.node(self.graph.output)

    def gradient(self, index: int, *, shaped: bool = False) -> str:
        """Return a gradient's name in the literature, or the fraction."""
        name = self.literature.get(index)
        text = self.partial(index) if name is None else name_latex(name)
        return _shaped(text, self.graph.nodes[index].shape) if shaped else text

    def forward(self, index: int) -> str:
        """Return the equation of a node's value."""
        node = self.graph.nodes[index]
        op = self.graph.worded(node)
        result = self.node(index, shaped=True)
        return f"{result} &= {self._filled(node, op.symbol, op.kind == 'contract')}"

    def contribution(self, edge: Edge) -> str:
        """Return what an edge adds to the gradient of its operand."""
        node = self.graph.nodes[edge.consumer]
        op = self.graph.worded(node)
        form = op.form(edge.argument)
        if form is None:
            raise TypeError(f"no gradient flows to operand {edge.argument}")
        text = self._filled(node, form.product, op.kind == "contract", edge.argument)
        narrow = self.graph.nodes[edge.operand].shape
        if op.kind != "elementwise" or node.shape == narrow:
            return text
        axes = axes_text(broadcast_axes(node.shape, narrow))
        return f"\\sum_{{\\text{{{axes}}}}} \\left( {text} \\right)"

    def _filled(
        self, node: Node, template: str, shaped: bool, argument: int = 0
    ) -> str:
        """Fill a template: private characters hold the places of the names."""
        count = len(node.operands)
        slots = [chr(_SLOT + place) for place in range(count + 2)]
        words = {"y": slots[count], "g": slots[count + 1], "argument": str(argument)}
        text = code_text(template, node, slots[:count], **words)
        text = in_formula(text, self.first)
        text = text.replace("Σ ", f"{chr(_SLOT + count + 2)} ")
        if not any(self.graph.nodes[i].shape for i in (*node.operands, node.index)):
            text = text.replace("∘", "·")
        names = [self.node(i, shaped=shaped) for i in node.operands]
        names += [
            self.node(node.index, shaped=shaped),
            self.gradient(node.index, shaped=shaped),
        ]
        if "Σ " in template:
            names.append(f"\\sum_{{\\text{{{self._over(node, argument)}}}}}")
        return math_latex(text, names)

    def _over(self, node: Node, argument: int) -> str:
        """Return what a sum in the formula of a node runs over."""
        axis = attribute(node, "axis")
        narrow = self.graph.nodes[node.operands[argument]].shape
        axes: tuple[int, ...] = ()
        if axis is not None:
            axes = tuple(int(one) % len(narrow) for one in np.atleast_1d(axis))
        elif node.op is not None and "shape" in node.attributes:  # it was broadcast
            axes = broadcast_axes(node.shape, narrow)
        return axes_text(axes) if axes else "all elements"


def _shaped(text: str, shape: Shape) -> str:
    if not shape:
        return text
    sizes = " \\times ".join(map(str, shape))
    return f"\\underset{{{sizes}}}{{{text}}}"


def _gradients(
    writer: _Writer, trace: Trace, back: Iterable[int], inside: frozenset[int]
) -> Iterator[str]:
    run = trace.run
    for index in back:
        left = writer.gradient(index, shaped=True)
        name = writer.literature.get(index)
        if name is not None and name_latex(name) != writer.partial(index):
            left = f"{writer.partial(index)} = {left}"
        terms = [_seed_latex(run.seed)] if index == run.graph.output else []
        terms += [
            writer.contribution(edge)
            for edge in run.graph.consumers[index]
            if edge.consumer in inside and run.carries(edge.consumer, edge.argument)
        ]
        yield f"{left} &= {' + '.join(terms)}"


def _seed_latex(seed: Value) -> str:
    """Return the gradient that enters: in numbers, if these are a small matrix."""
    array = np.asarray(seed)
    if array.ndim > 2 or array.size > _MOST_SEED:
        return "\\text{the seed}"
    if not array.ndim:
        return number_latex(float(array))
    rows = [" & ".join(map(number_latex, row)) for row in np.atleast_2d(array).tolist()]
    inside = r" \\ ".join(rows)
    return f"\\begin{{pmatrix}} {inside} \\end{{pmatrix}}"


# ------------------------------------------------------------------------ one element


def _element(
    writer: _Writer,
    trace: Trace,
    node: int,
    index: Index,
    progress: Progress | None,
) -> Iterator[str]:
    found = explain_gradient(trace, node, index, len(trace), follow=False)
    left = _at(writer, node, index)
    parts = with_progress(found.parts, progress)
    pairs = [(part, term) for part in parts for term in part.largest(_MOST_TERMS)]
    products = np.array([term.product for _, term in pairs])
    places: list[int] = largest(products, _MOST_TERMS).tolist()
    chosen = [pairs[n] for n in places]
    every = sum(map(len, found.parts))
    more = [f"\\text{{({every - len(chosen)} more)}}"] if every > len(chosen) else []
    seed = [] if found.seed is None else [number_latex(found.seed)]
    symbols = [
        f"{_at(writer, term.consumer, term.index)} \\cdot "
        f"{_local(writer, part, term.index, index)}"
        for part, term in chosen
    ]
    numbers = [
        f"{_bracketed(term.upstream)} \\cdot {_bracketed(term.local)}"
        for _, term in chosen
    ]
    for terms in (symbols, numbers):
        if terms:
            yield from _sum(left, [*seed, *terms, *more])
            left = ""
    yield f"{left} &= {number_latex(found.sum or 0.0)}".strip()


def _sum(left: str, terms: Sequence[str]) -> Iterator[str]:
    """Yield `left` = the sum of terms, a few of them on each line."""
    for start in range(0, len(terms), _TERMS_A_LINE):
        sign = "&\\quad + " if start else f"{left} &= "
        yield (sign + " + ".join(terms[start : start + _TERMS_A_LINE])).strip()


def _at(writer: _Writer, node: int, index: Index) -> str:
    return _fraction(writer.output, writer.element(node, index))


def _local(writer: _Writer, part: Part, consumer: Index, operand: Index) -> str:
    above = writer.element(part.edge.consumer, consumer)
    below = writer.element(part.edge.operand, operand)
    return _fraction(above, below)


def _fraction(above: str, below: str) -> str:
    return f"\\frac{{\\partial {above}}}{{\\partial {below}}}"


def _bracketed(value: float) -> str:
    text = number_latex(value)
    return f"({text})" if text.startswith("-") else text


# -------------------------------------------------------------------- names and signs


def name_latex(name: str) -> str:
    r"""Return a name as mathematics; one of the literature may be a formula.

    >>> name_latex("W1"), name_latex("δ3"), name_latex("x1.z"), name_latex("loss")
    ('W_{1}', '\\delta_{3}', 'x_{1}.z', '\\mathrm{loss}')
    >>> name_latex("∂L/∂W1"), name_latex("y′(3)")
    ('\\frac{\\partial L}{\\partial W_{1}}', "y'(3)")
    >>> name_latex("h@2"), name_latex("net.0.x1@3._2")  # what was assigned again
    ('h^{(2)}', '{\\mathrm{net}.0.x_{1}^{(3)}}_{[2]}')
    """
    fraction = _FRACTION.fullmatch(name)
    if fraction:
        return _fraction(name_latex(fraction["above"]), name_latex(fraction["below"]))
    if not all(map(_PART.fullmatch, name.split("."))) or name.isdigit():
        return math_latex(name)
    text = ""
    for part in name.split("."):
        if text and re.fullmatch(r"_\d+", part):
            text = f"{{{text}}}_{{[{part[1:]}]}}"
        else:
            text += ("." if text else "") + _part_latex(part)
    return text


_PART: Final = re.compile(r"\d+|(?!\d)\w+(@\d+)?")  # of a name, as captures have it


def _part_latex(part: str) -> str:
    part, _, time = part.partition("@")
    if time:
        return f"{_part_latex(part)}^{{({time})}}"
    if part.isdigit():
        return part
    found = _NAME.fullmatch(part)
    letters, digits = (found["letters"], found["digits"]) if found else (part, "")
    if len(letters) == 1 and letters in _GREEK:
        base = f"\\{_GREEK[letters]}"
    elif len(letters) == 1 and letters.isascii():
        base = letters if letters.isalpha() else _spelled(letters)
    else:
        base = f"\\mathrm{{{_spelled(letters)}}}"
    return f"{base}_{{{digits}}}" if digits else base


def _spelled(text: str) -> str:
    """Return letters as they are, and the number of every character LaTeX lacks."""
    return "".join(
        c if c.isascii() and c.isalnum() else _SPELLED.get(c, f"u{ord(c):04x}")
        for c in text
    )


def math_latex(text: str, names: Sequence[str] = ()) -> str:
    r"""Return a formula of the operation table; `names` fill its private characters.

    >>> math_latex("2 ∘ exp(x)²")
    '2 \\circ \\exp (x)^{2}'
    """

    def one(found: re.Match[str]) -> str:
        if found["over"]:
            return f"\\sum_{{{math_latex(found['over'], names)}}}"
        if found["high"] is not None or found["power"]:
            return f"^{{{math_latex(found['high'] or found['power'], names)}}}"
        if found["low"]:
            return f"_{{{found['low'].translate(_RAISED)}}}"
        if found["function"] or found["words"] in {*OPS, *_COMMANDS}:
            return _function_latex(found["function"] or found["words"])
        if found["words"]:
            return f"\\text{{ {found['words']} }}"
        sign = found["sign"]
        if _SLOT <= ord(sign) < _SLOT + len(names):
            return f"{{{names[ord(sign) - _SLOT]}}}"
        return _SIGNS.get(sign) or (sign if sign.isascii() else f"u{ord(sign):04x}")

    return re.sub(r" +", " ", _TOKEN.sub(one, text)).strip()


def _function_latex(name: str) -> str:
    if name in _COMMANDS:
        return f"\\{name} "
    return f"\\operatorname{{{_spelled(name)}}}"


def text_latex(text: str) -> str:
    r"""Return a text as LaTeX shows it.

    >>> text_latex("50 % of W_1 × 2")
    '50 \\% of W\\_1 \\ensuremath{\\times } 2'
    """

    def one(character: str) -> str:
        if character in _TEXT_SIGNS:
            return _TEXT_SIGNS[character]
        if character.isascii():
            return character
        letter, *accents = unicodedata.normalize("NFD", character)
        if letter.isascii() and len(accents) == 1 and accents[0] in _ACCENTS:
            return f"\\{_ACCENTS[accents[0]]}{{{letter}}}"
        sign = _SIGNS.get(character)
        return f"\\ensuremath{{{sign}}}" if sign else f"[U+{ord(character):04X}]"

    return "".join(map(one, " ".join(clean(text).split())))


def number_latex(value: float) -> str:
    r"""Return a number with six digits.

    >>> number_latex(-2.5e-7), number_latex(0.125)
    ('-2.5 \\cdot 10^{-7}', '0.125')
    """
    if math.isnan(value):
        return "\\text{nan}"
    if math.isinf(value):
        return "-\\infty" if value < 0 else "\\infty"
    mantissa, mark, exponent = number_text(value, SENTENCE).partition("e")
    return f"{mantissa} \\cdot 10^{{{int(exponent)}}}" if mark else mantissa
