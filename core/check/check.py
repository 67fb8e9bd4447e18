"""Numeric differentiation: every gradient of a run, held against differences.

Three questions, so that a mistake is named where it is:

```
contribution   one edge: is upstream × local what differences of its operation say?
accumulation   one node: is its gradient the sum of the contributions to it?
gradient       one node: is it what differences of the whole program say?
```

Numbers are compared in float64, whatever the dtype of the run: its leaves are cast up
and the same graph, with the same patches, is evaluated once more. So a float16 run is
held to the same tolerance, and what its own rounding costs is a number beside it.

`check` asks all three of all elements. `check_element`, in `element.py`, asks the last
one of one element only, which takes no more than a few evaluations of what depends on
it.
"""

from __future__ import annotations

import math
import time
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from ..base.errors import InputError, Problem
from ..base.text import nearest
from .accumulations import check_accumulation
from .contributions import check_contribution, edges_of
from .differences import SCHEMES, Scheme
from .downstream import downstream
from .gradients import check_gradient
from .job import RTOL, Job, in_float64
from .report import NodeCheck, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..base.progress import Progress
    from ..engine.run import Run

MANY: Final = 20_000  # elements; before more of them directions are asked


def check(
    run: Run,
    *,
    scheme: Scheme = "central",
    step: float | None = None,
    rtol: float | None = None,
    sample: int | None = None,
    seed: int = 0,
    nodes: Sequence[int] | None = None,
    progress: Progress | None = None,
    quick: bool = False,
    first: Callable[[Report], None] | None = None,
) -> Report:
    """Compare the gradients of a run with numeric differentiation.

    `step` is the same for all elements; without it each has one that fits. `sample`
    elements of an array are compared, drawn with `seed`, among them the one with the
    largest gradient. `nodes` are those whose operations and gradients are checked, all
    by default. `progress` is called with the number of elements done, and of all.

    With `quick` each array is moved as a whole, along one random direction, and its
    elements only where that tells a mistake; of the gradients those of the leaves are
    compared, unless `nodes` are given. `first` is called with such a report where more
    than `MANY` elements wait to be compared.

    An interrupt (`KeyboardInterrupt`) ends the check, and the report has what was done.
    Raises `InputError` for a wrong option, and where the complex step meets an
    operation that does not take complex numbers.
    """
    _validate(scheme, step, rtol, sample)
    exact, seconds = in_float64(run)
    rtol = RTOL if rtol is None else rtol
    job = Job(run, exact, scheme, step, rtol, sample, seed, progress, quick=quick)
    wanted = set(range(len(run.graph)) if nodes is None else nodes)
    if scheme == "complex":
        _refuse_real(job, wanted)
    started = time.perf_counter()
    with np.errstate(all="ignore"):
        todo = _todo(job, wanted, ends=quick and nodes is None)
        if first is not None and not quick and job.total > MANY:
            short = check(
                run, rtol=rtol, seed=seed, nodes=nodes, progress=progress, quick=True
            )
            first(short)
            job.interrupted = not short.complete
        found = _collect(job, todo)
    return Report(
        run,
        scheme,
        step,
        rtol,
        tuple(one for one in found if one.level == "contribution"),
        tuple(one for one in found if one.level == "accumulation"),
        tuple(one for one in found if one.level == "gradient"),
        seconds,
        time.perf_counter() - started,
        not job.interrupted,
        quick,
    )


def _validate(
    scheme: str, step: float | None, rtol: float | None, sample: int | None
) -> None:
    problems: list[Problem] = []
    if scheme not in SCHEMES:
        hint = nearest(scheme, SCHEMES) or f"allowed: {', '.join(SCHEMES)}"
        problems.append(Problem(f"no scheme is called {scheme!r}", hint))
    if step is not None and not (math.isfinite(step) and step > 0):
        problems.append(Problem(f"the step is {step}", "allowed: a number above 0"))
    if rtol is not None and not (math.isfinite(rtol) and rtol >= 0):
        problems.append(Problem(f"rtol is {rtol}", "allowed: a number from 0 on"))
    if sample is not None and sample < 1:
        problems.append(Problem(f"the sample is {sample}", "allowed: 1 or more"))
    if problems:
        raise InputError(problems)


def _refuse_real(job: Job, wanted: set[int]) -> None:
    """Raise `InputError` where the complex step meets an operation of real numbers."""
    nodes = [n for n in sorted(wanted) if job.exact.flows[n]]
    if not nodes:
        return
    graph = job.exact.graph
    met = {step.node for step in downstream(job, nodes).steps}
    met |= {edge.consumer for edge in edges_of(job.exact, wanted)}
    problems = [
        Problem(
            f"{op.name} at {graph.nodes[index].name} does not take complex numbers",
            "choose the central scheme",
        )
        for index in sorted(met)
        if (op := graph.nodes[index].op) is not None and not op.analytic
    ]
    if problems:
        raise InputError(problems)


def _todo(job: Job, wanted: set[int], *, ends: bool) -> list[Callable[[], NodeCheck]]:
    """Return all comparisons, and count the elements; `ends`: gradients of leaves."""
    nodes = [n for n in sorted(wanted, reverse=True) if job.exact.flows[n]]
    rows = job.exact.graph.nodes.rows
    whole = [n for n in nodes if rows[n][3] is None] if ends else nodes
    edges = list(edges_of(job.exact, wanted))
    job.total = sum(map(job.count, whole))
    job.total += sum(job.count(edge.operand) for edge in edges)
    return [
        *(partial(check_contribution, job, edge) for edge in edges),
        *(partial(check_accumulation, job, node) for node in nodes),
        *(partial(check_gradient, job, node) for node in whole),
    ]


def _collect(job: Job, todo: Sequence[Callable[[], NodeCheck]]) -> list[NodeCheck]:
    """Do the comparisons, as far as there is time."""
    found: list[NodeCheck] = []
    try:
        if not job.quick and job.total > MANY:
            job.tell(0)  # how much there is: the first comparison may take long
        for one in todo:
            if job.interrupted:
                break
            found.append(one())
            if job.quick and found[-1].level != "accumulation":
                job.done += 1
                job.tell(0)
    except KeyboardInterrupt:
        job.interrupted = True
    return found
