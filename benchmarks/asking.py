"""Questions: how long commands take to answer, beside the work that they stand for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from measure import Row, compare, duration, race
from screen import chain

from gradstep.core.base.cache import Recent
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.run import evaluate
from gradstep.core.scenario.scenario import parse
from gradstep.core.training.timeline import Single

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradstep.core.engine.run import Run
    from gradstep.core.engine.subject import Subject
    from gradstep.core.session.reply import Reply

TERMS = 40_000
BOUND = 1e9  # more than any number has here
NODES = 100_000
MANY, FEW = 40_000, 2_500  # uses of one element

WIDE = f"""
gradstep = 1
program = '''
Y = x * W
E = 0.5 * sum(Y ** 2)
'''
[inputs]
x = 1.5
[parameters]
W = {{ random = "normal", seed = 1, shape = [{TERMS}] }}
"""


def rows(seconds: float) -> Iterator[Row]:
    """Yield the lines of questions about one element."""
    asked = Asked(WIDE)
    theirs = asked.array("Y", "grad"), asked.array("W", "value")
    explained = asked.answer("explain x.grad").data["terms"]
    if [dict(one) for one in explained] != walk(*theirs):
        raise SystemExit("the terms differ")
    for command, most in (("explain", 1.5), ("why", 1.5)):
        yield compare(
            f"{command} an element of {TERMS:,} terms, its data read",
            "one walk over its terms",
            most,
            lambda command=command: asked.answer(f"{command} x.grad").data,
            lambda: walk(*theirs),
            seconds,
        )

    yield _uses_row(seconds)
    yield _catch_row(seconds)
    yield _watch_row(seconds)


def _uses_row(seconds: float) -> Row:
    many, few = Asked(chain(MANY)), Asked(chain(FEW))
    ours, theirs = race(
        lambda: many.answer("explain w.grad").data,
        lambda: few.answer("explain w.grad").data,
        seconds,
    )
    return Row(
        f"explain an element with {MANY:,} uses, for each use",
        f"the same with {FEW:,} uses",
        duration(ours / MANY),
        duration(theirs / FEW),
        ours / MANY / (theirs / FEW),
        1.2,
    )


def _catch_row(seconds: float) -> Row:
    asked = Asked(chain(NODES))

    def fresh() -> Debugger:
        debugger = asked.debugger()
        debugger.execute("goto start")
        debugger.execute("catch nan")
        return debugger

    return compare(
        f"continue with catch nan where there is none, {NODES:,} scalar nodes",
        "forward + backward",
        3.0,
        lambda debugger: to_the_end(debugger.execute("continue")),
        lambda: evaluate(asked.run.graph, asked.run.leaves),
        seconds,
        fresh,
    )


def _watch_row(seconds: float) -> Row:
    asked = Asked(chain(MANY))
    trace = asked.debugger().trace
    sent = [trace.edge(n).consumer for n in trace.arrivals(asked.node("w"))]
    values: Any = asked.run.values  # numbers all
    gradients: Any = asked.run.gradients
    rows = asked.run.graph.nodes.rows

    def fresh() -> Debugger:
        debugger = asked.debugger()
        debugger.execute("goto start")
        debugger.execute(f"watch w.grad if w.grad > {BOUND}")
        return debugger

    def loop() -> float:
        total = 0.0
        for consumer in sent:
            before = total
            factor = values[rows[consumer][4][0]]
            total = before + gradients[consumer] * factor
            if total != before and total > BOUND:
                raise SystemExit("it halted")
        return total

    if loop() != asked.array("w", "grad"):
        raise SystemExit("the gradients differ")
    return compare(
        f"continue with a watch and a condition that {MANY:,} events change",
        "a plain Python loop over the same",
        20.0,
        lambda debugger: to_the_end(debugger.execute("continue")),
        loop,
        seconds,
        fresh,
    )


def to_the_end(reply: Reply) -> None:
    """Hold a reply to have found nothing on the way."""
    if reply.stop is None or reply.stop.reason != "end":
        raise SystemExit(f"it halted: {reply}")


class Asked:
    """A scenario at its end, which is asked as if for the first time."""

    def __init__(self, text: str) -> None:
        self.subject: Subject = parse(text, source="benchmark").subject
        self.run: Run = self.subject.run()

    def node(self, name: str) -> int:
        """Return the number of a node."""
        return self.run.graph.node(name).index

    def array(self, name: str, quantity: str) -> Any:
        """Return a value or a gradient."""
        node = self.node(name)
        whole = self.run.value(node), self.run.gradient(node)
        return whole[quantity == "grad"]

    def debugger(self) -> Debugger:
        """Return a debugger that knows the numbers, and nothing of what was asked."""
        fresh = replace(self.run, recent=Recent())
        debugger = Debugger(self.subject, Single.of(fresh))
        debugger.execute("goto end")
        return debugger

    def answer(self, line: str) -> Any:
        """Return the reply to a line that nobody has asked before."""
        reply = self.debugger().execute(line)
        if not reply.ok:
            raise SystemExit(reply.error)
        return reply


def walk(upstream: Any, local: Any) -> list[dict[str, Any]]:
    """Return the terms of a product with one number, by hand."""
    return [
        {
            "consumer": "Y",
            "argument": 0,
            "index": (place,),
            "upstream": sent,
            "local": slope,
            "product": sent * slope,
        }
        for place, (sent, slope) in enumerate(
            zip(upstream.tolist(), local.tolist(), strict=True)
        )
    ]


if __name__ == "__main__":
    for found in rows(2.0):
        print(found.line, flush=True)
