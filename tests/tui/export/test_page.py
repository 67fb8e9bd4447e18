"""The page: complete, offline, harmless, and readable."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.scenario import builtin_names, load, parse
from gradstep.tui.export import page as page_module
from gradstep.tui.export.cells import LEVELS, Cells
from pages import evil, page_of


class Read(HTMLParser):
    """The text of each step, and every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.steps: list[str] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "section":
            self.steps.append("")
            self.inside = True

    def handle_endtag(self, tag) -> None:
        self.inside = self.inside and tag != "section"

    def handle_data(self, data) -> None:
        if self.inside:
            self.steps[-1] += data


@pytest.mark.parametrize("name", builtin_names())
def test_every_event_is_on_the_page(name: str) -> None:
    debugger = Debugger(load(name))
    text = page_of(debugger)
    read = Read(text)
    assert len(text) < 1_000_000
    assert len(read.steps) == len(debugger.trace) + 2
    for number, step in enumerate(read.steps[1:-1], 1):
        assert f"{number} of {len(debugger.trace)}" in step
    assert "gradients" in read.steps[-1]
    source = debugger.graph.sources["program"].text.rstrip().split("\n")
    assert len([1 for _, at in read.tags if "data-line" in at]) == len(source)


def test_the_page_asks_nothing_of_the_network() -> None:
    text = page_of(Debugger(load("two_layer_net")))
    assert not re.search(r"https?:|//[a-z]|url\(|@import|<link|<img|<iframe", text)
    assert "default-src 'none'" in text
    assert "unsafe" not in text
    for _, attributes in Read(text).tags:
        assert not {"src", "action"} & set(attributes)
        assert re.fullmatch(r"#\d+", attributes.get("href") or "#0")
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)


def test_the_policy_allows_the_script_and_the_styles_of_the_page_alone() -> None:
    text = page_of(Debugger(load("matmul")))
    for tag, count in (("script", 1), ("style", 2)):
        [allowed] = re.findall(rf"{tag}-src ([^;\"]*)", text)
        found = re.findall(rf"(?s)<{tag}>(.*?)</{tag}>", text)
        made = (hashlib.sha256(one.encode()).digest() for one in found)
        assert allowed.split() == [
            f"'sha256-{base64.b64encode(one).decode()}'" for one in made
        ]
        assert len(found) == count


def test_text_of_others_is_text() -> None:
    read = Read(page_of(evil()))
    tags = [tag for tag, _ in read.tags]
    assert tags.count("script") == 1
    assert "img" not in tags
    names = [name for _, attributes in read.tags for name in attributes]
    assert not any(name.startswith("on") for name in names)
    assert "<img src=x" in "".join(read.steps[0].split("\n")).replace("  ", " ")


# ---------------------------------------------------------------------- the one cursor


def links(name: str, number: int) -> dict[str, Any]:
    """Return what a step knows of its cells: sets, pairs of matrices, texts."""
    debugger = Debugger(load(name))
    read = Read(page_of(debugger))
    data = next(at for tag, at in read.tags if at.get("id") == f"step{number}")
    sets, pairs = json.loads(data["data-links"] or "")
    return {
        "sets": sets,
        "pairs": pairs,
        "texts": json.loads(data["data-texts"] or ""),
    }


def test_row_and_column_of_a_product_lead_to_its_element() -> None:
    # The last step of matmul: W.grad = Xᵀ @ Y.grad, (2, 1) @ (1, 2).
    found = links("matmul", 26)
    upstream, local, contribution, before, after = range(5)

    def of(source: int, cell: int, target: int) -> list[int]:
        return found["sets"][found["pairs"][source][target][cell]]

    # Element [1, 0], the third cell: row 1 of Xᵀ, column 0 of the upstream gradient.
    assert of(contribution, 2, local) == [1]
    assert of(contribution, 2, upstream) == [0]
    assert of(contribution, 2, before) == of(contribution, 2, after) == [2]
    # And back: what Xᵀ[1] goes into is the second row.
    assert of(local, 1, contribution) == [2, 3]
    assert of(upstream, 1, contribution) == [1, 3]
    assert found["texts"][2] == "W.grad[1, 0] = ∂L/∂Y[0, 0] · X[0, 1] = 10 × 2 = 20"


def test_slopes_have_a_number_for_each_cell_that_is_shown() -> None:
    # Twenty columns are cut to ten, and long numbers cut them once more.
    text = page_of(
        Debugger(
            parse(
                "gradstep = 1\nprogram = 'y = sum(softmax(x, axis=1) * w)'\n"
                "[inputs]\nx = { random = 'normal', shape = [2, 20], seed = 1 }\n"
                "w = { random = 'normal', shape = [2, 20], seed = 2 }\n"
            )
        )
    )
    [section] = re.findall(r'(?s)<section id="step8".*?</section>', text)
    [slopes] = re.findall(r'data-slopes="([^"]*)"', section)
    [figure] = re.findall(r'(?s)<figure class=" slopes.*?</figure>', section)
    rows = json.loads(unescape(slopes))
    count = len(re.findall("<td", figure))
    assert count == 16
    assert {len(row) for row in rows} == {count}


def test_arrays_without_elements_are_shown_as_such() -> None:
    text = page_of(
        Debugger(
            parse(
                "gradstep = 1\nprogram = 'y = sum(x[1:] @ x.T)'\n"
                "[inputs]\nx = [[1.0, 2.0, 3.0]]\n"
            )
        )
    )
    assert "<small>(0, 3)</small>" in text


# --------------------------------------------------------------------------- the cells


def test_a_large_array_is_cut_in_its_middle() -> None:
    cells = Cells(np.arange(40.0).reshape(2, 20))
    columns = [*range(8), 18, 19]
    assert cells.indices == [(row, column) for row in (0, 1) for column in columns]
    assert cells.html.count("⋯") == 3  # the heading and both rows
    assert cells.texts[-1] == "39"


def test_an_array_of_more_axes_is_shown_slice_by_slice() -> None:
    cells = Cells(np.zeros((2, 3, 2, 2)))
    assert [index[:2] for index in cells.indices[::4]] == [
        (0, 0),
        (0, 1),
        (0, 2),
        (1, 0),
    ]
    assert "<caption>[1, 0] and 2 more" in cells.html


def test_a_number_and_a_row_are_matrices_too() -> None:
    assert Cells(np.array(2.5)).indices == [()]
    assert Cells(np.array([1.0, 2.0])).indices == [(0,), (1,)]
    assert "class=bad>nan" in Cells(np.array([np.nan, 1.0])).html


# -------------------------------------------------------------------------- the colours


def colours() -> Iterator[dict[str, str]]:
    """Yield the colours of the page in the light, and in the dark."""
    css = Path(page_module.__file__).with_name("page.css").read_text("utf-8")
    light, dark = re.findall(r"(?s):root \{(.*?)\}", css)
    for block in (light, dark):
        yield dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]+);", block))


def luminance(colour: str) -> float:
    # https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    shares = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares
    ]
    return sum(k * c for k, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, two: str) -> float:
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


def test_all_text_can_be_read_on_its_ground() -> None:
    assert contrast("#000", "#fff") == 21
    for one in colours():
        texts = ("ink", "dim", "forward", "backward", "update")
        assert all(contrast(one[t], one["ground"]) >= 4.5 for t in texts)
        assert all(contrast(one[t], one["panel"]) >= 4.5 for t in ("ink", "dim"))
        grounds = ("here", "outer")
        assert all(contrast(one["ink"], one[ground]) >= 4.5 for ground in grounds)
        assert contrast(one["on-cursor"], one["cursor"]) >= 4.5
        assert contrast(one["on-bad"], one["bad"]) >= 4.5
        for sign in "pn":
            cells = [one[f"{sign}{level}"] for level in range(1, LEVELS + 1)]
            assert all(contrast(one["on-cell"], cell) >= 4.5 for cell in cells[:-1])
            assert contrast(one["on-strong"], cells[-1]) >= 4.5
            ladder = [one["ground"], *cells]
            assert all(contrast(*pair) >= 1.2 for pair in pairwise(ladder))
