"""The file of a capture: one zip, its members stored, its arrays read when looked at.

```
graph.json     the rows, frames, statements and sources: see `rows`
capture.json   what was run, which rules are the author's own, which hooks there are
leaves/12.npy  the value of a leaf, by the number of its row
values/13.npy  what the framework computed there
own/13.npy     the gradient that the framework, or the author, has there
seed.npy       the gradient at the output, where it is not 1
```

`docs/capture_format.md` describes it for whoever writes one.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from weakref import WeakValueDictionary

import numpy as np

from ..base.cache import Recent
from ..base.errors import InputError, Problem
from ..base.files import open_regular
from ..base.garbage import undisturbed
from ..base.limits import LIMITS, Limits, for_capture
from ..base.progress import stage, with_progress
from ..base.save import write as write_file
from ..base.text import clean, counted
from ..engine.subject import Subject
from ..words.numbers import shape_text
from . import rows
from .capture import About, Capture
from .members import ArrayPlace, Member, Opened, array_place, members, short, text_of
from .rows import Wrong, kind_of, placed, refusal, sequence, table, text, whole, wrong
from .selfcheck import difference

if TYPE_CHECKING:
    from pathlib import Path

    from ..base.progress import Progress
    from ..engine.graph import Graph
    from ..ops.table import Array, Value

ALIGNED: Final = 64  # bytes: where the numbers of an array begin, in the file
_PADDING: Final = 0xD935  # an extra field that others use to align members, too
_LOCAL: Final = 30  # bytes of a local header without name and extra field
_KINDS: Final = ("leaves", "values", "own")
_MOST_NOTES: Final = 1000
_MOST_ABOUT: Final = 2**20  # bytes of capture.json, and some for each node
_PER_NODE: Final = 300
_ROOM: Final = 2**24  # bytes of arrays of one kind that were looked at last
_STAGES: Final = 3  # of reading: the rows, where their arrays are, what is in these


# --------------------------------------------------------------------------- writing


def write(
    path: str | Path,
    capture: Capture,
    progress: Progress | None = None,
    *,
    overwrite: bool = False,
) -> Path:
    """Write a capture into a file, whole or not at all, and return its path.

    `progress` is told of the bytes. Raises `InputError` where it cannot be written, or
    is there already.
    """
    hint = "choose another name, or --force"

    def fill(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            _fill(archive, capture, progress)

    return write_file(path, fill, overwrite=overwrite, hint=hint)


def _fill(
    archive: zipfile.ZipFile, capture: Capture, progress: Progress | None
) -> None:
    subject = capture.subject
    graph = json.dumps(rows.written(subject), ensure_ascii=False, allow_nan=False)
    about = {
        "about": capture.about._asdict(),
        "custom": {str(frame): name for frame, name in capture.custom.items()},
        "hooked": {str(node): place for node, place in capture.hooked.items()},
    }
    for name, content in (
        ("graph.json", graph),
        ("capture.json", json.dumps(about, ensure_ascii=False)),
    ):
        info = zipfile.ZipInfo(name)  # of no day: the same run makes the same file
        archive.writestr(info, content.encode("utf-8", "backslashreplace"))
    if subject.seed is not None:
        _add(archive, "seed.npy", subject.seed)
    arrays = {
        f"{kind}/{node}.npy": np.asarray(value)
        for kind, found in zip(
            _KINDS, (subject.leaves, capture.values, capture.own), strict=True
        )
        for node, value in found.items()
        if kind != "leaves" or not rows.is_number(value)
    }
    done, total = 0, sum(array.nbytes for array in arrays.values())
    for name, array in arrays.items():
        if progress is not None:
            progress(done, total)
        _add(archive, name, array)
        done += array.nbytes


def _add(archive: zipfile.ZipFile, name: str, value: Value) -> None:
    """Store an array, its numbers aligned: the header of an .npy takes 64 × n bytes."""
    array = np.asarray(value, order="C")
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    header = io.BytesIO()
    form = np.lib.format.header_data_from_array_1_0(array)
    np.lib.format.write_array_header_1_0(header, {**form, "fortran_order": False})
    info = zipfile.ZipInfo(name)
    info.file_size = header.tell() + array.nbytes
    is_large = info.file_size * 1.05 > zipfile.ZIP64_LIMIT  # as zipfile decides
    before = archive.fp.tell() if archive.fp else 0
    begins = before + _LOCAL + len(name) + 4 + 20 * is_large
    padding = -begins % ALIGNED
    info.extra = struct.pack("<2H", _PADDING, padding) + bytes(padding)
    with archive.open(info, "w", force_zip64=is_large) as member:
        member.write(header.getvalue())
        if array.size:
            member.write(array.reshape(-1).view(np.uint8).data)


# --------------------------------------------------------------------------- reading


class Arrays(Mapping[int, "Value"]):
    """Arrays of a file by the numbers of their nodes, each read when it is looked at.

    The same array is given again while anybody has it, and while it is among those that
    were looked at last: a question looks at few, and at each many times.
    """

    def __init__(
        self,
        opened: Opened,
        places: Mapping[int, ArrayPlace],
        numbers: Mapping[int, Value],
    ) -> None:
        self._opened, self._places = opened, places
        self._numbers = dict(numbers)  # those that are no arrays
        self._recent = Recent(_ROOM)
        self._seen: WeakValueDictionary[int, Array] = WeakValueDictionary()

    def kind(self, node: int) -> str:
        """Return the kind of a dtype, of an array that is not read; "" of a number."""
        place = self._places.get(node)
        return "" if place is None else place.dtype.kind

    def __getitem__(self, node: int) -> Value:
        found: Array | None = self._recent.known(node)
        if found is None:
            found = self._seen.get(node)
        if found is not None:
            return found
        if node in self._numbers:
            return self._numbers[node]
        array = self._opened.array(self._places[node])
        if not array.ndim:
            return self._numbers.setdefault(node, array[()])
        return self._recent.keep(node, self._seen.setdefault(node, array))

    def __contains__(self, node: object) -> bool:
        return node in self._places or node in self._numbers

    def __iter__(self) -> Iterator[int]:
        return iter(self._places.keys() | self._numbers.keys())

    def __len__(self) -> int:
        return len(self._places.keys() | self._numbers.keys())


@undisturbed()
def read(
    path: Path,
    *,
    shown: str = "",
    limits: Limits = LIMITS,
    progress: Progress | None = None,
) -> Capture:
    """Return the capture in a file, whose arrays are read when they are looked at.

    `shown` is what messages call the file; `limits` are those of a person, who may have
    set some. `progress` is told how far it is. Raises `InputError` with the member and
    what is allowed.
    """
    limits = for_capture(limits)
    shown = clean(shown or str(path))
    opened = Opened(open_regular(path, limits.file, shown), shown)
    try:
        return _read(opened, limits, progress)
    except RecursionError:
        raise InputError(Problem("is nested too deep", "", shown)) from None
    except MemoryError:
        raise InputError(Problem("does not fit into memory", "", shown)) from None


def _read(opened: Opened, limits: Limits, progress: Progress | None) -> Capture:
    tell = [stage(progress, number, _STAGES) for number in range(_STAGES)]
    found = members(opened, 3 * limits.nodes + 3, limits.allowed("nodes"))
    data = _json(opened, found, "graph.json", limits.text, limits.allowed("text"))
    graph = rows.read(data, f"{opened.shown}, graph.json", limits, tell[0])
    places = _places(opened, found, graph.graph, tell[1])
    leaves = Arrays(opened, places["leaves"], graph.numbers)
    values = Arrays(opened, places["values"], {})
    own = Arrays(opened, places["own"], {})
    _check_complete(opened, graph.graph, leaves, values)
    _check_values(opened, graph.graph, leaves, values, tell[2])
    most = _MOST_ABOUT + _PER_NODE * len(graph.graph)
    about = _json(opened, found, "capture.json", most, f"at most {most} are read")
    try:
        told, custom, hooked = _about(about, graph.graph)
    except Wrong as error:
        raise refusal(error, f"{opened.shown}, capture.json") from None
    seed = _seed(opened, found, graph.graph)
    subject = Subject(
        graph.name,
        graph.graph,
        MappingProxyType(leaves),
        seed,
        graph.title or f"backward pass {told.step} of {told.command}",
        graph.summary,
        dtype=graph.dtype,
        limits=limits,
    )
    capture = Capture(
        subject,
        MappingProxyType(values),
        MappingProxyType(own),
        told,
        MappingProxyType(custom),
        MappingProxyType(hooked),
    )
    return capture.opened()


def _check_values(
    opened: Opened,
    graph: Graph,
    leaves: Arrays,
    values: Arrays,
    progress: Progress | None,
) -> None:
    """Refuse values that the rules could not take: an index outside, no floats.

    A run takes values as they were recorded, so that no operation would refuse them.
    """
    for row in with_progress(graph.nodes.rows, progress):
        index, name, _, op, operands, _, _, _ = row
        if op is None or op.recorded or not any(op.vjps):
            continue
        kinds = [(leaves if k in leaves else values).kind(k) for k in operands]
        member = f"values/{index}.npy"
        if "f" in kinds and values.kind(index) != "f" and all(op.vjps):
            opened.refuse(member, f"holds no floats, which {op.name} gives of floats")
        is_chosen = op.kind == "gather" or None in op.vjps or bool({*kinds} & {*"iub"})
        if op.kind == "elementwise" or len(operands) == 1 or not is_chosen:
            continue
        given = [leaves[k] if k in leaves else values[k] for k in operands]
        found = difference(row, values[index], given)
        if found is not None and found.why:
            why = short(found.why)
            opened.refuse(member, f"is no result of {op.name} at {name}: {why}")


def _json(
    opened: Opened, found: Mapping[str, Member], name: str, most: int, allowed: str
) -> object:
    if name not in found:
        hint = "gradstep capture writes one; docs/capture_format.md describes it"
        opened.refuse("", f"is no capture: it has no {name}", hint)
    content = text_of(opened, found[name], most, allowed)

    def no_number(word: str) -> Any:
        raise ValueError(f"{word} is no number of JSON")

    try:
        return json.loads(content, parse_constant=no_number)
    except ValueError as error:
        opened.refuse(name, f"is not JSON: {short(error)}")


def _places(
    opened: Opened,
    found: Mapping[str, Member],
    graph: Graph,
    progress: Progress | None,
) -> dict[str, dict[int, ArrayPlace]]:
    """Return where the arrays of each kind stand, held to the shapes of their rows."""
    places: dict[str, dict[int, ArrayPlace]] = {kind: {} for kind in _KINDS}
    known: dict[bytes, Any] = {}
    table_of = graph.nodes.rows
    for name, member in with_progress([*found.items()], progress):
        kind, _, file = name.partition("/")
        number = file.removesuffix(".npy")
        if kind not in places:
            if name not in ("graph.json", "capture.json", "seed.npy"):
                allowed = ", ".join(f"{one}/N.npy" for one in _KINDS)
                opened.refuse(name, "is no member of a capture", f"allowed: {allowed}")
            continue
        if not (number.isascii() and number.isdecimal() and file == f"{number}.npy"):
            opened.refuse(name, "is no array of a node", f"allowed: {kind}/N.npy")
        node = int(number) if len(number) < 10 else len(table_of)
        if node >= len(table_of) or str(node) != number:
            allowed = f"allowed: rows 0 … {len(table_of) - 1}"
            opened.refuse(name, "belongs to no row", allowed)
        if kind != "own" and (kind == "leaves") != (table_of[node][3] is None):
            what = "leaf" if kind == "leaves" else "result"
            opened.refuse(name, f"belongs to a row that is no {what}")
        place = array_place(opened, member, known)
        _check_place(opened, place, table_of[node][6], floats=kind == "own")
        places[kind][node] = place
    return places


def _check_place(
    opened: Opened, place: ArrayPlace, shape: tuple[int, ...], *, floats: bool
) -> None:
    if place.shape != shape:
        what = f"has the shape {shape_text(place.shape)}"
        opened.refuse(place.member, what, f"its row has {shape_text(shape)}")
    if floats and place.dtype.kind != "f":
        hint = "allowed: float16, float32, float64"
        opened.refuse(place.member, f"is a gradient and holds {place.dtype}", hint)


def _check_complete(
    opened: Opened, graph: Graph, leaves: Arrays, values: Arrays
) -> None:
    missing = [
        f"{'leaves' if row[3] is None else 'values'}/{row[0]}.npy"
        for row in graph.nodes.rows
        if row[0] not in (leaves if row[3] is None else values)
    ]
    if missing:
        what = f"is not there, and {counted(len(missing) - 1, 'other')} likewise"
        hint = "each leaf has its value, and each result what the framework computed"
        opened.refuse(missing[0], what if missing[1:] else "is not there", hint)


def _seed(opened: Opened, found: Mapping[str, Member], graph: Graph) -> Value | None:
    shape = graph.nodes[graph.output].shape
    if "seed.npy" not in found:
        if shape:
            hint = f"the output has the shape {shape_text(shape)}"
            opened.refuse("seed.npy", "is not there", hint)
        return None
    place = array_place(opened, found["seed.npy"], {})
    _check_place(opened, place, shape, floats=True)
    return opened.array(place)[()]


def _about(data: object, graph: Graph) -> tuple[About, dict[int, str], dict[int, str]]:
    """Return what is in capture.json, or raise `Wrong`."""
    top = table(data, "it")
    with placed("about"):
        about = table(top.get("about"), "")
        notes = sequence(about.get("notes", []), "notes", _MOST_NOTES)
        for note in notes:
            if not isinstance(note, str):
                raise wrong("notes", f"has {kind_of(note)}", "texts")
        words = [_line(text(about, key)) for key in ("framework", "command", "python")]
        step = whole(about, "step", 1, 2**63)
    framework, command, python = words
    told = About(framework, command, step, python, tuple(map(_line, notes)))
    custom = _numbered(top, "custom", len(graph.frames), "frames")
    return told, custom, _numbered(top, "hooked", len(graph), "rows")


def _numbered(
    top: Mapping[str, Any], key: str, count: int, what: str
) -> dict[int, str]:
    found: dict[int, str] = {}
    for number, one in table(top.get(key, {}), key).items():
        with placed(key):
            if not (number.isascii() and number.isdecimal() and len(number) < 10):
                raise wrong(short(number), "is no number", f"numbers of {what}")
            if int(number) >= count:
                raise wrong(number, "is not there", f"{what} 0 … {count - 1}")
            if not isinstance(one, str):
                raise wrong(number, f"is {kind_of(one)}", "a text")
            found[int(number)] = _line(one)
    return found


def _line(value: str) -> str:
    return " ".join(clean(value).split())
