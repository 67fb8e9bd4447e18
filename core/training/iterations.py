"""Training: iterations that follow from each other, as part of time.

Iteration `i` starts from parameters and from what the optimiser remembers. Its run
gives gradients, and these give the start of iteration `i + 1`. The same start gives the
same numbers to the last bit, so only some starts are kept, and the others are computed
again when somebody goes there.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from functools import partial
from types import EllipsisType, MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..engine.backward import call, frozen
from ..engine.patches import NO_PATCHES, Patches
from ..engine.run import Run, evaluate
from ..engine.trace import Iteration, Trace
from ..engine.update import UpdateStep
from ..ops.optimizers import OPTIMIZERS, Optimizer, State
from ..words.formulas import Wording
from .batches import samples_of, take
from .timeline import Record, Records, record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..base.progress import Progress
    from ..engine.element import Index
    from ..engine.graph import Graph
    from ..ops.table import Array, Value
    from ..scenario.scenario import Scenario
    from ..scenario.training import Batch, Training

_MOST_STARTS: Final = 64  # kept on the grid
_LAST_STARTS: Final = 32  # kept because they were needed last: the way back is short
_LAST_TRACES: Final = 4
_BYTES: Final = 256 * 2**20  # of all starts that are kept


def iterations_of(
    scenario: Scenario, training: Training, progress: Progress | None = None
) -> Iterations:
    """Return the time of a scenario that is trained.

    `progress` is told of every iteration that is computed on the way to another one.
    """
    program = scenario.batch_program or scenario.subject
    graph, batch = program.graph, training.batch
    parameters = tuple(n.index for n in graph.nodes if n.kind == "parameter")
    values = {index: _kept(program.leaves[index]) for index in parameters}
    plan = Plan(
        graph,
        program.leaves,
        scenario.subject.seed,
        OPTIMIZERS[training.optimizer],
        training.hyper,
        MappingProxyType(
            {
                index: _rate(training.learning_rate[graph.nodes[index].name], value)
                for index, value in values.items()
            }
        ),
        batch,
        MappingProxyType(
            {graph.names[n]: scenario.given[n].value for n in batch.of} if batch else {}
        ),
        Wording(graph, scenario.subject.names),
        progress or (lambda done, of: None),
    )
    zeros = {
        index: tuple(_kept(np.zeros_like(value)) for _ in plan.optimizer.state)
        for index, value in values.items()
    }
    return Iterations(plan, training.iterations, _Memory.of(Start(values, zeros)))


def _rate(rate: Value, value: Value) -> Value:
    """Return a rate that does not widen the value's dtype."""
    if isinstance(rate, np.ndarray):
        return _kept(rate.astype(np.asarray(value).dtype))
    return rate


def _kept(value: Value) -> Array:
    """Return an array as a run holds it: read-only, a scalar no array."""
    array = np.asarray(value)
    if array.flags.writeable:
        array = array.copy()
        array.setflags(write=False)
    return array[()] if not array.ndim else array


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is the same in all iterations."""

    graph: Graph  # in the shapes of one batch
    leaves: Mapping[int, Value]  # the values of all leaves at the start
    seed: Value | None  # the gradient that enters; None for a scalar output
    optimizer: Optimizer  # its formula and its state
    settings: Mapping[str, float]  # the optimiser's settings beside the rate, by name
    rates: Mapping[int, Value]  # by parameter
    batch: Batch | None  # None where each iteration sees all samples
    samples: Mapping[int, Value]  # all samples, of the leaves that are cut into batches
    wording: Wording  # names of nodes and gradients
    progress: Progress  # called on the way to an iteration: done, of


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """What an iteration starts from: values and the optimiser's state, by parameter."""

    values: Mapping[int, Array]  # of the parameters
    states: Mapping[int, State]  # arrays, in the order of `Optimizer.state`

    @property
    def size(self) -> int:
        """The bytes that it takes."""
        arrays = [*self.values.values()]
        for state in self.states.values():
            arrays += state
        return sum(array.nbytes for array in arrays)


@dataclass(slots=True)
class _Memory:
    """What is kept of the iterations that have run.

    Starts lie on a grid whose stride doubles when it is full. Beside it, the last few
    starts and traces are kept. Two threads may look things up at the same time.
    """

    most: int
    grid: dict[int, Start]
    records: Records
    last: dict[int, Start] = field(default_factory=dict[int, Start])
    traces: dict[int, Trace] = field(default_factory=dict[int, Trace])
    stride: int = 1
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, start: Start) -> _Memory:
        """Return the memory of a training that has not begun."""
        affordable = _BYTES // max(start.size, 1)
        most = int(np.clip(affordable, 4, _MOST_STARTS))
        return cls(most, {0: start}, Records(len(start.values)))

    def until(self, iteration: int) -> _Memory:
        """Return what does not depend on `iteration` and those after it."""
        with self.lock:
            return _Memory(
                self.most,
                {i: start for i, start in self.grid.items() if i <= iteration},
                self.records.first(iteration),
                {i: start for i, start in self.last.items() if i <= iteration},
                {i: trace for i, trace in self.traces.items() if i < iteration},
                self.stride,
            )

    def before(self, iteration: int) -> tuple[int, Start]:
        """Return the last iteration up to `iteration` whose start is known, and it."""
        with self.lock:
            known = max(i for i in (*self.grid, *self.last) if i <= iteration)
            return known, self.last.get(known) or self.grid[known]

    def keep(self, iteration: int, start: Start) -> None:
        """Keep a start, and let go of another one when there are too many."""
        with self.lock:
            self.last.pop(iteration, None)
            self.last[iteration] = start
            if len(self.last) > min(_LAST_STARTS, self.most):
                del self.last[next(iter(self.last))]
            if iteration % self.stride == 0:
                self.grid[iteration] = start
            if len(self.grid) > self.most:
                self.stride *= 2
                self.grid = {i: s for i, s in self.grid.items() if i % self.stride == 0}

    def keep_trace(self, iteration: int, trace: Trace) -> None:
        """Keep a trace as the one that was asked for last."""
        with self.lock:
            self.traces.pop(iteration, None)
            self.traces[iteration] = trace
            if len(self.traces) > _LAST_TRACES:
                del self.traces[next(iter(self.traces))]

    def keep_record(self, iteration: int, found: Record) -> None:
        """Keep the record of an iteration that has run for the first time."""
        with self.lock:
            if len(self.records) == iteration:
                self.records.append(found)


@dataclass(frozen=True, slots=True, eq=False)
class Iterations:
    """The timeline of a training, whose traces end with updates of the parameters."""

    plan: Plan  # what the iterations have in common
    iterations: int  # how many can be visited
    memory: _Memory  # starts, traces and records that are kept
    # patches, by the iteration that they begin in
    changes: Mapping[int, Patches] = field(default_factory=dict[int, Patches])

    @property
    def records(self) -> Records:
        """The loss and the gradients' norms of the iterations that have run."""
        return self.memory.records

    def trace(self, iteration: int) -> Trace:
        """Return the trace of an iteration: the same, however one got there."""
        if not 0 <= iteration < self.iterations:
            raise IndexError(f"iteration {iteration} of {self.iterations}")
        memory = self.memory
        trace = memory.traces.get(iteration)
        if trace is None:
            start = self._start(iteration)
            trace = _trace(self, iteration, start, self._run(iteration, start))
        memory.keep_trace(iteration, trace)
        return trace

    def patches(self, iteration: int) -> Patches:
        """Return the patches of an iteration: its own, and those that hold on."""
        changed = max((i for i in self.changes if i <= iteration), default=None)
        if changed is None:
            return NO_PATCHES
        patches = self.changes[changed]
        return patches if changed == iteration else _lasting(patches)

    def patched(
        self, iteration: int, patches: Patches, progress: Progress | None = None
    ) -> Iterations:
        """Return a timeline that is patched from `iteration` on.

        Values and gradients are set in that iteration alone; what follows from them
        through the updates stays. Cut edges and mistakes hold on.
        """
        run = self.trace(iteration).run.patched(patches, progress)
        start = self._start(iteration)
        changes = {
            i: _joined(patches, change) if i > iteration else change
            for i, change in self.changes.items()
        }
        changes[iteration] = patches
        memory = self.memory.until(iteration)
        new = replace(self, changes=MappingProxyType(changes), memory=memory)
        memory.keep_trace(iteration, _trace(new, iteration, start, run))
        return new

    def extended(self, iterations: int) -> Iterations:
        """Return the same time with so many iterations, if it has fewer."""
        return replace(self, iterations=max(self.iterations, iterations))

    def update(
        self, iteration: int, parameter: int, at: Index | EllipsisType = ...
    ) -> UpdateStep:
        """Return one update of an iteration with everything that made it.

        With `at` it is that of one element, for all optimisers go element by element.
        Raises `ValueError` where the parameter is not updated.
        """
        return self.trace(iteration).update(parameter, at)

    def _start(self, iteration: int) -> Start:
        known, start = self.memory.before(iteration)
        for number in range(known, iteration):
            start = _next(self, number, start, self._run(number, start))
            if iteration - known > 1:
                self.plan.progress(number + 1 - known, iteration - known)
        return start

    def _run(self, iteration: int, start: Start) -> Run:
        plan = self.plan
        leaves = {**plan.leaves, **start.values}
        if plan.batch is not None:
            for index, samples in plan.samples.items():
                leaves[index] = take(samples, plan.batch, iteration)
        patches = self.patches(iteration)
        return evaluate(plan.graph, MappingProxyType(leaves), plan.seed, patches)


def _next(time: Iterations, iteration: int, start: Start, run: Run) -> Start:
    """Return the start of the next iteration, and remember it and the loss."""
    values: dict[int, Array] = {}
    states: dict[int, State] = {}
    rates = time.plan.rates
    with np.errstate(all="ignore"):
        for parameter, state in start.states.items():
            gradient = run.gradient(parameter)
            if gradient is None:
                values[parameter] = _kept(run.values[parameter])
                states[parameter] = state
            else:
                values[parameter], states[parameter] = _stepped(
                    time.plan,
                    iteration,
                    run.value(parameter),
                    gradient,
                    rates[parameter],
                    state,
                )
        memory = time.memory
        after = Start(values, states)
        memory.keep(iteration + 1, after)
        if len(memory.records) == iteration:
            memory.keep_record(iteration, record(run, rates))
    return after


def _trace(time: Iterations, iteration: int, start: Start, run: Run) -> Trace:
    """Return the trace of an iteration, and remember where the next one starts."""
    after = _next(time, iteration, start, run)
    updated = {
        parameter: value
        for parameter, value in after.values.items()
        if run.arrives(parameter)
    }
    at = Iteration(
        iteration,
        time.plan.optimizer,
        partial(_opened, time.plan, iteration, start, run),
        time.trace,
        samples_of(time.plan.batch, iteration),
        time.plan.rates,
    )
    return Trace(run, updated, at)


def _opened(
    plan: Plan,
    iteration: int,
    start: Start,
    run: Run,
    parameter: int,
    at: Index | EllipsisType,
) -> UpdateStep:
    """Return an update with everything that made it, from the start and the run."""
    gradient = run.gradient(parameter)
    if gradient is None or parameter not in plan.rates:
        raise ValueError("it has no gradient, and is not updated")
    rate, state = plan.rates[parameter], start.states[parameter]
    value = run.value(parameter)[at]
    gradient = gradient[at]
    if isinstance(rate, np.ndarray):
        rate = np.broadcast_to(rate, run.value(parameter).shape)[at]
    state = tuple(part[at] for part in state)
    with np.errstate(all="ignore"):
        result, after = _stepped(plan, iteration, value, gradient, rate, state)
        # From 0 with a rate of −1, the next value is the direction itself.
        zero, back = np.zeros_like(value), value.dtype.type(-1)
        direction, _ = _stepped(plan, iteration, zero, gradient, back, state)
        # In the parameter's type, as NumPy takes it: in float16, 1e10 is infinite.
        taken = np.asarray(rate).astype(value.dtype)
    names, name = plan.optimizer.state, plan.graph.nodes[parameter].name
    return UpdateStep(
        name,
        iteration,
        plan.settings,
        value,
        gradient,
        np.broadcast_to(taken, np.shape(value)),
        MappingProxyType(dict(zip(names, state, strict=True))),
        MappingProxyType(dict(zip(names, after, strict=True))),
        np.asarray(direction),
        np.asarray(result),
    )


def _stepped(
    plan: Plan,
    iteration: int,
    value: Array,
    gradient: Array | None,
    rate: Value,
    state: State,
) -> tuple[Array, State]:
    """Return the next value of a parameter, and what the optimiser remembers of it."""
    given = [value, gradient, rate, state, iteration + 1]
    result, after = call(plan.optimizer.step, given, plan.settings)
    made: list[Any] = list(map(frozen, (result, *after)))
    return made[0], tuple(made[1:])


def _lasting(patches: Patches) -> Patches:
    """Return what holds on in the iterations that follow."""
    return patches._replace(values={}, gradients={})


def _joined(earlier: Patches, later: Patches) -> Patches:
    """Return the patches of a later iteration after a change in an earlier one."""
    return later._replace(
        cuts=earlier.cuts | later.cuts,
        rules=MappingProxyType({**earlier.rules, **later.rules}),
        overwrites=earlier.overwrites | later.overwrites,
        in_place=earlier.in_place | later.in_place,
        hidden=earlier.hidden,
    )
