"""Pages for tests, and a headless Chromium to read them; a skip where there is none."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.scenario import parse
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


def evil() -> Debugger:
    return Debugger(
        parse(
            f'gradstep = 1\ntitle = "{EVIL}"\nsummary = "{EVIL}"\n'
            f"program = 'y = x * x   # {EVIL.replace(chr(39), '')}'\n"
            "[inputs]\nx = 2.0\n"
            f'[names]\n"{EVIL}" = "y.grad"\n'
            f'[notes]\n"start" = "{EVIL}"\n"forward y" = "{EVIL}"\n'
            """"seed" = '" onmouseover="f()'\n"""
        )
    )


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
        self.until("document.readyState === 'complete' && location.hash !== ''")

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
        named = {"key": key, "code": "Space" if key == " " else key}
        named |= {"text": key, "windowsVirtualKeyCode": 32} if key == " " else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **named)
        named.pop("text", None)
        self.call("Input.dispatchKeyEvent", type="keyUp", **named)

    def until(self, expression: str) -> None:
        """Wait until an expression of the page is true."""
        end = monotonic() + PATIENCE
        while not self.js(expression):
            if monotonic() > end:
                raise TimeoutError(expression)

    def size(self, width: int, height: int) -> None:
        """Become a window of so many pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        mobile = width < 600
        self.call("Emulation.setDeviceMetricsOverride", mobile=mobile, **size)

    def scheme(self, name: str) -> None:
        """Prefer `light` or `dark`."""
        feature = {"name": "prefers-color-scheme", "value": name}
        self.call("Emulation.setEmulatedMedia", features=[feature])

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
