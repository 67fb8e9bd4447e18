"""Where in a trace: the LOC of the commands.

```
z  x1.z        a node: its value, and what it sends back (z.grad: that alone)
x1             a frame (node:x1 is its result alone)
z<-W  z<-a#1   one edge
op:relu        every node of an operation
line:7         every statement at a line of the program
model.py:56    every statement at a line of any source; line:model.py:56 is the same
model.py:56@2  the second time that the line is carried out
output         the seed
start  end     the ends of the trace
#31            the 31st event
…@forward …@backward   in one pass only
W@update       the update of a parameter
```

A location is a list of spans of events. A breakpoint stops before a span, `goto` goes
to the end of one. A leaf has no event of its own going forward; its spans are the
contributions that arrive at it, one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from ..base.errors import CommandError
from ..base.text import counted, nearest
from ..ops import ALIASES, OPS
from ..words.edges import parse_edge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..engine.graph import Graph, Node
    from ..engine.trace import Trace

Pass = Literal["forward", "backward", "update"]


class Location(NamedTuple):
    """A parsed LOC. `nodes` are half-open ranges of node numbers."""

    text: str  # as it was written
    nodes: tuple[tuple[int, int], ...] = ()
    leaf: int | None = None  # a leaf's node number; None for anything else
    # (consumer, argument number); None for anything else
    edge: tuple[int, int] | None = None
    event: int | None = None  # counted from 0
    # an end of the trace, or the seed; None for anything else
    end: Literal["start", "end", "output"] | None = None
    only: Pass | None = None  # the one pass that it is limited to; None for all

    def spans(self, trace: Trace) -> list[range]:
        """Return the spans of events that it names, in the order of time."""
        return [span for span in self._all(trace) if len(span)]

    def position(self, trace: Trace) -> int:
        """Return the position that `goto` goes to: the end of the first span.

        Raises `CommandError` where nothing happens at the place.
        """
        if self.end in ("start", "end"):
            return 0 if self.end == "start" else len(trace)
        spans = self.spans(trace)
        if not spans:
            raise CommandError(
                f"nothing happens at {self.text}",
                "no gradient flows there, or it is never computed",
            )
        return (spans[-1] if self.leaf is not None else spans[0]).stop

    def _all(self, trace: Trace) -> Iterator[range]:
        if self.event is not None:
            yield range(self.event, self.event + 1)
        if self.end == "output":
            yield range(trace.seed_position, trace.seed_position + 1)
        if self.edge is not None:
            number = trace.edge_event(*self.edge)
            if number is not None:
                yield range(number, number + 1)
        if self.leaf is not None and self.only == "update":
            number = trace.update_event(self.leaf)
            if number is not None:
                yield range(number, number + 1)
        elif self.leaf is not None:
            yield from (range(n, n + 1) for n in trace.arrivals(self.leaf))
        if self.only != "backward":
            yield from (trace.forward_events(*nodes) for nodes in self.nodes)
        if self.only != "forward":
            backwards = reversed(self.nodes)
            yield from (trace.backward_events(*nodes) for nodes in backwards)


def parse_location(text: str, trace: Trace, names: Mapping[str, str]) -> Location:
    """Parse a LOC, or raise `CommandError` with what is allowed.

    `names` maps the literature's name of a gradient to `NODE.grad`: `δ3` is a place.
    """
    text = text.strip()
    place, only = _pass(text)
    graph = trace.run.graph
    if only == "update":
        return _update(text, place, trace)
    if place == "start" or place == "end" or place == "output":  # noqa: PLR1714 (types)
        return Location(text, end=place)
    if place.startswith("#"):
        return _event(text, place, trace)
    if "<-" in place:
        if only == "forward":
            raise CommandError(f"nothing happens at the edge {place} going forward")
        return Location(text, edge=parse_edge(place, graph), only=only)
    prefix, colon, rest = place.partition(":")
    if colon and prefix in _PREFIXES:
        return Location(text, nodes=_PREFIXES[prefix](graph, rest), only=only)
    if colon and place.rpartition(":")[0] in graph.sources:
        return Location(text, nodes=_of_line(graph, place), only=only)
    place = names.get(place, place)
    if place.endswith(".grad"):
        place, only = place.removesuffix(".grad"), "backward"
    for frame in graph.frames[1:]:
        if frame.name == place:
            return Location(text, nodes=((frame.first, frame.stop),), only=only)
    return _at_node(text, _node(graph, place), only)


def _pass(text: str) -> tuple[str, Pass | None]:
    place, at, which = text.rpartition("@")
    which = which.strip()
    if not at or which[:1].isdecimal():  # `h@2` is a name: what h was the second time
        return text.strip("`"), None
    for name in ("forward", "backward", "update"):
        if which and name.startswith(which):
            return place.strip().strip("`"), name
    raise CommandError(f"there is no pass {which!r}", "@forward, @backward or @update")


def _update(text: str, place: str, trace: Trace) -> Location:
    node = _node(trace.run.graph, place)
    if node.index not in trace.updates:
        updated = ", ".join(trace.run.graph.nodes[i].name for i in trace.updates)
        raise CommandError(
            f"{node.name} is not updated",
            f"updated are {updated}" if updated else "the scenario does not train",
        )
    return Location(text, leaf=node.index, only="update")


def _event(text: str, place: str, trace: Trace) -> Location:
    number = place[1:]
    if not number.isdecimal() or not 1 <= int(number) <= len(trace):
        raise CommandError(
            f"there is no event {place}", f"#1 … #{len(trace)} are there"
        )
    return Location(text, event=int(number) - 1)


def _node(graph: Graph, name: str) -> Node:
    index = graph.names.get(name)
    if index is None:
        known = [*graph.names, *(frame.name for frame in graph.frames[1:])]
        raise CommandError(
            f"nothing is called {name!r}",
            nearest(name, known)
            or "a place is NODE, FRAME, A<-B, op:NAME, line:N, output, start, end "
            "or #EVENT, with @forward or @backward",
        )
    return graph.nodes[index]


def _at_node(text: str, node: Node, only: Pass | None) -> Location:
    if node.op is None:
        if only == "forward":
            raise CommandError(
                f"{node.name} is given, not computed: nothing happens forward"
            )
        return Location(text, leaf=node.index)
    return Location(text, nodes=((node.index, node.index + 1),), only=only)


Ranges = tuple[tuple[int, int], ...]


def _of_node(graph: Graph, name: str) -> Ranges:
    index = _node(graph, name).index
    return ((index, index + 1),)


def _of_frame(graph: Graph, name: str) -> Ranges:
    found = [f for f in graph.frames if name in (f.name, f.function) and f.index]
    if not found:
        known = [n for f in graph.frames[1:] for n in (f.name, f.function)]
        raise CommandError(f"there is no frame {name!r}", nearest(name, known))
    return tuple((frame.first, frame.stop) for frame in found)


def _of_op(graph: Graph, name: str) -> Ranges:
    name = ALIASES.get(name, name)
    found = [n.index for n in graph.nodes if n.op is not None and n.op.name == name]
    if not found:
        used = sorted({node.op.name for node in graph.nodes if node.op is not None})
        message = "is not used here" if name in OPS else "is not an operation"
        raise CommandError(
            f"{name!r} {message}", nearest(name, used) or f"used are {', '.join(used)}"
        )
    return tuple((index, index + 1) for index in found)


def _of_line(graph: Graph, text: str) -> Ranges:
    source, _, number = text.rpartition(":")
    number, at, time = number.partition("@")
    source = source or graph.main
    lines = [s for s in graph.statements if graph.frames[s.frame].source == source]
    known = sorted({s.line for s in lines})
    if not number.isdecimal() or int(number) not in known:
        used = sorted({frame.source for frame in graph.frames})
        raise CommandError(
            f"no statement stands at line {text}",
            f"lines with one: {', '.join(map(str, known[:20]))}"
            if known
            else nearest(source, used) or f"lines are those of {' and '.join(used)}",
        )
    found = _outermost([(s.first, s.stop) for s in lines if s.line == int(number)])
    if not at:
        return found
    if not time.isdecimal() or not 0 < int(time) <= len(found):
        what = f"line {number} is carried out {counted(len(found), 'time')}"
        raise CommandError(what, f"@1 … @{len(found)} are there")
    return (found[int(time) - 1],)


def _outermost(ranges: Sequence[tuple[int, int]]) -> Ranges:
    kept: list[tuple[int, int]] = []
    for first, stop in sorted(set(ranges), key=lambda r: (r[0], -r[1])):
        if first < stop and not (kept and stop <= kept[-1][1]):
            kept.append((first, stop))
    return tuple(kept)


_PREFIXES: Final[Mapping[str, Callable[[Graph, str], Ranges]]] = {
    "node": _of_node,
    "frame": _of_frame,
    "op": _of_op,
    "line": _of_line,
}
