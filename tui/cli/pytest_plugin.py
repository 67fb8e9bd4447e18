"""A pytest plugin: scenarios and their scripts are tests.

`pytest lessons/` collects each `.toml` file that says `gradstep = 1`: one test for its
[expect], and one for the script `name.gs` beside it. Nothing of gradstep is imported
until there is such a file, so that other projects do not wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ...core.base.files import is_scenario

if TYPE_CHECKING:  # every pytest would wait for it
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ...core.debugger.verify import Verdict


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag that lets scripts name any file."""
    text = "let gradstep's scripts read and write any file, not only in their folder"
    group = parser.getgroup("gradstep")
    group.addoption("--gradstep-trust", action="store_true", help=text)
    text = "allow gradstep's scenarios more than is allowed otherwise: nodes=1000000"
    group.addoption(
        "--gradstep-limit", action="append", default=[], help=text, metavar="NAME=N"
    )


def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> pytest.Collector | None:
    """Collect a scenario, or its script alone when that was asked for by name."""
    asked = file_path.suffix == ".gs" and parent.session.isinitpath(file_path)
    if file_path.suffix != ".toml" and not asked:
        return None
    if not is_scenario(file_path.with_suffix(".toml")):
        return None
    return ScenarioFile.from_parent(parent, path=file_path)


class ScenarioFile(pytest.File):
    """A scenario, read when it is collected."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for each thing that the scenario promises."""
        from ...core.base.limits import raised  # noqa: PLC0415  # with what follows
        from ...core.base.trust import FULL, KEYBOARD  # noqa: PLC0415  # with what follows
        from ...core.debugger.verify import promises  # noqa: PLC0415  # 200 ms in every pytest

        trust = FULL if self.config.getoption("gradstep_trust") else KEYBOARD
        limits = raised(self.config.getoption("gradstep_limit") or ())
        scenario = self.path.with_suffix(".toml")
        for name, keep in promises(scenario, trust=trust, limits=limits).items():
            if self.path.suffix == ".gs" and name == "expect":
                continue
            yield Promise.from_parent(self, name=name, keep=keep)


class Promise(pytest.Item):
    """One test: `keep()` returns a verdict."""

    def __init__(self, *, keep: Callable[[], Verdict], **rest: Any) -> None:
        super().__init__(**rest)
        self.keep = keep

    def runtest(self) -> None:
        """Raise `BrokenPromiseError` unless it holds."""
        verdict = self.keep()
        if verdict.code:
            raise BrokenPromiseError("\n".join(verdict.failures))

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: Any = None,
    ) -> Any:
        """Return file:line and what is wrong there, without our own frames."""
        if isinstance(excinfo.value, BrokenPromiseError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return what stands in the heading of a failure."""
        return self.path, None, f"{self.path.stem}: {self.name}"


class BrokenPromiseError(Exception):
    """A number or a script of a scenario does not hold."""
