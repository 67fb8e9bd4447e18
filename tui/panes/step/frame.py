"""Which place each matrix of a step takes, told from what the step multiplies."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from ....core.engine.trace import Contribution, Event, Update
from ....core.explain.links import sides
from ..matrix.grid import MARGINS, SHORTEST, TIGHTEST
from .places import Part, Tile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ....core.engine.graph import Graph
    from ....core.explain.links import Facet, Role
    from ..matrix.grid import Grid

# How wide a place is at least, and how wide it is where there is room to spare: for any
# title, since places depend on shapes alone. One title stands over before and after.
_WIDTHS: Final[Mapping[Role, tuple[int, int]]] = MappingProxyType(
    {
        "upstream": (9, 28),
        "local": (9, 24),
        "slopes": (9, 24),
        "contribution": (13, 22),
        "before": (3, 0),
        "after": (13, 20),
    }
)
_MADE: Final = ("contribution", "value")
_SUM: Final = ("before", "after")
_WIDTH: Final = (10, 22)  # of any other


class Frame(NamedTuple):
    """The places of a step's matrices, the lengths of their axes, and what may go."""

    parts: tuple[Part, ...]  # one for each matrix
    sizes: Mapping[str, int]  # the length of each axis
    optional: tuple[int, ...]  # the matrices that may be left out, the first one first
    is_last: bool = False  # for matrices that are whole nowhere else

    def axes(self, number: int) -> tuple[str, str]:
        """Return the axes of a matrix, that of its rows and that of its columns."""
        return self.parts[number].rows, self.parts[number].columns

    def right(self, tile: Tile) -> int:
        """Return the column behind the last cell of a matrix."""
        return tile.x + tile.gutter + tile.columns * self.parts[tile.number].cell

    def narrower(self) -> Iterator[Frame]:
        """Yield these places, and then with numbers of fewer and fewer digits."""
        yield self
        widest = max(part.cell for part in self.parts)
        for most in range(widest - 1, SHORTEST + MARGINS - 1, -1):
            yield self._within(most)

    def tightest(self, legible: bool = False) -> Iterator[Frame]:
        """Yield places with fewer digits than are good to read, for whole matrices.

        At last numbers share the blank between them, if they need not be `legible`.
        """
        for margins in (MARGINS,) if legible else (MARGINS, 1):
            for width in range(SHORTEST - 1, TIGHTEST - 1, -1):
                found = self._within(width + margins)
                lead = MARGINS - margins
                parts = [part._replace(lead=lead) for part in found.parts]
                yield found._replace(parts=tuple(parts))

    def _within(self, most: int) -> Frame:
        """Return places with cells so wide at most, where there are several."""
        parts = [
            part._replace(
                cell=min(
                    part.cell,
                    most if self.sizes[part.columns] > 1 else max(most, part.title),
                )
            )
            for part in self.parts
        ]
        return self._replace(parts=tuple(parts))


class Matrix(NamedTuple):
    """What a place of a matrix depends on."""

    role: Role  # what it is to the step
    rows: int  # how many it has
    columns: int  # likewise
    cell: int  # how wide one number is, with its margins
    first: int  # the number of its first row


class Shapes(NamedTuple):
    """What the places of a step's matrices depend on."""

    matrices: tuple[Matrix, ...]  # in the order in which they are read
    factors: tuple[int, int] | None  # which are multiplied as matrices: left, right
    kind: str  # of the event


def shapes_of(
    graph: Graph, event: Event, facets: Sequence[Facet], grids: Sequence[Grid]
) -> Shapes:
    """Return what the places of a step's matrices depend on."""
    matrices = tuple(
        Matrix(facet.role, grid.rows, grid.columns, grid.cell, grid.first)
        for facet, grid in zip(facets, grids, strict=True)
    )
    return Shapes(matrices, sides(graph, event, facets), type(event).__name__)


def framed(shapes: Shapes) -> Sequence[Frame]:
    """Return the places of a step's matrices, and others where those are too wide."""
    matrices = shapes.matrices
    may_go = ("product", "before", "after") * (shapes.kind == Contribution.__name__)
    optional = tuple(
        number
        for role in may_go
        for number, one in enumerate(matrices)
        if one.role == role
    )
    found = _factors(shapes)
    if found is not None:
        product = _product(matrices, *found, optional)
        apart = product._replace(parts=_apart(product.parts, found[0]), is_last=True)
        below = product._replace(parts=_below(product.parts, matrices))
        return (product, below, apart)
    row = _row(matrices, optional)
    if shapes.kind == Update.__name__:  # before and after have a title each
        least, wish = _WIDTH
        parts = [part._replace(title=least, wish=wish) for part in row.parts]
        row = row._replace(parts=tuple(parts))
    others = (
        _folded(row.parts, matrices),
        _in_three(row.parts, matrices),
        _stacked(row.parts, matrices),
    )
    return (row, *(row._replace(parts=parts) for parts in others))


def _factors(shapes: Shapes) -> tuple[int, int, int] | None:
    """Return left factor, right factor and product, where they fit as matrices do."""
    matrices, found = shapes.matrices, shapes.factors
    if found is None:
        return None
    made = next(n for n, one in enumerate(matrices) if one.role in _MADE)
    left, right, product = (matrices[number] for number in (*found, made))
    fits = (
        left.columns == right.rows
        and left.rows == product.rows
        and right.columns == product.columns
    )
    return (*found, made) if fits else None


def _product(
    matrices: Sequence[Matrix],
    left: int,
    right: int,
    made: int,
    optional: tuple[int, ...],
) -> Frame:
    places = {
        left: (("n", "k"), (0, 1)),
        right: (("k", "m"), (1, 0)),
        made: (("n", "m"), (1, 1)),
    }
    parts: list[Part] = []
    across = 2
    for number, one in enumerate(matrices):
        axes, place = places.get(number, (("n", "m"), (across, 1)))
        across += number not in places
        parts.append(_part(one, axes, place, numbered=number in places))
    sizes = {
        "n": matrices[made].rows,
        "m": matrices[made].columns,
        "k": matrices[left].columns,
    }
    return Frame(tuple(parts), sizes, optional)


def _below(parts: Sequence[Part], matrices: Sequence[Matrix]) -> tuple[Part, ...]:
    """Return places with the sum below the product, where a line has no room for it."""
    places = {"before": (0, 2), "after": (1, 2)}
    moved: list[Part] = []
    for part, one in zip(parts, matrices, strict=True):
        across, down = places.get(one.role, (part.across, part.down))
        moved.append(part._replace(across=across, down=down, numbered=True))
    return tuple(moved)


def _apart(parts: Sequence[Part], left: int) -> tuple[Part, ...]:
    """Return places with the left factor above, and the right one beside the product.

    So a long row has all columns, and the right factor all its rows.
    """
    return tuple(
        part._replace(across=0, down=0)
        if number == left
        else part._replace(across=part.across + part.down, down=1, numbered=True)
        for number, part in enumerate(parts)
    )


def _row(matrices: Sequence[Matrix], optional: tuple[int, ...]) -> Frame:
    """Return places beside each other."""
    parts: list[Part] = []
    sizes: dict[str, int] = {}
    for number, one in enumerate(matrices):
        size = one.rows, one.columns
        axes = f"rows of {size}", f"columns of {size}"
        sizes |= dict(zip(axes, size, strict=True))
        parts.append(_part(one, axes, (number, 0)))
    return Frame(_numbered(parts), sizes, optional)


def _folded(parts: Sequence[Part], matrices: Sequence[Matrix]) -> tuple[Part, ...]:
    """Return places in two rows: the factors above, and below what they make."""
    roles = [one.role for one in matrices]
    made = next((n for n, role in enumerate(roles) if role in _MADE), len(parts) - 1)
    lines = [0 if number < made else 1 for number in range(len(parts))]
    return _numbered(
        [part._replace(down=line) for part, line in zip(parts, lines, strict=True)]
    )


def _in_three(parts: Sequence[Part], matrices: Sequence[Matrix]) -> tuple[Part, ...]:
    """Return places in three rows: the factors, what they make, and the sum."""
    moved = [
        part._replace(down=_line(part.down, one))
        for part, one in zip(_folded(parts, matrices), matrices, strict=True)
    ]
    return _numbered(moved)


def _line(line: int, matrix: Matrix) -> int:
    return 2 if matrix.role in _SUM else line


def _stacked(parts: Sequence[Part], matrices: Sequence[Matrix]) -> tuple[Part, ...]:
    """Return places one below the other, for long rows of numbers.

    The sum stands beside what it was before: the two are one place.
    """
    roles = [one.role for one in matrices]
    start = roles.index("before") if "contribution" in roles else len(parts)
    return _numbered(
        [
            part._replace(across=max(number - start + 1, 0), down=min(number, start))
            for number, part in enumerate(parts)
        ]
    )


def _numbered(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Give numbers to the rows of the first matrix of its height in each line."""
    first: dict[tuple[int, str], int] = {}
    for number, part in enumerate(parts):
        first.setdefault((part.down, part.rows), number)
    return tuple(
        part._replace(numbered=first[part.down, part.rows] == number)
        for number, part in enumerate(parts)
    )


def _part(
    matrix: Matrix,
    axes: tuple[str, str],
    place: tuple[int, int],
    *,
    numbered: bool = True,
) -> Part:
    least, wish = _WIDTHS.get(matrix.role, _WIDTH)
    return Part(*axes, matrix.cell, *place, least, wish, numbered, matrix.first)
