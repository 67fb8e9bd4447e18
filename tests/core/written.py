"""The NumPy that a row of the table of operations writes, carried out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep.core.ops.shape.indexing import Slot

if TYPE_CHECKING:
    from gradstep.core.ops.table import Op
    from ops_examples import Case


def names_of(op: Op, case: Case) -> dict[str, Any]:
    """Return the operands under the names that templates are filled with."""
    if op.variadic:
        single, last = op.operands[:-1], op.operands[-1]
        rest = (f"{last}{i}" for i in range(len(case.operands) - len(single)))
        return dict(zip((*single, *rest), case.operands, strict=True))
    return dict(zip(op.operands, case.operands, strict=False))


def filled(
    template: str, op: Op, case: Case, argument: int, known: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Fill a NumPy template with plain names; return what these stand for, too."""
    operands = names_of(op, case)
    words: dict[str, Any] = {name: name for name in {**operands, **known}}
    rest = tuple(operands)[len(op.operands) - 1 :]
    if op.variadic:
        words |= {op.operands[-1]: ", ".join(rest), "argument": argument}
    words |= {p.name: repr(p.default) for p in op.parameters}
    words |= {name: repr(value) for name, value in case.attributes.items()}
    words["index"] = "index"
    text = template.format(**words)
    index = tuple(
        operands[rest[part.number]] if isinstance(part, Slot) else part
        for part in case.attributes.get("index", ())
    )
    return text, {"np": np, "math": math, "index": index, **operands, **known}


# The texts are templates of the table under test, which is Python that we wrote.


def run_code(
    template: str, op: Op, case: Case, argument: int = 0, **known: Any
) -> np.ndarray:
    """Fill a NumPy template with plain names, and evaluate it."""
    return np.asarray(eval(*filled(template, op, case, argument, known)))


def run_statement(
    template: str, op: Op, case: Case, argument: int, **known: Any
) -> dict[str, Any]:
    """Fill a statement with plain names, run it, and return what all names are then."""
    text, scope = filled(template, op, case, argument, known)
    exec(text, scope)  # noqa: S102  # a template of the table under test
    return scope
