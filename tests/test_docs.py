"""The documentation says what the program does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from textual.binding import Binding

from gradstep.core.base.trust import KEYBOARD
from gradstep.core.commands import COMMANDS
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.expression.functions import FUNCTIONS
from gradstep.core.ops import OPS
from gradstep.core.scenario.scenario import load
from gradstep.core.session.script import parse_script, run_script
from gradstep.tui.app.main_screen import MainScreen
from reference import FAMILIES, PAGES, ROOT, renewed, rows_of

if TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "docs" / "debugger.md"
TEXT = PAGE.read_text(encoding="utf-8")
PANES_PAGE = PAGE.with_name("application.md")
TUTORIALS = [
    ROOT / "docs" / f"{name}.md" for name in ("learner", "teacher", "engineer")
]
each_tutorial = pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_is_made_is_what_the_program_says_now(page: Path) -> None:
    # `make docs` makes it anew.
    text = page.read_text("utf-8")
    assert renewed(text) == text


def test_the_site_has_every_page_once() -> None:
    site = (ROOT / "mkdocs.yml").read_text("utf-8")
    listed = re.findall(r"(?m)^ +- [^:]+: (\w+\.md)$", site)
    pages = [page.name for page in PAGES if page.parent.name == "docs"]
    assert sorted(listed) == sorted(pages)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_pages_that_are_there(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


# ------------------------------------------------------------------ pages of reference


def test_every_key_of_the_screen_is_there() -> None:
    text = PANES_PAGE.read_text(encoding="utf-8")
    names = {
        "colon": ":",
        "question_mark": "?",
        "greater_than_sign": ">",
        "less_than_sign": "<",
        "escape": "Esc",
        "space": "Space",
        "slash": "/",
        "f1": "F1",
    }
    for binding in MainScreen.BINDINGS:
        assert isinstance(binding, Binding)
        if binding.action.startswith(("press", "view", "tell")):
            # Those of commands are in their table, the views are numbered, and a key
            # that tells which other one to press is for whoever does not read.
            continue
        key = binding.key
        if key.startswith("ctrl+"):
            key = "+".join(word.capitalize() for word in key.split("+"))
        key = names.get(key, key)
        assert f"`{key}`" in text, key


def test_every_function_of_an_expression_is_there() -> None:
    assert all(f"`{name}" in TEXT for name in FUNCTIONS)


def test_the_script_of_the_page_runs() -> None:
    [script] = re.findall(r"(?s)```\n(goto end.*?)```", TEXT)
    lines = parse_script(script, str(PAGE), KEYBOARD)
    outcome = run_script(lines, Debugger(load("apple_orange")).execute)
    assert outcome.failures == ()


def test_the_python_of_the_page_runs() -> None:
    [code] = re.findall(r"(?s)```python\n(.*?)```", TEXT)
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102  # what a person copies has to run
    debugger = names["debugger"]
    assert isinstance(debugger, Debugger)
    assert "0 · ∞ is NaN" in debugger.why().text[0]


def test_every_operation_is_in_one_family() -> None:
    assert [op.name for one in FAMILIES.values() for op in rows_of(one)] == list(OPS)


def test_the_page_of_predict_names_what_it_hides() -> None:
    text = (ROOT / "docs" / "practice.md").read_text("utf-8")
    hidden = text.partition("**What is hidden.**")[2].partition("\n\n")[0]
    for row in COMMANDS.values():
        if "predict" in row.hidden_in:
            assert f"`{row.name}`" in hidden, row.name
