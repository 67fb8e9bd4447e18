"""A subject as a scenario that a person can read and edit, with the same numbers.

A program that is there stays as it is written. The graph of other code becomes one line
for each name, in the order in which that code ran, with its own lines as comments. What
an operation without a rule gave is an input: nothing flows through it either way.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..base.errors import CommandError, LimitError
from ..base.text import clean
from ..ops import OPS
from ..ops.table import REQUIRED
from ..program.syntax import check_name
from ..words.formulas import subscript_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..engine.graph import Graph, Node
    from ..engine.run import Run
    from ..engine.subject import Subject
    from ..ops.table import Array, Op, Value

_MOST_WRITTEN: Final = 20_000  # elements of all arrays, written as lists
_MOST_BESIDE: Final = 64  # elements that are written, where there is a file beside
_LONGEST: Final = 60  # characters of a part of a line
_LONGEST_NOTE: Final = 100
_NO_NAME: Final = re.compile(r"\W+")
_PLACE: Final = re.compile(r"\{(\w+)\}")
_SECTIONS: Final = {"input": "inputs", "parameter": "parameters"}
_FOOTER: Final = "constants"


class Written(NamedTuple):
    """A scenario as text, and the arrays that stand in a file beside it."""

    text: str  # of the file
    arrays: Mapping[str, Array]  # by their keys; empty where all are in the text


def scenario_text(subject: Subject, run: Run, beside: str = "") -> Written:
    """Return the scenario that computes what a run has computed.

    `beside` names an .npz file that large arrays are to be written into. Raises
    `LimitError` where there are too many numbers without one, and `CommandError` for a
    run whose gradients are patched.
    """
    if run.patches:
        what = "this run is patched, and a scenario computes what it says"
        raise CommandError(what, "runs lists the others, and undo goes back")
    graph = run.graph
    code = _Code(run, _names(graph))
    is_written = graph.main == "program" and graph.own == ["program"]
    program = graph.sources["program"].text if is_written else "\n".join(code.lines())
    given = [node for node in graph.nodes if _is_given(node, written=is_written)]
    values = {
        code.names[node.index]: (_section(node), run.values[node.index])
        for node in given
    }
    size = sum(np.size(value) for _, value in values.values())
    if size > _MOST_WRITTEN and not beside:
        raise LimitError(
            f"the arrays have {size:,} numbers, and {_MOST_WRITTEN:,} can be written "
            "into a scenario",
            "gradstep export FILE --format scenario -o NAME.toml writes them beside it",
        )
    arrays: dict[str, Array] = {}
    body = list(_sections(values, subject.dtype, beside, arrays))
    output = graph.nodes[graph.output]
    head = [
        "gradstep = 1",
        f"title = {_quoted(subject.title)}",
        *([f"summary = {_quoted(subject.summary)}"] if subject.summary else []),
        *([f'convention = "{subject.convention}"'] if subject.convention else []),
        *([f'dtype = "{subject.dtype}"'] if subject.dtype != "float64" else []),
        f'output = "{output.name if is_written else code.names[output.index]}"',
        f"program = {_program(program)}",
    ]
    if subject.seed is not None:
        seed = _value(np.asarray(run.seed), subject.dtype, keep=False)
        name = output.name if is_written else code.names[output.index]
        body += ["", "[seed]", f"{_key(name)} = {seed}"]
    return Written("\n".join([*head, *body]) + "\n", arrays)


def _is_given(node: Node, *, written: bool) -> bool:
    if node.op is not None:
        return node.op.recorded
    # Literals, and what constructors make, are in the program as it is written.
    return not node.is_literal and not (written and node.site is not None)


def _section(node: Node) -> str:
    return "inputs" if node.op else _SECTIONS.get(node.kind, "constants")


# ------------------------------------------------------------------------- the names


def _names(graph: Graph) -> list[str]:
    """Return a name for each node that a program may give."""
    taken: set[str] = set()
    found: list[str] = []
    for node in graph.nodes:
        if node.is_literal:
            found.append(node.name)
            continue
        plain = unicodedata.normalize("NFKC", node.name).replace("._", "_part")
        base = _NO_NAME.sub("_", plain)
        if check_name(base) or base in OPS:
            base = f"value_{base.strip('_')}"
        name, number = base, 2
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name)
        found.append(name)
    return found


# ------------------------------------------------------------------------ the program


@dataclass(eq=False)
class _Code:
    """The lines of a program while they are made."""

    run: Run
    names: Sequence[str]
    inlined: dict[int, str] = field(default_factory=dict[int, str])  # by node
    split: set[int] = field(default_factory=set[int])  # those that are written already

    def lines(self) -> Iterator[str]:
        """Yield one line for each node that has a name of its own."""
        before = ""
        for node in self.run.graph.nodes:
            if node.op is None or node.op.recorded or node.index in self.split:
                continue
            text = self._call(node, node.op)
            if self._is_part(node, text):
                self.inlined[node.index] = text
                continue
            target = self.names[node.index]
            if node.op.parts is not None:
                target, text = self._parts(node, node.op)
            note = self._note(node)
            yield f"{target} = {text}" + f"    # {note}" * (
                bool(note) and note != before
            )
            before = note

    def _is_part(self, node: Node, text: str) -> bool:
        """Tell whether a node is written where it is used: it has no name there."""
        uses = self.run.graph.consumers[node.index]
        return (
            node.is_unnamed
            and len(uses) == 1
            and len(text) <= _LONGEST
            and node.op is not None
            and node.op.parts is None
            and node.index != self.run.graph.output
        )

    def _note(self, node: Node) -> str:
        """Return the line of the code that made a node."""
        graph, site = self.run.graph, node.site
        if site is None:
            return ""
        statement = graph.statements[site.statement]
        text = f"{graph.line_of(site)}: {statement.text}"
        text = clean(" ".join(text.split())).replace("'''", '"""')
        return text if len(text) <= _LONGEST_NOTE else f"{text[: _LONGEST_NOTE - 1]}…"

    def _word(self, index: int) -> str:
        """Return what stands for an operand: a name, a number, or a part of a line."""
        node = self.run.graph.nodes[index]
        if node.is_literal:
            number = repr(np.asarray(self.run.values[index]).item())
            return f"({number})" if number.startswith("-") else number
        return self.inlined.get(index, self.names[index])

    def _call(self, node: Node, op: Op) -> str:
        words = [self._word(index) for index in node.operands]
        attributes = dict(node.attributes)
        defaults = {one.name: one.default for one in op.parameters}
        given = {
            name: _attribute(value)
            for name, value in attributes.items()
            if defaults[name] is REQUIRED or value != defaults[name]
        }
        if op.written and all(f"{{{name}}}" in op.written for name in given):
            bound = [word if _stands_alone(word) else f"({word})" for word in words]
            return _filled(op, bound, attributes)
        if op.variadic:
            if op.order:  # einsum: what it does comes first
                return f"{op.name}({', '.join([*given.values(), *words])})"
            words = [f"[{', '.join(words)}]"]
        elif op.order:
            rest = zip(op.operands[1:], words[1:], strict=False)
            words = [words[0], *(f"{name}={word}" for name, word in rest)]
        words += [f"{name}={text}" for name, text in given.items()]
        return f"{op.name}({', '.join(words)})"

    def _parts(self, node: Node, op: Op) -> tuple[str, str]:
        """Return the names and the call of a split, of which each part is a node."""
        rows = self.run.graph.nodes.rows
        kind = {k: v for k, v in node.attributes.items() if k != "part"}
        count = op.parts(**node.attributes) if op.parts else 1
        targets = [f"{self.names[node.index]}_part{part}" for part in range(count)]
        for edge in self.run.graph.consumers[node.operands[0]]:
            row = rows[edge.consumer]
            other = {k: v for k, v in row[5].items() if k != "part"}
            if row[3] is op and other == kind and edge.consumer not in self.split:
                part = row[5]["part"]
                if targets[part] in self.names:
                    continue  # made twice: this one is a name of its own
                targets[part] = self.names[edge.consumer]
                self.split.add(edge.consumer)
        given = ", ".join(f"{k}={_attribute(v)}" for k, v in kind.items())
        call = f"{op.name}({self._word(node.operands[0])}, {given})"
        return ", ".join(targets), call if count > 1 else f"{call}[0]"


def _filled(op: Op, words: Sequence[str], attributes: Mapping[str, Any]) -> str:
    places = dict(zip(op.operands, words, strict=False))
    rest = tuple(words[len(op.operands) - 1 :]) if op.variadic else tuple(words[1:])
    for name, value in attributes.items():
        is_index = name == "index"
        places[name] = subscript_text(value, rest) if is_index else _attribute(value)
    return _PLACE.sub(lambda found: places.get(found[1], found[0]), op.written)


def _stands_alone(word: str) -> bool:
    """Tell whether a part of a line needs no brackets where it is used."""
    return re.fullmatch(r"[\w.]+(\(.*\)|\[[^\[\]]*\])?", word) is not None and not (
        word.count("(") > 1 and re.search(r"\).*\(", word) is not None
    )


def _attribute(value: Any) -> str:
    return repr(value)


# ------------------------------------------------------------------------ the values


def _sections(
    values: Mapping[str, tuple[str, Value]],
    dtype: str,
    beside: str,
    arrays: dict[str, Array],
) -> Iterator[str]:
    for section in (*_SECTIONS.values(), _FOOTER):
        inside = {n: v for n, (where, v) in values.items() if where == section}
        if inside:
            yield ""
            yield f"[{section}]"
        for name, value in inside.items():
            array, keep = np.asarray(value), section == _FOOTER
            if beside and array.size > _MOST_BESIDE:
                arrays[name] = array
                kind = _own_dtype(array, dtype, keep=keep)
                where = f'file = {_quoted(beside)}, key = "{name}"'
                where += f', dtype = "{kind}"' if kind else ""
                yield f"{_key(name)} = {{ {where} }}"
            else:
                yield f"{_key(name)} = {_value(array, dtype, keep=keep)}"


def _own_dtype(array: Array, dtype: str, *, keep: bool) -> str:
    """Return the dtype of an array, where the file would give it another one."""
    if array.dtype.name == dtype or (keep and array.dtype.name in ("int64", "bool")):
        return ""
    return array.dtype.name


def _value(array: Array, dtype: str, *, keep: bool) -> str:
    kind = _own_dtype(array, dtype, keep=keep)
    text = _numbers(array)
    return f'{{ value = {text}, dtype = "{kind}" }}' if kind else text


def _numbers(array: Array) -> str:
    if array.ndim:
        return f"[{', '.join(map(_numbers, array))}]"
    value: Any = array.item()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isfinite(value):
        return repr(value) if array.dtype == np.float64 else str(array[()])
    return str(value)


def _key(name: str) -> str:
    return name if name.isascii() else _quoted(name)


def _quoted(text: str) -> str:
    """Return a text as TOML has it."""
    kept = clean(" ".join(text.split())).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{kept}"'


def _program(text: str) -> str:
    quotes = '"""' if "'''" in text else "'''"
    if quotes == '"""':
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f"{quotes}\n{text.strip(chr(10))}\n{quotes}"
