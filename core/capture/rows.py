"""A subject's graph as JSON, and back, each row held to what it may be.

The rows of a file are a stranger's: an operand is an earlier row, an operation is one
of the table or opaque, its attributes are those that a program may give, and its shape
is the one that its rule finds. `docs/capture_format.md` describes the form.
"""

from __future__ import annotations

import math
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from ..base.errors import InputError, Problem
from ..base.progress import with_progress
from ..base.text import clean, counted, nearest
from ..engine.graph import Builder, Frame, Graph, Site, Source, Statement
from ..ops import OPS
from ..ops.shape.indexing import DependsOnData, Slot
from ..ops.table import REQUIRED, Op, Shape
from ..ops.table.checks import is_whole
from ..words.numbers import shape_text
from .members import short
from .opaque import opaque

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from ..base.limits import Limits
    from ..base.progress import Progress
    from ..engine.graph import NodeKind, Row
    from ..engine.subject import Subject
    from ..ops.table import Value

FORMAT: Final = 1
DTYPES: Final = ("float64", "float32", "float16")
_KINDS: Final = ("input", "parameter", "constant")
_LONGEST_NAME: Final = 200
_MOST_LISTED: Final = 10
_MOST_DEPTH: Final = 1000  # calls inside each other
_LONGEST_LINE: Final = 10_000
_MOST_OPERANDS: Final = 10_000
_ROW: Final = ("name", "kind", "number", "op", "opaque", "operands", "attributes")
_KEYS: Final = (*_ROW, "shape", "at")  # of a row
_WORDS: Final = ("target", "text", "note")  # of a statement
# `h`, `h@2`, `blocks.0.attn.weight`, `E._1`
_NAME: Final = re.compile(r"[^\W\d]\w*(@[1-9]\d*)?(\.\w+(@[1-9]\d*)?)*")
_NAMED: Final = "letters, digits and _ with dots between, as in blocks.0.weight or h@2"
_FAR: Final = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
# What a shape rule raises at what it cannot take.
_UNFIT: Final = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError)


# ------------------------------------------------------------------------ to JSON


def written(subject: Subject) -> dict[str, Any]:
    """Return a subject's graph as JSON takes it; numbers of literals are in it."""
    graph = subject.graph
    return {
        "format": FORMAT,
        "name": subject.name,
        "title": subject.title,
        "summary": subject.summary,
        "dtype": subject.dtype,
        "output": graph.output,
        "sources": {
            name: {"text": one.text, "library": one.is_library}
            for name, one in graph.sources.items()
        },
        "frames": [_frame(one) for one in graph.frames],
        "statements": [
            {k: v for k, v in one._asdict().items() if k != "index" and v != ""}
            for one in graph.statements
        ],
        "rows": [_row(row, subject.leaves) for row in graph.nodes.rows],
        "aliases": dict(graph.aliases),
    }


def _frame(frame: Frame) -> dict[str, Any]:
    one = {k: v for k, v in frame._asdict().items() if k not in ("index", "depth")}
    return {**one, "call": frame.call and list(frame.call)}


def _row(row: Row, leaves: Mapping[int, Value]) -> dict[str, Any]:
    index, name, kind, op, operands, attributes, shape, site = row
    found: dict[str, Any] = {"name": name}
    if op is None:
        found["kind"] = kind
        if is_number(leaves[index]):
            found["number"] = _number_written(leaves[index])
    else:
        found["opaque" if op.recorded else "op"] = op.name
        found["operands"] = list(operands)
        if attributes:
            found["attributes"] = {k: _plain(v) for k, v in attributes.items()}
    found["shape"] = list(shape)
    if site is not None:
        found["at"] = list(site)
    return found


def is_number(value: Value) -> bool:
    """Tell whether a value is a plain number of Python, which takes any dtype."""
    return type(value) in (float, int, bool)


def _number_written(value: Any) -> Any:
    is_far = isinstance(value, float) and not math.isfinite(value)
    return repr(value) if is_far else value


def _plain(value: Any) -> Any:
    """Return an attribute as JSON: a tuple is a list, an index has words of its own."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if value is ...:
        return {"ellipsis": True}
    if isinstance(value, slice):
        part = cast("slice[Any, Any, Any]", value)
        return {"slice": [part.start, part.stop, part.step]}
    if isinstance(value, Slot):
        return {"operand": value.number, "mask": value.mask}
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in cast("tuple[Any, ...]", value)]
    raise TypeError(f"an attribute of a row is a {type(value).__name__}")


# ----------------------------------------------------------------------- from JSON


class Read(NamedTuple):
    """What was read of a graph."""

    graph: Graph  # with its sources
    name: str  # of the subject
    title: str  # in one line; "" for none
    summary: str  # what there is to see; "" for nothing
    dtype: str  # of the numbers that are written without one
    numbers: Mapping[int, Value]  # the leaves that are plain numbers


class Wrong(Exception):
    """What is wrong with a value: its place in the JSON, a message and a hint."""


def wrong(where: str, message: str, allowed: str) -> Wrong:
    """Return what is wrong with a value, and what is allowed."""
    return Wrong(where, message, f"allowed: {allowed}" if allowed else "")


@contextmanager
def placed(where: str) -> Generator[None]:
    """Put the place of an object before those of what is wrong in it."""
    try:
        yield
    except Wrong as error:
        inner, message, hint = error.args
        raise Wrong(f"{where}.{inner}" if inner else where, message, hint) from None


def read(
    data: object, place: str, limits: Limits, progress: Progress | None = None
) -> Read:
    """Return the graph of a JSON text.

    `place` is what messages call it; `progress` is told of the rows. Raises
    `InputError` with the first mistake.
    """
    try:
        top = table(data, "the graph")
        reader = _Reader(top, limits)
        graph = reader.graph(progress)
        dtype = text(top, "dtype", "float64")
        if dtype not in DTYPES:
            raise wrong("dtype", f"is '{short(dtype)}'", ", ".join(DTYPES))
        name, title = text(top, "name"), text(top, "title", "")
        summary = text(top, "summary", "")
    except Wrong as error:
        raise refusal(error, place) from None
    line = " ".join(clean(name).split()) or "capture"
    title = " ".join(clean(title).split())
    return Read(graph, line, title, clean(summary), dtype, reader.numbers)


def refusal(error: Wrong, place: str) -> InputError:
    """Return the error that says what is wrong in the JSON of a member."""
    where, message, hint = error.args
    told = f"{where} {message}" if where else message
    return InputError(Problem(told, hint, place))


def table(value: object, where: str) -> Mapping[str, Any]:
    """Return a JSON object, or raise `Wrong`."""
    if not isinstance(value, dict):
        raise wrong(where, f"is {kind_of(value)}", "an object")
    return cast("Mapping[str, Any]", value)


def sequence(value: object, where: str, most: int) -> Sequence[Any]:
    """Return a JSON array of `most` elements at most, or raise `Wrong`."""
    if not isinstance(value, list):
        raise wrong(where, f"is {kind_of(value)}", "an array")
    found = cast("list[Any]", value)
    if len(found) > most:
        raise wrong(where, f"has {counted(len(found), 'element')}", f"{most} at most")
    return found


def text(of: Mapping[str, Any], key: str, default: str | None = None) -> str:
    """Return a text of an object as it is, or raise `Wrong`."""
    value = of.get(key, default)
    if not isinstance(value, str):
        raise wrong(key, f"is {kind_of(value)}", "a text")
    return value


def whole(of: Mapping[str, Any], key: str, least: int, stop: int) -> int:
    """Return a whole number from `least` up to `stop`, without it, or raise `Wrong`."""
    value = of.get(key)
    if not is_whole(value) or not least <= cast("int", value) < stop:
        allowed = f"a whole number, {least} … {stop - 1}"
        raise wrong(key, f"is {kind_of(value)}", allowed)
    return cast("int", value)


def kind_of(value: object) -> str:
    """Return what a value of JSON is, for a message."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return short(value)
    if isinstance(value, str):
        return f"the text '{short(value)}'"
    return "an object" if isinstance(value, dict) else "an array"


class _Reader:
    """One graph while it is read."""

    def __init__(self, top: Mapping[str, Any], limits: Limits) -> None:
        self.top, self.limits = top, limits
        self.builder = Builder()
        self.numbers: dict[int, Value] = {}
        self._opaque: dict[tuple[str, int], Op] = {}
        self._elements = self._work = 0

    def graph(self, progress: Progress | None) -> Graph:
        """Return the graph, or raise `Wrong`."""
        top, limits = self.top, self.limits
        version = top.get("format")
        if not is_whole(version) or version != FORMAT:
            newer = is_whole(version) and cast("int", version) > FORMAT
            hint = f"this gradstep reads format {FORMAT}"
            hint += "; a newer gradstep reads it" if newer else ""
            raise Wrong("format", f"is {kind_of(version)}", hint)
        rows = sequence(top.get("rows"), "rows", limits.nodes)
        if not rows:
            raise wrong("rows", "are none", "one row for each node, leaves first")
        count = len(rows)
        sources = self._sources()
        frames = self._frames(sources, count)
        statements = self._statements(frames, sources, count)
        frames = self._with_calls(frames, statements)
        names: set[str] = set()
        for index, one in enumerate(with_progress(rows, progress)):
            with placed(f"rows[{index}]"):
                self._row(index, table(one, ""), statements, names)
        output = whole(top, "output", 0, count)
        aliases = self._aliases(names, count)
        return self.builder.finish(output, frames, statements, aliases, sources)

    # ------------------------------------------------------------- sources, frames

    def _sources(self) -> dict[str, Source]:
        found: dict[str, Source] = {}
        for name, one in table(self.top.get("sources", {}), "sources").items():
            with placed(f"sources.{short(name)}"):
                entry = table(one, "")
                lines = text(entry, "text").split("\n")
                library = entry.get("library", False)
                if not isinstance(library, bool):
                    raise wrong("library", f"is {kind_of(library)}", "true or false")
            if (
                not 0 < len(name) <= _LONGEST_NAME
                or clean(name) != name
                or "\n" in name
            ):
                allowed = f"1 … {_LONGEST_NAME} printable characters"
                raise wrong("sources", f"has the name '{short(name)}'", allowed)
            found[name] = Source("\n".join(map(clean, lines)), library)
        return found

    def _frames(self, sources: Mapping[str, Source], count: int) -> list[Frame]:
        found: list[Frame] = []
        given = sequence(self.top.get("frames", []), "frames", self.limits.nodes)
        for index, one in enumerate(given):
            with placed(f"frames[{index}]"):
                entry = table(one, "")
                parent = whole(entry, "parent", 0, max(index, 1))
                above = found[parent] if index else None
                low, high = (above.first, above.stop) if above else (0, count)
                first = whole(entry, "first", low, high + 1)
                stop = whole(entry, "stop", first, high + 1)
                source = text(entry, "source")
                if source not in sources:
                    known = ", ".join(map(short, list(sources)[:_MOST_LISTED]))
                    raise wrong("source", f"is '{short(source)}'", f"one of {known}")
                name = "" if not index else self._name(entry, "name")
                depth = above.depth + 1 if above else 0
                if depth > _MOST_DEPTH:
                    raise wrong("parent", f"is {depth} calls inside", str(_MOST_DEPTH))
                function = _line(text(entry, "function", ""))
                found.append(
                    Frame(
                        index, name, function, source, parent, depth, None, first, stop
                    )
                )
        return found

    def _statements(
        self, frames: Sequence[Frame], sources: Mapping[str, Source], count: int
    ) -> list[Statement]:
        found: list[Statement] = []
        lines = {name: one.text.count("\n") + 1 for name, one in sources.items()}
        most = self.limits.nodes * 2
        given = sequence(self.top.get("statements", []), "statements", most)
        for index, one in enumerate(given):
            with placed(f"statements[{index}]"):
                entry = table(one, "")
                frame = whole(entry, "frame", 0, len(frames))
                line = whole(entry, "line", 1, lines[frames[frame].source] + 1)
                first = whole(entry, "first", 0, count + 1)
                stop = whole(entry, "stop", first, count + 1)
                words = [_line(text(entry, key, "")) for key in _WORDS]
                target, code, note = words
                found.append(
                    Statement(index, frame, target, line, code, note, first, stop)
                )
        return found

    def _with_calls(
        self, frames: Sequence[Frame], statements: Sequence[Statement]
    ) -> list[Frame]:
        given = self.top.get("frames", [])
        found: list[Frame] = []
        for frame, entry in zip(frames, given, strict=True):
            with placed(f"frames[{frame.index}]"):
                call = _site(entry.get("call"), "call", statements)
                if (call is None) != (frame.index == 0):
                    raise wrong(
                        "call", "is missing", "where it is called; frame 0 none"
                    )
                if call and statements[call.statement].frame != frame.parent:
                    raise wrong("call", "is not in its parent", "a statement of it")
                found.append(frame._replace(call=call))
        return found

    def _aliases(self, names: set[str], count: int) -> dict[str, int]:
        found: dict[str, int] = {}
        given = table(self.top.get("aliases", {}), "aliases")
        for name in given:
            with placed("aliases"):
                self._check_name(name, "name")
                if name in names:
                    raise wrong(short(name), "is the name of a row", "another name")
                found[name] = whole(given, name, 0, count)
        return found

    # --------------------------------------------------------------------- one row

    def _row(
        self,
        index: int,
        row: Mapping[str, Any],
        statements: Sequence[Statement],
        names: set[str],
    ) -> None:
        for key in row:
            if key not in _KEYS:
                raise wrong("", f"has the key '{short(key)}'", ", ".join(_KEYS))
        is_leaf = "kind" in row
        if is_leaf + ("op" in row) + ("opaque" in row) != 1:
            raise wrong("", "is no row", "exactly one of kind, op and opaque")
        shape = self._shape(row)
        site = _site(row.get("at"), "at", statements)
        name = self._leaf_name(row) if is_leaf else self._name(row, "name")
        if name in names:
            raise wrong("name", f"is {name!r}, as that of an earlier row", "a new name")
        names.add(name)
        if is_leaf:
            self._leaf(index, row, name, shape, site)
        else:
            self._result(index, row, name, shape, site)

    def _shape(self, row: Mapping[str, Any]) -> Shape:
        limits = self.limits
        shape = sequence(row.get("shape"), "shape", limits.axes)
        if not all(is_whole(length, 0) for length in shape):
            raise wrong("shape", "is none", "whole numbers, 0 or more")
        size = math.prod(shape)
        self._elements += size
        for name, many in (("elements_per_array", size), ("elements", self._elements)):
            if many > getattr(limits, name):
                what = f"makes {counted(many, 'element')}"
                raise Wrong("shape", what, limits.allowed(name))
        return tuple(shape)

    def _leaf_name(self, row: Mapping[str, Any]) -> str:
        name = text(row, "name", None)
        if row["kind"] == "constant" and name[:1] in "0123456789.-" and name:
            if len(name) <= _LONGEST_NAME and _is_float(name):
                return name
            raise wrong("name", f"is '{short(name)}'", "a number, or a name")
        return self._name(row, "name")

    def _name(self, row: Mapping[str, Any], key: str) -> str:
        name = text(row, key)
        self._check_name(name, key)
        return name

    def _check_name(self, name: str, key: str) -> None:
        if len(name) > _LONGEST_NAME:
            what = f"has {counted(len(name), 'character')}"
            raise wrong(key, what, f"{_LONGEST_NAME} at most")
        if not _NAME.fullmatch(name):
            raise wrong(key, f"is '{short(name)}'", _NAMED)

    def _leaf(
        self,
        index: int,
        row: Mapping[str, Any],
        name: str,
        shape: Shape,
        site: Site | None,
    ) -> None:
        kind = row["kind"]
        if kind not in _KINDS:
            raise wrong("kind", f"is {kind_of(kind)}", ", ".join(_KINDS))
        if "number" in row:
            number = row["number"]
            number = _FAR.get(number, number) if isinstance(number, str) else number
            if not isinstance(number, (bool, int, float)) or shape:
                allowed = 'a number, "nan", "inf" or "-inf", of a scalar'
                raise wrong("number", f"is {kind_of(row['number'])}", allowed)
            self.numbers[index] = number
        self.builder.leaf(name, cast("NodeKind", kind), shape, site)

    def _result(
        self,
        index: int,
        row: Mapping[str, Any],
        name: str,
        shape: Shape,
        site: Site | None,
    ) -> None:
        operands: tuple[Any, ...] = tuple(
            sequence(row.get("operands"), "operands", _MOST_OPERANDS)
        )
        for operand in operands:
            if not (is_whole(operand, 0) and operand < index):
                allowed = f"numbers of earlier rows, 0 … {index - 1}"
                raise wrong("operands", f"has {kind_of(operand)}", allowed)
        given = table(row.get("attributes", {}), "attributes")
        if "opaque" in row:
            op = self._of_nothing(row, len(operands))
        else:
            op = _operation(row, operands)
        attributes = _attributes(op, given)
        shapes = self._shapes(operands)
        found = _shape_found(op, shapes, attributes, shape)
        if found != shape:
            allowed = f"what its operation gives: {shape_text(found)}"
            raise wrong("shape", f"is {shape_text(shape)}", allowed)
        self._check_cost(op, shapes, attributes)
        # Where all are scalars, as the builder sees by itself, a run is faster.
        known = shape if shape or op.recorded else None
        self.builder.apply(op, operands, attributes, name, site, known)

    def _shapes(self, operands: Sequence[int]) -> list[Shape]:
        rows = self.builder.nodes.rows
        return [rows[operand][6] for operand in operands]

    def _of_nothing(self, row: Mapping[str, Any], operands: int) -> Op:
        name = _line(text(row, "opaque"))
        if not 0 < len(name) <= _LONGEST_NAME or "{" in name or "}" in name:
            allowed = f"a name of 1 … {_LONGEST_NAME} characters"
            raise wrong("opaque", f"is '{short(name)}'", allowed)
        key = (name, operands)
        if key not in self._opaque:
            self._opaque[key] = opaque(*key)
        return self._opaque[key]

    def _check_cost(
        self, op: Op, shapes: Sequence[Shape], attributes: Mapping[str, Any]
    ) -> None:
        if op.cost is None:
            return
        cost = op.cost(*shapes, **attributes)
        self._work += cost.effort
        for name, many in (("elements_per_array", cost.room), ("work", self._work)):
            if many > getattr(self.limits, name):
                raise Wrong("", f"takes {many} on its way", self.limits.allowed(name))


def _line(value: str) -> str:
    return clean(value[:_LONGEST_LINE]).replace("\n", " ")


def _is_float(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _site(value: Any, key: str, statements: Sequence[Statement]) -> Site | None:
    if value is None:
        return None
    parts = sequence(value, key, 4)
    allowed = "[statement, line, column, text]"
    if len(parts) != 4 or not isinstance(parts[3], str):
        raise wrong(key, f"is {kind_of(value)}", allowed)
    if not is_whole(parts[0], 0) or parts[0] >= len(statements):
        known = f"the number of a statement, 0 … {len(statements) - 1}"
        raise wrong(key, f"has {kind_of(parts[0])}", known)
    if not all(is_whole(one, 1) and one < 2**31 for one in parts[1:3]):
        raise wrong(key, "has no line and column", allowed)
    return Site(parts[0], parts[1], parts[2], _line(parts[3]))


def _operation(row: Mapping[str, Any], operands: Sequence[int]) -> Op:
    name = text(row, "op")
    op = OPS.get(name)
    if op is None:
        hint = nearest(name, OPS) or "allowed: an operation of gradstep, or opaque"
        raise Wrong("op", f"is '{short(name)}'", hint)
    most = _MOST_OPERANDS if op.variadic else len(op.operands)
    least = 1 if op.variadic else len(op.operands) - op.optional
    if not least <= len(operands) <= most:
        allowed = f"{least}" if least == most else f"{least} … {most}"
        raise wrong("operands", f"are {len(operands)}", f"{allowed} of {name}")
    return op


def _attributes(op: Op, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a row, each as a program may give it."""
    allowed = {one.name: one for one in op.parameters}
    found: dict[str, Any] = {}
    for key, one in given.items():
        if key not in allowed:
            known = ", ".join(allowed) or "none"
            raise wrong(
                "attributes", f"has '{short(key)}'", f"those of {op.name}: {known}"
            )
        found[key] = _from_plain(one, f"attributes.{key}")
        if right := allowed[key].check(found[key]):
            raise wrong(f"attributes.{key}", f"is {short(found[key])}", right)
    for key, one in allowed.items():
        if key not in found and one.default is REQUIRED:
            raise wrong(f"attributes.{key}", "is missing", one.check(None))
    if op.parts and found["part"] >= op.parts(**found):
        what = f"is {found['part']}"
        raise wrong("attributes.part", what, f"0 … {op.parts(**found) - 1}")
    return {k: found.get(k, one.default) for k, one in allowed.items()}


def _from_plain(value: Any, where: str) -> Any:
    """Return an attribute of JSON as an operation takes it."""
    if isinstance(value, list):
        return tuple(_from_plain(one, where) for one in cast("list[Any]", value))
    if not isinstance(value, dict):
        if isinstance(value, int) and abs(value) >= 2**63:
            raise wrong(where, "is beyond 64 bits", "whole numbers of 64 bits")
        return value
    entry = cast("dict[str, Any]", value)
    if entry.keys() == {"slice"}:
        bounds = sequence(entry["slice"], where, 3)
        if len(bounds) == 3 and all(one is None or is_whole(one) for one in bounds):
            return slice(*(_from_plain(one, where) for one in bounds))
    if entry.keys() == {"ellipsis"}:
        return ...
    if entry.keys() <= {"operand", "mask"} and is_whole(entry.get("operand"), 0):
        return Slot(entry["operand"], entry.get("mask", False) is True)
    words = '{"slice": [1, 2, null]}, {"ellipsis": true}, {"operand": 0}'
    raise wrong(where, "has an object", words)


def _shape_found(
    op: Op, shapes: Sequence[Shape], attributes: Mapping[str, Any], recorded: Shape
) -> Shape:
    """Return the shape that an operation gives; where data decide, the recorded one."""
    if op.recorded:
        return recorded
    try:
        return op.shape(*shapes, **attributes)
    except DependsOnData:
        return recorded
    except _UNFIT as error:
        words = " ".join(str(error).split()).removeprefix(f"{op.name}: ")
        fed = ", ".join(map(str, shapes))
        message = f"do not fit {op.name}: {fed}: {words[:_LONGEST_NAME]}"
        raise wrong("operands", message, "") from None
