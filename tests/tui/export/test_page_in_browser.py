"""The page in a real browser: keys, mouse, a telephone, and no script but its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.scenario import load
from pages import EVIL, Browser, browsing, evil, page_of


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Browser]:
    path = tmp_path / "lesson.html"
    path.write_text(page_of(Debugger(load("three_layer"))), "utf-8")
    with browsing(path) as browser:
        browser.size(1280, 800)
        yield browser


def test_a_browser_steps_with_the_keys_the_slider_and_the_program(
    tmp_path: Path,
) -> None:
    debugger = Debugger(load("three_layer"))
    count = len(debugger.trace)
    path = tmp_path / "a b.html"
    path.write_text(page_of(debugger), "utf-8")
    with browsing(path) as browser:
        assert "what it starts from" in browser.seen()
        assert "The errors δ3, δ2, δ1 follow from each other" in browser.seen()
        assert browser.js("document.querySelectorAll('li.here').length") == 0
        browser.press("ArrowRight")
        assert f"1 of {count} · forward" in browser.seen()
        assert browser.js("document.querySelector('li.here').dataset.line") == "2"
        assert browser.js("document.querySelector('li.outer').dataset.line") == "5"
        for _ in range(3):
            browser.press("ArrowRight")
        browser.press("ArrowLeft")
        assert f"3 of {count} · forward" in browser.seen()
        browser.press("End")
        assert "gradients" in browser.seen()
        browser.press("ArrowRight")
        assert "gradients" in browser.seen()
        browser.press("ArrowLeft")
        assert f"{count} of {count} · update" in browser.seen()
        browser.press("Home")
        browser.press("ArrowLeft")
        assert "what it starts from" in browser.seen()
        browser.js(
            "slider.value = 8; slider.dispatchEvent(new Event('input')); location.hash"
        )
        assert f"8 of {count} · forward" in browser.seen()
        assert browser.js("document.querySelector('output').textContent").startswith(
            f"8 of {count}"
        )
        browser.click("#on")
        assert f"9 of {count} · forward" in browser.seen()
        browser.click('li[data-line="6"]')
        assert "x2" in browser.seen()
        # Nothing was fetched, not even tried.
        assert browser.js("performance.getEntriesByType('resource').length") == 0


def test_a_browser_runs_no_script_of_a_scenario(tmp_path: Path) -> None:
    path = tmp_path / "evil.html"
    path.write_text(page_of(evil()), "utf-8")
    with browsing(path) as browser:
        assert browser.js("document.title") == f"start · {EVIL}"
        assert browser.js("document.scripts.length") == 1
        assert browser.js("document.images.length") == 0
        browser.press("ArrowRight")
        assert "<script>" in browser.seen()
        # What would be let in by hand is still no script of the page.
        browser.js(
            "document.body.insertAdjacentHTML('beforeend', "
            "'<p onclick=\"document.title = 1\" id=evil>evil')"
        )
        browser.js("document.querySelector('#evil').click()")
        assert browser.js("document.title") != "1"


def step(browser: Browser) -> int:
    return int(browser.js("location.hash").removeprefix("#"))


def test_space_presses_the_button_that_has_the_focus(reading: Browser) -> None:
    reading.press(" ")
    reading.press(" ")
    assert step(reading) == 2
    reading.js("document.querySelector('#back').focus()")
    reading.press(" ")
    assert step(reading) == 1
    reading.js("document.querySelector('#on').focus()")
    reading.press(" ")
    assert step(reading) == 2


def test_buttons_slider_and_parts_have_names(reading: Browser) -> None:
    names = (
        "[...document.querySelectorAll('button, input, nav, aside, svg, .time')]"
        ".map(one => one.getAttribute('aria-label') || one.textContent.trim())"
    )
    assert all(reading.js(names))
    assert reading.js("document.querySelector('#back').innerText") == "◀ back"


@pytest.mark.parametrize(
    ("asked", "shown"),
    [("#99", 28), ("#-3", 0), ("#1.5", 0), ("#Infinity", 0), ("#<b>", 0), ("#%", 0)],
)
def test_a_wrong_place_shows_the_nearest_one_and_says_so(
    reading: Browser, asked: str, shown: int
) -> None:
    reading.js(f"location.hash = {asked!r}")
    said = f"there is no step {asked[1:]}, 0 to 28 are there"
    reading.until(f"where.textContent.startsWith({said!r})")
    assert step(reading) == shown
    assert reading.seen()
    reading.press("Home")
    said = reading.js("document.querySelector('output').textContent")
    assert said == "start"


def test_the_title_has_the_step_and_the_name_of_the_lesson(reading: Browser) -> None:
    reading.js("go(21)")
    title = "21 of 27 · backward · layer x2 · line 2 · Three layers in matrix form"
    assert reading.js("document.title") == title


def marked(browser: Browser, name: str) -> list[str]:
    return browser.js(
        f"[...document.querySelectorAll('section.shown td.{name}')]"
        ".map(cell => cell.innerText.trim())"
    )


def test_one_cursor_for_all_matrices_by_mouse_and_keys(reading: Browser) -> None:
    reading.js("go(21)")
    # W2ᵀ δ2: row 0 of W2ᵀ and all of δ2 make the first element.
    assert marked(reading, "cursor") == ["-0.01532"]
    row, column = ["0.3", "-0.4", "0.1"], ["-0.01929", "0.01901", "-0.01925"]
    assert marked(reading, "linked") == [*column, *row, "0", "-0.01532"]
    reading.click("section.shown .made tr:last-child td")
    assert marked(reading, "cursor") == ["-0.00187"]
    assert marked(reading, "linked")[3:6] == ["0.4", "-0.3", "-0.6"]
    line = "document.querySelector('section.shown .element').innerText"
    assert reading.js(line).startswith("x1.grad[4, 0] = ")
    reading.js("document.querySelector('section.shown .made table').focus()")
    reading.press("ArrowUp")
    assert marked(reading, "cursor") == ["0.01141"]
    assert step(reading) == 21
    # At the edge it stays, and what the next step makes has the cursor at its place.
    reading.press("ArrowRight")
    assert marked(reading, "cursor") == ["0.01141"]
    reading.js("document.activeElement.blur()")
    reading.press("s")
    assert step(reading) == 22
    assert len(marked(reading, "cursor")) == 1


def test_graph_and_timeline_follow(reading: Browser) -> None:
    reading.js("go(0)")
    assert reading.js("document.querySelectorAll('.box.done').length") == 5
    reading.js("go(21)")
    now = "document.querySelector('.box.now .name').textContent"
    assert reading.js(now) == "x1"
    value = "document.querySelector('.box.now .number').textContent"
    assert reading.js(value) == "∂ ‖0.0197‖"
    assert reading.js("document.querySelectorAll('.line.now').length") == 1
    chapter = "document.querySelector('.time [aria-current]').title"
    assert reading.js(chapter) == "backward x2"
    reading.click(".time li:first-child a")
    reading.until("location.hash === '#1' && now === 1")


LESSONS = ("apple_orange", "attention", "conv", "hidden_layer", "two_layer_net")


@pytest.mark.parametrize("name", LESSONS)
@pytest.mark.parametrize("size", [(390, 844), (1280, 800)], ids="{0[0]}x{0[1]}".format)
def test_nothing_scrolls_sideways(
    tmp_path: Path, name: str, size: tuple[int, int]
) -> None:
    debugger = Debugger(load(name))
    path = tmp_path / "lesson.html"
    path.write_text(page_of(debugger), "utf-8")
    with browsing(path) as browser:
        browser.size(*size)
        for number in range(len(debugger.trace) + 2):
            wide = browser.js(
                f"go({number}); [document.documentElement, "
                "...document.querySelectorAll('section.shown figure, nav, main')]"
                ".filter(one => one.scrollWidth > one.clientWidth + 1).length"
            )
            assert wide == 0, number
            # Step and program are in sight together.
            tops = browser.js(
                "['nav', 'section.shown h2', 'footer'].map(one => "
                "document.querySelector(one).getBoundingClientRect().top)"
            )
            assert 0 <= tops[0] < tops[2] < size[1]
            assert 0 <= tops[1] < tops[2]


def test_light_and_dark(reading: Browser) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    reading.scheme("light")
    assert reading.js(ground) == "rgb(255, 255, 255)"
    reading.scheme("dark")
    assert reading.js(ground) == "rgb(21, 24, 29)"


def test_slopes_are_those_of_the_chosen_element(tmp_path: Path) -> None:
    path = tmp_path / "lesson.html"
    path.write_text(page_of(Debugger(load("conv"))), "utf-8")
    with browsing(path) as browser:
        browser.size(1280, 800)
        browser.js("go(18)")
        # A weight of the first filter meets a patch of the image; so does one of the
        # second.
        slopes = (
            "[...document.querySelectorAll('section.shown .slopes table')]"
            ".map(table => table.querySelector('td').innerText)"
        )
        assert browser.js(slopes) == ["0.1", "0"]
        browser.click("section.shown .contribution table:last-child td")
        assert browser.js(slopes) == ["0", "0.1"]
