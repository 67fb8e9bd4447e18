"""What a reader is told: each field of a public record says what it holds."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    path for name in ("core", "tui") for path in (ROOT / name).rglob("*.py")
)


def is_record(tree: ast.ClassDef) -> bool:
    """Tell whether a class is a public dataclass or a named tuple."""
    marks = [ast.unparse(mark) for mark in (*tree.decorator_list, *tree.bases)]
    kinds = ("dataclass", "NamedTuple")
    return not tree.name.startswith("_") and any(
        mark.startswith(kinds) for mark in marks
    )


def undocumented(source: str) -> Iterator[str]:
    """Yield the fields that neither a comment nor the docstring of the class names."""
    lines = source.splitlines()
    for tree in ast.walk(ast.parse(source)):
        if not isinstance(tree, ast.ClassDef) or not is_record(tree):
            continue
        docstring = ast.get_docstring(tree) or ""
        for field in tree.body:
            if not isinstance(field, ast.AnnAssign):
                continue
            name = ast.unparse(field.target)
            stop = field.end_lineno or field.lineno
            here = "#" in "".join(lines[field.lineno - 1 : stop])
            above = lines[field.lineno - 2].lstrip().startswith("#")
            here = here or "_limit(" in ast.unparse(
                field
            )  # its text says what it is of
            said = re.search(rf"`[^`]*\b{name}\b[^`]*`", docstring)
            if not (name.startswith("_") or here or above or said):
                yield f"{tree.name}.{name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_field_of_a_public_record_is_documented(path: Path) -> None:
    assert list(undocumented(path.read_text("utf-8"))) == []


def test_a_field_without_a_word_is_found() -> None:
    source = '''
@dataclass
class Row:
    """A row of `width`."""
    width: int
    height: int
    depth: int  # of the box
'''
    assert list(undocumented(source)) == ["Row.height"]
