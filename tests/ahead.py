"""What is made behind a position: numbers that nobody may see there."""

from __future__ import annotations

import json
import math
import re
import tomllib
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep.core.engine.trace import Contribution, Trace
from gradstep.core.scenario.builtin import builtin_path
from gradstep.core.scenario.scenario import Scenario, load, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradstep.core.debugger.debugger import Debugger

# Numbers of four digits and more say which value they are; those of an axis do not.
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.])")


def made(trace: Trace, number: int) -> Iterator[np.ndarray]:
    """Yield what an event makes: a value, a contribution, a gradient."""
    event = trace.event(number)
    if isinstance(event, Contribution):
        parts = trace.breakdown(event.consumer, event.argument)
        yield from (parts.product, parts.contribution)
    for found in (trace.value, trace.gradient):
        array = found(event.node, number + 1)
        before = found(event.node, number)
        if array is not None and (before is None or not np.array_equal(before, array)):
            yield array


class Numbers:
    """The sizes of all numbers of a session that are made ahead, and behind."""

    def __init__(self) -> None:
        self._made: dict[tuple[Trace, int], np.ndarray] = {}

    def at(
        self, debugger: Debugger, following: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return them in order, of this iteration and of so many that follow."""
        timeline, (iteration, position) = debugger.timeline, debugger.place
        ahead, behind = [np.zeros(0)], [np.zeros(0)]
        for number in range(min(timeline.iterations, iteration + following + 1)):
            trace = timeline.trace(number)
            done = position if number == iteration else len(trace)
            done *= number <= iteration
            for event in range(len(trace)):
                (behind if event < done else ahead).append(self._of(trace, event))
            behind += map(_sizes, trace.run.leaves.values())
        return np.sort(np.concatenate(ahead)), np.sort(np.concatenate(behind))

    def _of(self, trace: Trace, event: int) -> np.ndarray:
        key = trace, event
        if key not in self._made:
            self._made[key] = np.concatenate(
                [np.zeros(0), *map(_sizes, made(trace, event))]
            )
        return self._made[key]


def _sizes(array: Any) -> np.ndarray:
    flat = np.abs(np.ravel(array).astype(float))
    return flat[np.isfinite(flat)]


def reads(word: str, sizes: np.ndarray) -> bool:
    """Tell whether a number is one of some sizes, rounded as far as it is shown."""
    number = abs(Decimal(word))
    unit = Decimal(1).scaleb(int(number.as_tuple().exponent))
    ends = float(number), 0.5000001 * float(unit)
    first = np.searchsorted(sizes, ends[0] - ends[1])
    return bool(first < np.searchsorted(sizes, ends[0] + ends[1], "right"))


def leaks(
    debugger: Debugger,
    text: str,
    known: tuple[np.ndarray, np.ndarray] | None = None,
    digits: int = 4,
) -> set[str]:
    """Return the numbers of a text that are made behind the position alone.

    `known` are the sizes ahead and behind, where they are found already. Numbers of
    less than so many digits could be those of anything.
    """
    ahead, behind = known or Numbers().at(debugger, following=0)
    found = set(NUMBER.findall(text))
    words = {w for w in found if len(Decimal(w).as_tuple().digits) >= digits}
    return {word for word in words if reads(word, ahead) and not reads(word, behind)}


# --------------------------------------------------------- scenarios with drawn numbers


def drawn(name: str, seed: int) -> Scenario:
    """Return a built-in scenario whose leaves have nine digits that nobody has chosen.

    Each has the size and the sign that it had, so that a lesson shows what it shows.
    """
    scenario, random = load(name), Random(seed)  # noqa: S311  # no secret
    file: dict[str, Any] = tomllib.loads(builtin_path(name).read_text("utf-8"))

    def number(value: float) -> float:
        if not math.isfinite(value):
            return value
        return float(f"{value * random.uniform(0.7, 1.3):.9g}")

    for table in ("inputs", "parameters"):
        for leaf in file.get(table, {}):
            array = np.asarray(scenario.given[leaf].value)
            if array.dtype.kind == "f":
                flat = [number(value) for value in np.ravel(array).tolist()]
                file[table][leaf] = np.reshape(flat, array.shape).tolist()
    for other in ("expect", "notes", "questions", "hidden"):
        file.pop(other, None)
    tops = {key: value for key, value in file.items() if not isinstance(value, dict)}
    tables = {key: value for key, value in file.items() if isinstance(value, dict)}
    lines = [f"{key} = {_toml(value)}" for key, value in tops.items()]
    for key, table in tables.items():
        lines += [f"[{key}]", *(f"{_toml(k)} = {_toml(v)}" for k, v in table.items())]
    return parse("\n".join(lines), source=f"{name}.toml")


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_toml(k)} = {_toml(value[k])}' for k in value)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else repr(value)
