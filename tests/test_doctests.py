"""Every example of a docstring holds.

`pytest --doctest-modules` imports core/graph.py as `core.graph`, where the relative
imports between the packages cannot work; here the modules have their installed names.
"""

import doctest
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import gradstep
import gradstep.core
import gradstep.tui
from gradstep.core.frontends.running import FRAMEWORKS


def modules() -> Iterator[str]:
    yield "gradstep"
    for package in (gradstep.core, gradstep.tui):
        yield package.__name__
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            # The folder of `gradstep` itself lies in that of `tui`, and front ends
            # need the framework that they watch.
            names = {*found.name.split(".")}
            is_own = not found.name.startswith("gradstep.tui.gradstep")
            if is_own and not names & {*FRAMEWORKS}:
                yield found.name


def examples(module: str) -> list[doctest.DocTest]:
    found = doctest.DocTestFinder().find(importlib.import_module(module))
    return [test for test in found if test.examples]


@pytest.mark.parametrize("module", list(modules()))
def test_examples_of_the_docstrings_hold(module: str) -> None:
    runner = doctest.DocTestRunner()
    report: list[str] = []
    for test in examples(module):
        runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_the_page_about_python_holds() -> None:
    page = Path(__file__).parents[1] / "docs" / "python.md"
    failed, tried = doctest.testfile(str(page), module_relative=False)
    assert tried > 20
    assert not failed


def test_examples_are_found() -> None:
    assert any(
        test.name == "gradstep.core.base.text.clean"
        for test in examples("gradstep.core.base.text")
    )
