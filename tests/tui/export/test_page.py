"""The page: complete, offline, harmless, and walked through in a real browser."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.scenario import builtin_names, load, parse
from gradstep.tui.draw.look import Look
from gradstep.tui.draw.stage import Stage
from gradstep.tui.export.page import page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)
PATIENCE = 60
# Chromium reads commands from its descriptor 3, and answers on 4.
START = """
import os, sys
down, up = map(int, sys.argv[1].split(","))
os.dup2(down, 100)
os.dup2(up, 4)
os.dup2(100, 3)
os.execv(sys.argv[2], sys.argv[2:])
"""
EVIL = (
    "</pre></script><script>document.title='evil'</script><img src=x onerror=f()>&amp;"
)


def page_of(debugger: Debugger) -> str:
    return page(Stage(debugger.subject, debugger.trace, Look()))


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
    assert len([1 for tag, _ in read.tags if tag == "li"]) == len(source)


def test_the_page_asks_nothing_of_the_network() -> None:
    text = page_of(Debugger(load("two_layer_net")))
    assert not re.search(r"https?:|//[a-z]|url\(|@import|<link|<img|<iframe", text)
    assert "default-src 'none'" in text
    for _, attributes in Read(text).tags:
        assert not {"src", "href", "action"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)


def evil() -> Debugger:
    return Debugger(
        parse(
            f'gradstep = 1\ntitle = "{EVIL}"\nsummary = "{EVIL}"\n'
            f"program = 'y = x * x   # {EVIL.replace(chr(39), '')}'\n"
            "[inputs]\nx = 2.0\n"
            f'[notes]\n"start" = "{EVIL}"\n"forward y" = "{EVIL}"\n'
        )
    )


def test_text_of_others_is_text() -> None:
    read = Read(page_of(evil()))
    tags = [tag for tag, _ in read.tags]
    assert tags.count("script") == 1
    assert "img" not in tags
    assert "<img src=x" in "".join(read.steps[0].split("\n")).replace("  ", " ")


# ---------------------------------------------------------------- in a real browser


class Browser:
    """A page in a headless Chromium, spoken to over a pipe."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._rest, self._count, self._session = b"", 0, ""

    def open(self, path: Path) -> None:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self.call("Page.enable")
        self.call("Page.navigate", url=path.as_uri())
        for _ in range(500):
            if self.js("document.readyState") == "complete" and self.js(
                "location.hash"
            ):
                return
        raise TimeoutError("the page does not load")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            read = os.read(self._answers, 65536)
            assert read, "the browser has gone"
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\0")
        return json.loads(line)

    def js(self, expression: str) -> Any:
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def click(self, selector: str) -> None:
        box = self.js(
            f"(() => {{ const b = document.querySelector({selector!r})"
            ".getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]"
            "})()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=box[0],
                y=box[1],
                button="left",
                clickCount=1,
            )

    def seen(self) -> str:
        """Return the text of the step that is shown, and only that."""
        script = (
            "[...document.querySelectorAll('section')]"
            ".filter(s => s.offsetParent !== null).map(s => s.innerText)"
            ".join('\\n##\\n')"
        )
        text = self.js(script)
        assert "\n##\n" not in text
        return text


@contextmanager
def browsing(path: Path) -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("no Chromium is installed")
    down, up = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        ends = f"{down[0]},{up[1]}"
        own = ("--remote-debugging-pipe", f"--user-data-dir={profile}")
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", START, ends, program, *FLAGS, *own],
            pass_fds=(down[0], up[1]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(down[0])
        os.close(up[1])
        try:
            browser = Browser(down[1], up[0])
            browser.open(path)
            yield browser
            browser._session = ""
            browser.call("Browser.close")
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait(PATIENCE)
            os.close(down[1])
            os.close(up[0])


def test_a_browser_steps_with_the_keys_the_slider_and_the_program(
    tmp_path: Path,
) -> None:
    debugger = Debugger(load("three_layer"))
    count = len(debugger.trace)
    path = tmp_path / "a b.html"
    path.write_text(page_of(debugger), "utf-8")
    with browsing(path) as browser:
        assert "Three layers" in browser.seen()
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
        assert "Three layers" in browser.seen()
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
        assert browser.js("document.title") == "start"
        assert browser.js("document.scripts.length") == 1
        assert browser.js("document.images.length") == 0
        browser.press("ArrowRight")
        assert "<script>" in browser.seen()
