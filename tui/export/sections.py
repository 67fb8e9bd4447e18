"""The steps of a run as sections of a page: formula, matrices, the chosen element."""

from __future__ import annotations

import json
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ...core.engine.trace import Contribution, Update
from ...core.explain.links import Facet, Region, linked, sides, slopes_of
from ...core.words.events import element_name
from ...core.words.numbers import change_text, shape_text
from ..draw.stage import Stage, pass_of
from ..panes.step.words import Moment, Which, element, moment, uses, where
from .cells import Cells, Index, cells_of, size_class

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ...core.engine.element import Element
    from ...core.ops.table import Array, Shape
    from ...core.words.indices import First

_WIDEST: Final = 100  # characters; what is wider has fewer rows and columns:
_COUNTS: Final = (8, 5, 4)  # so many
_MOST_SLOPES: Final = 3000  # numbers of one step: a slope for each pair of elements


class Figure(NamedTuple):
    """One matrix of a step, and where it stands."""

    title: str  # in HTML
    cells: Cells  # what is shown of it
    facet: Facet | None = None  # None where no cursor leads to it
    spot: str = ""  # of a product: "left", "above", "made"


def step_section(
    stage: Stage, number: int, attributes: Mapping[str, object], below: str = ""
) -> str:
    """Return what event `number` does, as a section with something below."""
    at = moment(stage, Which(number))
    figures = _figures(at)
    made = _made(at, figures)
    indices = figures[made].cells.indices
    texts = [stage.look.formula(_spelled(at, index)) for index in indices]
    place = where(at)
    statement = stage.statement(number)
    data = {
        **attributes,
        "title": place,
        "pass": pass_of(stage.trace, number),
        "made": made,
        "links": _links(at, figures),
        "texts": texts,
        "slopes": _slopes(at, figures, indices),
    }
    body = [
        f"<h2>{escape(place)}</h2>",
        f"<p class=code>{escape(statement.text)}" if statement else "",
        f"<p class=what>{escape(at.told.what)}",
        _equation(at),
        *(f"<p class=note>{escape(note)}" for note in at.told.notes),
        _drawn(figures, _accumulated(at)),
        f"<p class=element>{escape(texts[0])}" if texts and texts[0] else "",
        *(f"<p class=reason>{escape(reason)}" for reason in at.told.reasons),
        below,
    ]
    return section(number + 1, data, body)


def section(number: int, data: Mapping[str, object], body: Iterable[str]) -> str:
    """Return a section; what a script has to know of it stands in its attributes.

    An empty list is no attribute: it is what the script takes for one.
    """
    told = {name: one for name, one in data.items() if one not in ((), [])}
    attributes = "".join(
        f' data-{name}="{_attribute(one)}"' for name, one in told.items()
    )
    inside = "\n".join(filter(None, body))
    return f'<section id="step{number}"{attributes}>\n{inside}\n</section>'


def _attribute(one: object) -> str:
    """Return a text as it is, and all else in JSON: a number is the same in both."""
    if isinstance(one, (int, str)):
        return escape(str(one))
    return escape(_JSON.encode(one))


_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def gallery(arrays: Iterable[tuple[str, Array]], first: First) -> str:
    """Return arrays beside each other, each under its name."""
    return _drawn(
        [
            Figure(_title("", name, one), cells_of(one, first=first))
            for name, one in arrays
        ]
    )


# ---------------------------------------------------------------------- the matrices


def _figures(at: Moment) -> Sequence[Figure]:
    """Return the matrices of a step; a literal says no more than its name."""
    spots = _spots(at)
    figures = [
        Figure(
            at.stage.look.formula(_called(at, facet)),
            _cells(at, facet),
            facet,
            spots.get(place, ""),
        )
        for place, facet in enumerate(at.facets)
        if _is_shown(at, facet)
    ]
    for most in _COUNTS:
        if max((_beside(figures), *(one.cells.width for one in figures))) <= _WIDEST:
            break
        figures = [
            f._replace(cells=cells_of(f.cells.array, most, f.cells.first))
            for f in figures
        ]
    return figures


def _beside(figures: Sequence[Figure]) -> int:
    """Return how many characters wide a product is, without the sum at its right."""
    widths = {one.spot: one.cells.width for one in figures if one.spot}
    return widths["left"] + max(widths["above"], widths["made"]) if widths else 0


def _cells(at: Moment, facet: Facet) -> Cells:
    """Return the cells of a matrix; of slopes, those of the first element."""
    begin = at.stage.look.first
    if facet.role != "slopes" or not isinstance(at.event, Contribution):
        return cells_of(facet.array, first=begin)
    first = cells_of(at.facets[at.made].array).indices[0]
    slopes = slopes_of(at.trace.run, at.event.edge, first)
    return cells_of(slopes, first=begin)


def _is_shown(at: Moment, facet: Facet) -> bool:
    if facet.role == "slopes":
        made, slopes = (cells_of(one.array) for one in (at.facets[at.made], facet))
        return 0 < len(made.indices) * len(slopes.indices) <= _MOST_SLOPES
    return not at.stage.graph.nodes[facet.node].is_literal


def _made(at: Moment, figures: Sequence[Figure]) -> int:
    """Return the number of the matrix that a step makes, among those that are shown."""
    wanted = at.facets[at.made]
    return next((k for k, one in enumerate(figures) if one.facet is wanted), 0)


def _spots(at: Moment) -> dict[int, str]:
    """Return where the matrices of a product stand: as one multiplies by hand."""
    found = sides(at.stage.graph, at.event, at.facets)
    if found is None:
        return {}
    order = (*found, at.made)
    left, right, made = (at.facets[k].array.shape for k in order)
    is_fit = len(left) == len(right) == 2 and left[1] == right[0]
    if len(set(order)) < 3 or not is_fit or made != (left[0], right[1]):
        return {}
    return dict(zip(order, ("left", "above", "made"), strict=True))


def _called(at: Moment, facet: Facet) -> str:
    words, role, event = at.stage.wording, facet.role, at.event
    if role in ("operand", "value"):
        return _title("", words.node(facet.node), facet.array)
    name = ""
    if role in ("seed", "upstream"):
        name = words.gradient(facet.node)
    elif role == "local" and isinstance(event, Contribution):
        name = at.told.formula.local or words.local(event.edge)
    elif role == "slopes":
        name = "of the chosen element"
    elif isinstance(event, Update):
        name = at.stage.graph.nodes[facet.node].name + ".grad" * (role == "gradient")
    elif role in ("before", "after"):
        return _title(role, "", np.zeros(()))  # the shape stands over both
    return _title(role, name, facet.array)


def _title(role: str, name: str, array: Array) -> str:
    return _titled(role, name, array.shape)


@lru_cache(4096)  # a node has the same one in many steps
def _titled(role: str, name: str, of: Shape) -> str:
    shape = shape_text(of) if of else ""
    parts = (
        f"<i>{escape(role)}</i>" if role else "",
        f"<b>{escape(name)}</b>" if name else "",
        f"<small>{shape}</small>" if shape else "",
    )
    return " ".join(filter(None, parts))


def _drawn(figures: Sequence[Figure], accumulated: str = "") -> str:
    """Return the matrices in their places, or in one row.

    `accumulated` is the title of the last two, before and after; "" where there is no
    sum.
    """
    beside = _beside(figures)
    kind = f"product{size_class(beside)}" if beside else "row"
    drawn = [_figure(number, one) for number, one in enumerate(figures)]
    if accumulated:
        states = '<span class="arrow">→</span>'.join(drawn[-2:])
        drawn[-2:] = [f'<div class="sum"><p>{accumulated}</p>{states}</div>']
    return f'<div class="{kind}">{"".join(drawn)}</div>'


def _accumulated(at: Moment) -> str:
    """Return what stands over the sum of the contributions so far."""
    if not isinstance(at.event, Contribution):
        return ""
    name = f"{at.stage.graph.nodes[at.event.operand].name}.grad"
    title = _title("accumulated", name, at.facets[at.roles["after"]].array)
    return f"{title} use {uses(at)}"


def _figure(number: int, one: Figure) -> str:
    size = size_class(one.cells.width) if not one.spot else ""
    role = one.facet.role if one.facet is not None else ""
    return (
        f'<figure class="{one.spot} {role}{size}" data-matrix="{number}">'
        f"<figcaption>{one.title}</figcaption>{one.cells.html}</figure>"
    )


# ------------------------------------------------------------------------- the words


def _equation(at: Moment) -> str:
    formula = at.told.formula
    if not formula.text:
        return ""
    shapes = f" <small>{escape(formula.shapes)}</small>" if formula.shapes else ""
    return f"<p class=formula>{escape(at.stage.look.formula(formula.text))}{shapes}"


def _spelled(at: Moment, index: Index) -> str:
    """Return one element of what a step makes, in numbers."""
    number, event = at.number, at.event
    if not isinstance(event, Update):
        return next(iter(element(at, index)), "")
    before, after = (
        np.asarray(at.trace.value(event.node, when))[index]
        for when in (number, number + 1)
    )
    name = element_name(at.stage.graph.nodes[event.node], index)
    return f"{name}: {change_text(before, after)}"


def _slopes(
    at: Moment, figures: Sequence[Figure], indices: Sequence[Index]
) -> Sequence[Sequence[str]]:
    """Return the slopes of each element that a step makes, cell by cell.

    A cell is its class and its number, `p3 0.25`; nothing where none are shown.
    """
    shown = [one.cells for one in figures if one.facet and one.facet.role == "slopes"]
    if not shown or not isinstance(at.event, Contribution):
        return ()
    run, edge, most = at.trace.run, at.event.edge, shown[0].most
    of_each = (cells_of(slopes_of(run, edge, index), most) for index in indices)
    return [list(map(" ".join, zip(c.kinds, c.texts, strict=True))) for c in of_each]


# ------------------------------------------------------------------------- the cursor


def _links(at: Moment, figures: Sequence[Figure]) -> object:
    """Return which cells belong to each cell, for each pair of matrices.

    The first list has sets of cells, each once; then for each matrix and each of the
    others the place in that list, for cell after cell.
    """
    shown = [one.facet for one in figures if one.facet is not None]
    sets: dict[tuple[int, ...], int] = {(): 0}
    known: dict[tuple[int, Region | None], int] = {}  # many cells have one region
    found: dict[Element, Sequence[int]] = {}  # several matrices have one element
    pairs: list[list[list[int]]] = [[[] for _ in figures] for _ in figures]
    for source, figure in enumerate(figures):
        for index in figure.cells.indices:
            here = shown[source].element(index)
            if here not in found:
                found[here] = belong = []
                for key in enumerate(linked(at.trace, at.number, shown, here)):
                    number = known.get(key)
                    if number is None:
                        cells = _within(key[1], figures[key[0]].cells)
                        number = known[key] = sets.setdefault(cells, len(sets))
                    belong.append(number)
            for place, belong in enumerate(found[here]):
                if place != source:
                    pairs[source][place].append(belong)
    return [list(sets), pairs]


def _within(region: Region | None, cells: Cells) -> tuple[int, ...]:
    """Return the numbers of the cells that show elements of a region."""
    if region is None:
        return ()
    return tuple(k for k, index in enumerate(cells.indices) if index in region)
