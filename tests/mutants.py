"""Do the tests notice? Small wrong changes to the code, one at a time.

A mutant is a module with one change: a comparison, `and` for `or`, a number that is one
too large, a constant of judgement times two. A test has to fail on it; a mutant that no
test fails on survives, and either a test is missing or a reason is. `mutants.toml` says
which tests have to notice what, and holds the reasons.

The packages are copied into a folder of the system and changed there: the checkout
stays as it is. Tests run in forks of this process, which has loaded all that they need
but gradstep, so that a mutant costs little more than its tests.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib.util
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeGuard

ROOT: Final = Path(__file__).parents[1]
TABLE: Final = Path(__file__).with_suffix(".toml")

SAMPLE: Final = 200  # mutants of a run without `--all`
SEED: Final = 9  # the same ones each time
_PATIENCE: Final = 10  # a mutant may take so many times as long as no mutant does
_LEAST: Final = 5.0  # seconds that it may take in any case

Outcome = Literal["noticed", "survived", "timed out"]


@dataclass(frozen=True, slots=True)
class Module:
    """A module to change, and the tests that have to notice.

    Of a module of which `only` says "constants", nothing else is changed.
    """

    path: str
    tests: tuple[str, ...]
    only: str = ""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: what stood at a line of a module's function, and what stands there.

    `number` counts the changes that a module can have; `nth` those of a function that
    read alike, from 1.
    """

    path: str
    line: int
    function: str
    before: str
    after: str
    number: int
    nth: int = 1


class Reason(NamedTuple):
    """Why a mutant may survive; `*` stands for any path, and any function.

    `nth` tells which one of those of a function that read alike, 0 where that is one.
    """

    path: str
    function: str
    before: str
    after: str
    reason: str
    nth: int = 0

    def is_of(self, mutant: Mutant) -> bool:
        """Tell whether a mutant is what the reason is about."""
        return (
            self.path in ("*", mutant.path)
            and self.function in ("*", mutant.function)
            and (self.before, self.after) == (mutant.before, mutant.after)
            and self.nth in (0, mutant.nth)
        )


def table() -> tuple[list[Module], list[Reason]]:
    """Read which modules are changed, and why which mutants may survive."""
    data = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    modules = [
        Module(one["path"], tuple(one["tests"]), one.get("only", ""))
        for one in data["module"]
    ]
    return modules, [Reason(**one) for one in data.get("survivor", ())]


# ----------------------------------------------------------------------- changes

_OTHER: Final[dict[type[ast.AST], type[ast.AST]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
}

Change = Callable[[Any], None]  # changes a node of a tree in place


def _changes(node: ast.AST, *, is_constant: bool) -> Iterator[Change]:
    """Yield the changes that a node can have; `is_constant` tells of judgement."""
    if isinstance(node, ast.Compare):
        for place, op in enumerate(node.ops):
            other = _OTHER[type(op)]

            def turn(node: ast.Compare, place: int = place, other: Any = other) -> None:
                node.ops[place] = other()

            yield turn
    elif isinstance(node, ast.BoolOp):
        yield lambda node: setattr(node, "op", _OTHER[type(node.op)]())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield lambda node: _become(node, node.operand)
    elif isinstance(node, ast.Constant) and _is_number(node.value):
        for number in _numbers(node.value, is_constant=is_constant):
            yield lambda node, number=number: setattr(node, "value", number)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _become(node: ast.AST, other: ast.AST) -> None:
    node.__class__ = other.__class__
    node.__dict__.update(other.__dict__)


def _numbers(number: float, *, is_constant: bool) -> Iterator[float]:
    """Yield what a number could be by mistake."""
    if isinstance(number, int) and (not is_constant or abs(number) < 2):
        yield from (number + 1, number - 1)
    elif isinstance(number, int):
        yield from (number * 2, number // 2)
    elif number:
        yield from (number * 2, number * 0.5)


class _Place(NamedTuple):
    """A node of a tree that can be changed, and what is shown of it."""

    node: ast.AST
    shown: ast.AST
    function: str
    is_constant: bool


def _places(tree: ast.Module) -> Iterator[_Place]:
    """Yield the nodes of a module that are computed with, in order."""

    def walk(node: ast.AST, shown: ast.AST, function: str) -> Iterator[_Place]:
        is_constant = not function and not isinstance(node, ast.FunctionDef)
        yield _Place(node, shown, function, is_constant)
        inside = function
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            inside = f"{function}.{node.name}".lstrip(".")
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not _is_type(child):
                    # A bare number says little: what it stands in is shown.
                    outer = node if isinstance(child, ast.Constant) else child
                    yield from walk(child, outer, inside)

    yield from walk(tree, tree, "")


def _is_type(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal"


def mutants(module: Module) -> list[Mutant]:
    """Return all mutants of a module, in the order of its lines."""
    tree = ast.parse((ROOT / module.path).read_text(encoding="utf-8"))
    found: list[Mutant] = []
    alike = Counter[tuple[str, str, str]]()
    for place, number, change in _ways(tree, module.only):
        line: int = getattr(place.node, "lineno", 0)
        before = _shown(place.shown)
        with _changed(place.node, change):
            after = _shown(place.shown)
        read = (place.function, before, after)
        alike[read] += 1
        found.append(Mutant(module.path, line, *read, number, alike[read]))
    return found


def text_of(mutant: Mutant, right: str) -> str:
    """Return the text of a module with the change; `right` is the one without."""
    tree = ast.parse(right)
    for place, number, change in _ways(tree, ""):
        if number == mutant.number:
            with _changed(place.node, change):
                return ast.unparse(tree)
    raise ValueError(mutant.number)


def _ways(tree: ast.Module, only: str) -> Iterator[tuple[_Place, int, Change]]:
    """Yield each change of a module with its place, counted from 0."""
    number = -1
    for place in list(_places(tree)):
        for change in list(_changes(place.node, is_constant=place.is_constant)):
            number += 1
            if place.is_constant or only != "constants":
                yield place, number, change


@contextlib.contextmanager
def _changed(node: ast.AST, change: Change) -> Iterator[None]:
    """Change a node, and change it back."""
    kind, fields = (
        node.__class__,
        {
            name: list(value) if isinstance(value, list) else value
            for name, value in vars(node).items()
        },
    )
    change(node)
    yield
    node.__class__ = kind
    vars(node).clear()
    vars(node).update(fields)


def _shown(node: ast.AST) -> str:
    return ast.unparse(node).split("\n", maxsplit=1)[0]


# ----------------------------------------------------------------------- running


def install(folder: Path) -> None:
    """Copy the packages into a folder, under the names that they are imported by."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names: dict[str, str] = project["tool"]["setuptools"]["package-dir"]
    for name, source in names.items():
        shutil.copytree(
            ROOT / source,
            folder.joinpath(*name.split(".")),
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("__pycache__"),
        )


def installed(path: str) -> str:
    """Return the name of a module's file in the copy, from its one in the checkout."""
    return f"gradstep/{path}"


def _tests(folder: Path, tests: Iterable[str]) -> int:
    """Run tests on the copy, in a process of its own: this one. Return the code."""
    import pytest  # noqa: PLC0415 - loaded before the fork

    spec = importlib.util.find_spec("gradstep.core")
    if spec is None or not str(spec.origin).startswith(str(folder)):
        return 99  # it is not the copy that would be tested
    quiet = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    # Hypothesis was loaded before the fork, and asserts nothing of its own.
    quiet += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main([*quiet, f"--rootdir={ROOT}", *tests]))


def run(folder: Path, tests: Sequence[str], at_most: float) -> tuple[int | None, float]:
    """Run tests in a fork: its exit code, None after too long, and the seconds taken.

    What it writes is in `said` in the folder.
    """
    started = time.monotonic()
    child = os.fork()
    if not child:
        os.setsid()
        said = os.open(folder / "said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(said, stream)
        # A mutant may ask for all the memory that there is.
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
        code = 98
        try:
            code = _tests(folder, tests)
        except BaseException:  # noqa: BLE001 - nothing may come back from a fork
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        taken = time.monotonic() - started
        if ended:
            return os.waitstatus_to_exitcode(status), taken
        if taken > at_most:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None, taken
        time.sleep(0.01)


def judge(
    folder: Path, mutant: Mutant, tests: Sequence[str], at_most: float
) -> Outcome:
    """Put a mutant into the copy, run the tests, and take it out again."""
    file = folder / installed(mutant.path)
    right = file.read_text(encoding="utf-8")
    file.write_text(text_of(mutant, right), encoding="utf-8")
    try:
        code, _ = run(folder, tests, at_most)
    finally:
        file.write_text(right, encoding="utf-8")
    if code is None:
        return "timed out"
    return "noticed" if code else "survived"


def _load() -> None:
    """Load what every test needs, before the forks."""
    for name in ("hypothesis", "numpy", "pytest", "textual.app", "textual.widgets"):
        importlib.import_module(name)


def chosen(modules: Sequence[Module], count: int | None, seed: int) -> list[Mutant]:
    """Return the mutants of modules: all of them, or so many, drawn with a seed."""
    found = [mutant for module in modules for mutant in mutants(module)]
    if count is None or count >= len(found):
        return found
    drawn = random.Random(seed).sample(  # noqa: S311 - no secret
        range(len(found)), count
    )
    return [found[number] for number in sorted(drawn)]


def main() -> int:
    """Print which mutants survive, and return how many of them have no reason."""
    parser = argparse.ArgumentParser(description="Do the tests notice?")
    parser.add_argument("modules", nargs="*", help="parts of paths; default: all")
    parser.add_argument("--all", action="store_true", help="every mutant, not a sample")
    parser.add_argument("--sample", type=int, default=SAMPLE, metavar="N")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    modules, reasons = table()
    wanted = [
        module
        for module in modules
        if not options.modules or any(part in module.path for part in options.modules)
    ]
    every = chosen(wanted, None if options.all else options.sample, options.seed)
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True
    _load()
    with tempfile.TemporaryDirectory(prefix="gradstep-mutants-") as name:
        folder = Path(name).resolve()
        install(folder)
        sys.path.insert(0, str(folder))
        return _judged(folder, wanted, every, reasons)


def void(
    reasons: Iterable[Reason],
    modules: Sequence[Module],
    outcomes: Mapping[Mutant, Outcome],
) -> Iterator[Reason]:
    """Yield the reasons about mutants of which none survives.

    Mutants may read alike, as two of one line do: a sample without all of those that a
    reason is about says nothing of it.
    """
    every = [mutant for module in modules for mutant in mutants(module)]
    for reason in reasons:
        found = {outcomes.get(mutant) for mutant in every if reason.is_of(mutant)}
        if found and found.isdisjoint({None, "survived"}):
            yield reason


def _judged(
    folder: Path,
    modules: Sequence[Module],
    every: Sequence[Mutant],
    reasons: Sequence[Reason],
) -> int:
    outcomes: dict[Mutant, Outcome] = {}
    wrong = 0
    for module in modules:
        mine = [mutant for mutant in every if mutant.path == module.path]
        if not mine:
            continue
        code, seconds = run(folder, module.tests, 600)
        if code:
            print((folder / "said").read_text(encoding="utf-8")[-3000:])
            print(f"{module.path}: its tests fail without a mutant")
            return 1
        print(f"{module.path}: {len(mine)} mutants, tests of {seconds:.1f} s")
        for mutant in mine:
            at_most = max(_LEAST, _PATIENCE * seconds)
            outcome = judge(folder, mutant, module.tests, at_most)
            outcomes[mutant] = outcome
            excused = any(reason.is_of(mutant) for reason in reasons)
            if outcome == "noticed" or (outcome == "survived" and excused):
                continue
            wrong += outcome == "survived"
            print(f"  {mutant.path}:{mutant.line} {mutant.function}: {outcome}")
            print(f"    - {mutant.before}\n    + {mutant.after}", flush=True)
    for reason in void(reasons, modules, outcomes):
        wrong += 1
        print(f"noticed, so that the reason is void: {' | '.join(map(str, reason))}")
    told = list(outcomes.values())
    for outcome in ("noticed", "timed out", "survived"):
        print(f"{told.count(outcome)} {outcome}", end=", ")
    print(f"{wrong} of them wrong" if wrong else "each survivor with its reason")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
