"""A run as one HTML page: every step, and the keys to walk through them.

The page needs nothing but itself. Its policy forbids it the network, and all text of a
scenario is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from rich.console import RenderableType
from rich.terminal_theme import DEFAULT_TERMINAL_THEME

from ...core.engine.graph import Graph, Site
from ..draw.playback import facts
from ..draw.stage import Stage, place
from .frames import frames, segments

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)


def page(stage: Stage) -> str:
    """Return a run as a page. Raises `LimitError` where it has too many events."""
    scenario = stage.scenario
    classes: dict[str, str] = {}
    drawn = [_drawn(frame, classes) for frame in frames(stage)]
    lines = [[], *(_lines(stage, event) for event in range(len(stage.trace))), []]
    titles = ["start", *_titles(stage), "end"]
    told = zip(drawn, lines, titles, strict=True)
    return _PAGE.format(
        policy=_POLICY,
        title=escape(scenario.title),
        summary=escape(scenario.summary),
        facts=escape(" · ".join(facts(scenario, stage.trace))),
        styles="\n".join(
            f".{name} {{ {css} }}" for css, name in classes.items() if css
        ),
        look=_LOOK,
        program="\n".join(_program(stage.graph)),
        steps="\n".join(
            f'<section id="step{number}" data-lines="{_numbers(at)}" '
            f'data-title="{escape(title)}"><pre>{text}</pre></section>'
            for number, (text, at, title) in enumerate(told)
        ),
        last=len(drawn) - 1,
        script=_SCRIPT,
    )


def _numbers(lines: Sequence[int]) -> str:
    return " ".join(map(str, lines))


def _titles(stage: Stage) -> Iterator[str]:
    for event in range(len(stage.trace)):
        yield " · ".join(place(stage, [event]))


def _drawn(frame: RenderableType, classes: dict[str, str]) -> str:
    """Return a drawing in HTML; a style that is new gets a class."""
    pieces: list[str] = []
    for piece in segments(frame):
        text = escape(piece.text)
        css = piece.style.get_html_style(DEFAULT_TERMINAL_THEME) if piece.style else ""
        if css and text.strip():
            name = classes.setdefault(css, f"s{len(classes)}")
            text = f'<span class="{name}">{text}</span>'
        pieces.append(text)
    return re.sub(r" +\n", "\n", "".join(pieces)).rstrip()


# ------------------------------------------------------------------------ the program


def _program(graph: Graph) -> Iterator[str]:
    source = graph.sources.get("program", "").expandtabs(4).rstrip()
    for number, line in enumerate(source.split("\n"), 1):
        text = escape(line) or " "
        yield f'<li data-line="{number}"><code>{text}</code></li>'


def _lines(stage: Stage, event: int) -> list[int]:
    """Return the lines of the program that an event belongs to, the innermost first."""
    graph = stage.graph
    site: Site | None = stage.subject(event).site
    found: list[int] = []
    while site is not None:
        frame = graph.frames[graph.statements[site.statement].frame]
        if frame.source == "program":
            found.append(graph.statements[site.statement].line)
        site = frame.call
    return found


# --------------------------------------------------------------------------- the page

_LOOK: Final = """\
* { box-sizing: border-box; }
body { margin: 0; height: 100vh; display: grid; color: #111; background: #fff;
  grid: auto 1fr auto / minmax(16rem, 30%) 1fr; font: 15px/1.4 system-ui, sans-serif; }
header, footer { grid-column: 1 / -1; padding: .6rem 1rem; background: #f2f2ee; }
h1 { font-size: 1.15rem; margin: 0; }
header p { margin: .2rem 0 0; max-width: 60rem; }
.facts { color: #555; font-size: .85rem; }
nav, main { overflow: auto; padding: .6rem 1rem; }
nav { border-right: 1px solid #ccc; }
ol { list-style: none; margin: 0; padding: 0; min-width: max-content;
  counter-reset: line; }
li { counter-increment: line; cursor: pointer; white-space: pre; }
li::before { content: counter(line); display: inline-block; width: 2rem;
  margin-right: .8rem; text-align: right; color: #777; }
li.outer { background: #f7f3dc; }
li.here { background: #ffe99a; font-weight: bold; }
li.here::before { content: "▶"; color: #000; }
code, pre { font: 13px/1.35 "DejaVu Sans Mono", "Liberation Mono", Menlo, Consolas,
  monospace; }
pre { margin: 0; }
section { display: none; }
section.shown { display: block; }
footer { display: flex; gap: .8rem; align-items: center; }
footer input { flex: 1; }
button { font: inherit; }
@media (max-width: 50rem) { body { grid: auto 30% 1fr auto / 1fr; } }
@media print { section { display: block; break-inside: avoid; } body { display: block; }
  footer { display: none; } }"""

_SCRIPT: Final = """\
const steps = [...document.querySelectorAll("section")];
const lines = [...document.querySelectorAll("li")];
const slider = document.querySelector("input");
const where = document.querySelector("output");
let now = 0;
function go(to) {
  now = Math.min(Math.max(to, 0), steps.length - 1);
  const at = steps[now].dataset.lines.split(" ").filter(Boolean);
  steps.forEach((step, k) => step.classList.toggle("shown", k === now));
  for (const line of lines) {
    line.classList.toggle("here", line.dataset.line === at[0]);
    line.classList.toggle("outer", at.slice(1).includes(line.dataset.line));
  }
  slider.value = now;
  where.textContent = steps[now].dataset.title;
  document.title = steps[now].dataset.title;
  document.querySelector("main").scrollTo(0, 0);
  const line = document.querySelector("li.here");
  if (line) line.scrollIntoView({ block: "nearest" });
  history.replaceState(null, "", "#" + now);
}
const keys = {
  ArrowRight: () => now + 1, ArrowDown: () => now + 1, " ": () => now + 1,
  ArrowLeft: () => now - 1, ArrowUp: () => now - 1,
  PageDown: () => now + 10, PageUp: () => now - 10,
  Home: () => 0, End: () => steps.length - 1,
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in keys)) return;
  event.preventDefault();
  go(keys[event.key]());
});
slider.addEventListener("input", () => go(Number(slider.value)));
document.querySelector("#back").addEventListener("click", () => go(now - 1));
document.querySelector("#on").addEventListener("click", () => go(now + 1));
for (const line of lines) {
  line.addEventListener("click", () => {
    const own = steps.map((step, k) => k).filter((k) =>
      steps[k].dataset.lines.split(" ").includes(line.dataset.line));
    if (own.length) go(own.find((k) => k > now) ?? own[0]);
  });
}
addEventListener("hashchange", () => go(Number(location.hash.slice(1)) || 0));
go(Number(location.hash.slice(1)) || 0);"""

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>
{look}
{styles}
</style>
<noscript><style>section {{ display: block; }}</style></noscript>
</head>
<body>
<header><h1>{title}</h1><p>{summary}</p><p class="facts">{facts}</p></header>
<nav aria-label="program"><ol>
{program}
</ol></nav>
<main>
{steps}
</main>
<footer>
<button id="back" title="←">◀</button>
<input type="range" min="0" max="{last}" value="0" aria-label="step">
<button id="on" title="→">▶</button>
<output></output>
</footer>
<script>
{script}
</script>
</body>
</html>
"""
