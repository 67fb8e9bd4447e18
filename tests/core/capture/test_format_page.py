"""What the page of the format shows makes a file that gradstep reads."""

from pathlib import Path

import numpy as np
import pytest

from gradstep.core.account.account import account
from gradstep.core.capture.archive import read
from gradstep.core.capture.rows import DTYPES, FORMAT
from gradstep.core.capture.selfcheck import hold

PAGE = Path(__file__).parents[3] / "docs" / "capture_format.md"


def test_the_program_of_the_page_writes_a_capture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = PAGE.read_text("utf-8").split("```python\n")[1].split("```")[0]
    exec(compile(code, "page.py", "exec"), {})  # noqa: S102  # it is our own page
    capture = read(tmp_path / "twice.gradstep")
    hold(capture)
    subject = capture.subject
    assert subject.claims is not None
    found = account(subject.run(), subject.claims)
    assert (found.ok, found.compared) == (True, 1)
    site = subject.graph.nodes[3].site
    assert site is not None
    assert (subject.graph.source_of(site), site.line) == ("twice.py", 2)
    np.testing.assert_array_equal(np.asarray(subject.run().gradients[0]), [2, 2])


def test_the_page_tells_the_format_and_the_dtypes() -> None:
    page = PAGE.read_text("utf-8")
    assert f"| `format` | {FORMAT} |" in page
    assert all(f"`{dtype}`" in page for dtype in DTYPES)
