"""The list of mutants: what is changed, and that its table is up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import mutants

if TYPE_CHECKING:
    from pathlib import Path

MODULES, REASONS = mutants.table()


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a < b", ["a <= b"]),
        ("a <= b < c", ["a < b < c", "a <= b <= c"]),
        ("a is None", ["a is not None"]),
        ("a not in b", ["a in b"]),
        ("a and b", ["a or b"]),
        ("not a", ["a"]),
        ("a + 1", ["a + 2", "a + 0"]),
        ("f(0.5)", ["f(1.0)", "f(0.25)"]),
        ("f(0.0, True, 'x')", []),
    ],
)
def test_changes_inside_a_function(text: str, after: list[str], tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(f"def f(a: Literal[1], b):\n    return {text}\n")
    found = mutants.mutants(mutants.Module(str(path), ()))
    assert [(m.line, m.function, m.after) for m in found] == [
        (2, "f", one) for one in after
    ]
    for mutant in found:
        changed = mutants.text_of(mutant, path.read_text())
        assert changed.splitlines()[1] == f"    return {mutant.after}"


def test_constants_of_judgement_are_doubled_and_halved(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "_NEAR: Final = 8\n_ONE = 1\n_BENT = 1e-2\n\ndef f():\n  return 3\n"
    )
    module = mutants.Module(str(path), (), "constants")
    assert [mutant.after for mutant in mutants.mutants(module)] == [
        "_NEAR: Final = 16",
        "_NEAR: Final = 4",
        "_ONE = 2",
        "_ONE = 0",
        "_BENT = 0.02",
        "_BENT = 0.005",
    ]


def test_the_modules_and_their_tests_are_there() -> None:
    for module in MODULES:
        assert mutants.mutants(module), f"{module.path} has nothing to change"
        for test in module.tests:
            assert test.startswith("-") or (mutants.ROOT / test).exists(), test


def test_each_reason_is_about_a_mutant_that_exists() -> None:
    every = [mutant for module in MODULES for mutant in mutants.mutants(module)]
    for reason in REASONS:
        about = [mutant for mutant in every if reason.is_of(mutant)]
        assert about, reason
        assert len(about) == 1 or "*" in reason, f"nth is missing: {reason}"
        assert reason.reason


def test_mutants_that_read_alike_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("def f():\n    return g(-1), h(-1)\n")
    reason = mutants.Reason(str(path), "f", "-1", "-2", "that of h", 2)
    found = mutants.mutants(mutants.Module(str(path), ()))
    [of_h] = filter(reason.is_of, found)
    assert "g(-1), h(-2)" in mutants.text_of(of_h, path.read_text())


def test_a_reason_is_void_once_all_that_it_is_about_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("def f():\n    return g(-1), h(-1)\n")
    module = mutants.Module(str(path), ())
    reason = mutants.Reason(str(path), "f", "-1", "-2", "they read alike")
    one, two = filter(reason.is_of, mutants.mutants(module))

    def is_void(ends: dict[mutants.Mutant, mutants.Outcome]) -> bool:
        return list(mutants.void([reason], [module], ends)) == [reason]

    assert is_void({one: "noticed", two: "noticed"})
    assert not is_void({one: "noticed", two: "survived"})
    assert not is_void({one: "noticed"})  # of a sample
    assert not is_void({})
