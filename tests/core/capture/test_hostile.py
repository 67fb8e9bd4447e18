"""Files that somebody made to do harm end in a clear error, or are harmless.

Whatever is wrong, an error names the file and the member, and nothing that is in the
file reaches a terminal as it is.
"""

import io
import json
import os
import random
import re
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from gradstep.core.account.recorded import check_recorded
from gradstep.core.base.errors import InputError
from gradstep.core.base.limits import LIMITS, raised
from gradstep.core.capture.archive import read, write
from gradstep.core.capture.capture import Capture
from gradstep.core.engine.graph import Builder
from gradstep.core.engine.subject import Subject
from gradstep.core.ops import OPS
from gradstep.core.ops.shape.indexing import Slot
from made_captures import captured, in_two_files

Members = dict[str, bytes]
WRONG: Final = (
    None,
    -1,
    0.5,
    1e99,
    True,
    "x",
    "\x1b[2J",
    [],
    [[]],
    {},
    {"a": 1},
    10**30,
)


def good() -> Members:
    """Return the members of a right file, by name."""
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w") as archive:
        from gradstep.core.capture.archive import _fill  # noqa: PLC0415

        _fill(archive, captured(), None)
    with zipfile.ZipFile(room) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


GOOD: Final = good()
GRAPH: Final = json.loads(GOOD["graph.json"])
ABOUT: Final = json.loads(GOOD["capture.json"])
ARRAY: Final = next(name for name in GOOD if name.startswith("values/"))
ROWS: Final = {row["name"]: number for number, row in enumerate(GRAPH["rows"])}


def packed(found: Mapping[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w", how) as archive:
        for name, content in found.items():
            archive.writestr(name, content)
    return room.getvalue()


def opened(data: bytes, folder: Path, **limits: int) -> None:
    """Open a file of these bytes, look at everything, and compute."""
    path = folder / "run.gradstep"
    path.write_bytes(data)
    texts = [f"{name}={most}" for name, most in limits.items()]
    capture = read(path, limits=raised(texts) if texts else LIMITS)
    for arrays in (capture.subject.leaves, capture.values, capture.own):
        for node in arrays:
            assert arrays[node] is not None
    subject = capture.subject
    run = subject.run()
    assert len(list(run.gradients)) == len(subject.graph)
    check_recorded(subject, run)


def refused(data: bytes, folder: Path, **limits: int) -> str:
    """Return what is said of a file that is refused."""
    with pytest.raises(InputError) as caught:
        opened(data, folder, **limits)
    said = str(caught.value)
    assert all(one.isprintable() or one == "\n" for one in said)
    assert len(said) < 2000
    return said


def test_the_right_file_opens(tmp_path: Path) -> None:
    opened(packed(GOOD), tmp_path)


# ------------------------------------------------------------------------ the zip file


def flagged(data: bytes) -> bytes:
    """Set the flag of encryption in the table of contents."""
    at = data.index(b"PK\1\2")
    return data[: at + 8] + b"\1" + data[at + 9 :]


def moved(data: bytes) -> bytes:
    """Let the first entry say that its member is elsewhere."""
    at = data.index(b"PK\1\2") + 42
    return data[:at] + struct.pack("<L", 7) + data[at + 4 :]


def ended(data: bytes, **numbers: int) -> bytes:
    """Change what the end of the file says of the table of contents."""
    at = data.rindex(b"PK\5\6")
    fields = list(struct.unpack_from("<4s4H2LH", data, at))
    for name, value in numbers.items():
        fields[{"disk": 1, "count": 4, "size": 5, "start": 6}[name]] = value
    return data[:at] + struct.pack("<4s4H2LH", *fields)


def large(data: bytes) -> bytes:
    """Let the table of contents stand where the file is not, by 64 bits."""
    at = data.rindex(b"PK\5\6")
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 2**60, 1)
    return data[:at] + locator + data[at:]


def twice(name: str) -> bytes:
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w") as archive:
        for member, content in GOOD.items():
            archive.writestr(member, content)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(name, GOOD[name])
    return room.getvalue()


def overlapping() -> bytes:
    """Let each entry say that its member is almost the whole file."""
    data = bytearray(packed(GOOD))
    for match in re.finditer(re.escape(b"PK\1\2"), bytes(data)):
        struct.pack_into("<2L", data, match.start() + 20, *[len(data) - 2000] * 2)
    return bytes(data)


ZIPS: Final[Mapping[str, tuple[Callable[[], bytes], str]]] = {
    "empty": (lambda: b"", "is no capture: it is not a zip file"),
    "text": (lambda: b"gradstep = 1\n", "is no capture: it is not a zip file"),
    "zeros": (lambda: bytes(100_000), "is no capture: it is not a zip file"),
    "no members": (lambda: packed({}), "it has no graph.json"),
    "deflated": (lambda: packed(GOOD, zipfile.ZIP_DEFLATED), "is packed; members are"),
    "bzip2": (lambda: packed(GOOD, zipfile.ZIP_BZIP2), "is packed"),
    "lzma": (lambda: packed(GOOD, zipfile.ZIP_LZMA), "is packed"),
    "a bomb": (
        lambda: packed({"graph.json": bytes(50_000_000)}, zipfile.ZIP_DEFLATED),
        "is packed",
    ),
    "encrypted": (lambda: flagged(packed(GOOD)), "is encrypted"),
    "moved": (
        lambda: moved(packed(GOOD)),
        "it is not where the table of contents says",
    ),
    "overlap": (overlapping, "its members are larger together than the file"),
    "twice": (lambda: twice(ARRAY), "is there twice"),
    "graph twice": (lambda: twice("graph.json"), "is there twice"),
    "many": (lambda: ended(packed(GOOD), count=65535), "ends too early"),
    "few": (lambda: ended(packed(GOOD), count=0), "is damaged"),
    "far": (lambda: ended(packed(GOOD), start=2**31), "is not where it should be"),
    "wide": (lambda: ended(packed(GOOD), size=2**31), "is not where it should be"),
    "parts": (lambda: ended(packed(GOOD), disk=3), "is one part of several"),
    "64 bits": (lambda: large(packed(GOOD)), "its end is not where it should be"),
}


@pytest.mark.parametrize("case", ZIPS)
def test_a_zip_file_that_is_wrong_is_refused(case: str, tmp_path: Path) -> None:
    make, says = ZIPS[case]
    assert says in refused(make(), tmp_path)


@pytest.mark.parametrize("part", range(40))
def test_a_file_that_ends_early_is_refused(part: int, tmp_path: Path) -> None:
    data = packed(GOOD)
    assert "run.gradstep" in refused(data[: len(data) * part // 40], tmp_path)


@pytest.mark.parametrize("kind", ["folder", "pipe", "nothing"])
def test_what_is_no_file_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "run.gradstep"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
        assert stat.S_ISFIFO(path.stat().st_mode)
    with pytest.raises(InputError, match=r"run\.gradstep"):
        read(path)


def test_bytes_that_were_changed_do_no_harm(tmp_path: Path) -> None:
    data, rng, errors = packed(GOOD), random.Random(1), 0  # noqa: S311  # no secret
    for _ in range(400):
        changed = bytearray(data)
        for _ in range(rng.choice((1, 1, 4))):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        try:
            opened(bytes(changed), tmp_path)
        except InputError:
            errors += 1
    assert errors > 100


NAMES: Final = (
    "../../etc/passwd",
    "/etc/passwd",
    "values/../graph.json",
    "values/0/1.npy",
    "values/1.npy.npy",
    "values/01.npy",
    "values/-1.npy",
    "values/٣.npy",
    "values/999999999999.npy",
    "values/99.npy",
    "values/.npy",
    "values/1",
    "leaves/x.npy",
    "own\\1.npy",
    "code.py",
    "values/\x1b[2J.npy",
    "a" * 199,
    "b" * 5000,
    "__pycache__/graph.cpython-311.pyc",
    "C:\\run.npy",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_member_that_belongs_to_no_capture_is_refused(
    name: str, tmp_path: Path
) -> None:
    assert "run.gradstep" in refused(packed({**GOOD, name: b"x"}), tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["run.gradstep"]


@pytest.mark.parametrize("name", [n for n in GOOD if not n.startswith("own/")])
def test_a_member_that_is_missing_is_told(name: str, tmp_path: Path) -> None:
    found = {one: content for one, content in GOOD.items() if one != name}
    assert name in refused(packed(found), tmp_path)


# --------------------------------------------------------------------------- arrays


def npy(
    descr: str, shape: str = "(2, 4)", data: bytes = bytes(64), **more: Any
) -> bytes:
    """Return an .npy file with a header as it is written."""
    order = more.get("order", "False")
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"
    header = text.encode("latin1") + b" " * more.get("pad", 1) + b"\n"
    version = more.get("version", b"\1\0")
    return b"\x93NUMPY" + version + struct.pack("<H", len(header)) + header + data


ARRAYS: Final[Mapping[str, tuple[bytes, str]]] = {
    "pickle": (npy("'|O'"), "holds |O; allowed: |b1"),
    "text": (npy("'<U4'"), "holds <U4"),
    "complex": (npy("'<c16'"), "holds <c16"),
    "big endian": (npy("'>f8'"), "holds >f8"),
    "long double": (npy("'<f16'"), "holds <f16"),
    "dates": (npy("'<M8[s]'"), "is no .npy array"),
    "records": (npy("[('a', '<f8')]"), "is no .npy array"),
    "code": (npy("__import__('os').system('true')"), "is no .npy array"),
    "version 2": (npy("'<f8'", version=b"\2\0"), "is no .npy array"),
    "version 9": (npy("'<f8'", version=b"\x09\0"), "is no .npy array"),
    "negative": (npy("'<f8'", "(-2, 4)"), "is no .npy array"),
    "an expression": (npy("'<f8'", "(2, 2*2)"), "is no .npy array"),
    "no order": (npy("'<f8'", order="None"), "is no .npy array"),
    "huge": (npy("'<f8'", "(1000000000, 1000000000)"), "takes 8000000000000000000"),
    "huger": (npy("'<f8'", f"({10**300},)"), "has 64 bytes of numbers"),
    "digits": (npy("'<f8'", "(" + "9" * 399 + ")"), "has 64 bytes of numbers"),
    "axes": (npy("'<f8'", "(" + "1, " * 100 + ")", bytes(8)), "its row has"),
    "transposed": (npy("'<f8'", "(4, 2)"), "has the shape (4, 2); its row has (2, 4)"),
    "short": (npy("'<f8'", data=bytes(63)), "has 63 bytes of numbers"),
    "long": (npy("'<f8'", data=bytes(65)), "has 65 bytes of numbers"),
    "empty": (b"", "is no .npy array"),
    "text file": (b"1 2 3\n", "is no .npy array"),
    "no end": (b"\x93NUMPY\1\0\xff\xff{", "is no .npy array"),
    "header": (npy("'<f8'", pad=60_000), "is no .npy array"),
    "a pickle": (b"\x80\4\x95\1\0\0\0\0\0\0\0N.", "is no .npy array"),
    "escape": (npy("'\x1b[2J'"), "is no .npy array"),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_an_array_that_is_wrong_is_refused(case: str, tmp_path: Path) -> None:
    content, says = ARRAYS[case]
    said = refused(packed({**GOOD, ARRAY: content}), tmp_path)
    assert f"run.gradstep, {ARRAY}" in said
    assert says in said


def test_a_gradient_of_whole_numbers_is_refused(tmp_path: Path) -> None:
    room = io.BytesIO()
    np.save(room, np.ones((2, 4), np.int64))
    name = ARRAY.replace("values", "own")
    said = refused(packed({**GOOD, name: room.getvalue()}), tmp_path)
    assert "is a gradient and holds int64; allowed: float16, float32, float64" in said


def test_a_value_of_a_leaf_among_the_results_is_refused(tmp_path: Path) -> None:
    found = {**GOOD, "values/0.npy": GOOD["leaves/0.npy"]}
    assert "belongs to a row that is no result" in refused(packed(found), tmp_path)


# ----------------------------------------------------------------------------- JSON


def with_json(name: str, content: Any) -> bytes:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return packed({**GOOD, name: text})


def changed(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a copy of JSON with another value at a path."""
    if not path:
        return value
    key, *rest = path
    copy = dict(tree) if isinstance(tree, dict) else list(tree)
    copy[key] = changed(copy[key], tuple(rest), value)
    return copy


def paths(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each value in JSON, itself first."""
    yield path
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from paths(value, (*path, key))
    elif isinstance(tree, list):
        for key, value in enumerate(tree):
            yield from paths(value, (*path, key))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"nonsense",
        b"[]",
        b"null",
        b"3",
        b'"text"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe{}",
        b"{} {}",
        b'{"format": NaN}',
        b'{"format": Infinity}',
        b'{"format": ' + b"9" * 10_000 + b"}",
        b"\x00" * 50,
        b"import os",
    ],
)
@pytest.mark.parametrize("name", ["graph.json", "capture.json"])
def test_what_is_no_json_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    assert "run.gradstep" in refused(with_json(name, content), tmp_path)


@pytest.mark.parametrize(
    ("name", "tree"), [("graph.json", GRAPH), ("capture.json", ABOUT)]
)
def test_any_wrong_value_is_told_or_does_no_harm(
    name: str, tree: Any, tmp_path: Path
) -> None:
    errors, tried = list[str](), 0
    for path in paths(tree):
        for value in WRONG:
            tried += 1
            try:
                opened(with_json(name, changed(tree, path, value)), tmp_path)
            except InputError as error:
                errors.append(str(error))
    assert all("run.gradstep" in said or "pass fails" in said for said in errors)
    assert all(one.isprintable() or one == "\n" for said in errors for one in said)
    assert len(errors) > 0.5 * tried


def row(name: str, /, **columns: Any) -> Any:
    """Return the graph with other columns in a row; None takes one away."""
    number = ROWS[name]
    new = {**GRAPH["rows"][number], **columns}
    new = {key: value for key, value in new.items() if value is not None}
    return changed(GRAPH, ("rows", number), new)


GRAPHS: Final[Mapping[str, tuple[Any, str]]] = {
    "newer": (
        {**GRAPH, "format": 2},
        "format is 2; this gradstep reads format 1; a new",
    ),
    "older": ({**GRAPH, "format": 0}, "format is 0; this gradstep reads format 1"),
    "no format": ({"rows": []}, "format is missing"),
    "true": ({**GRAPH, "format": True}, "format is true"),
    "no rows": ({**GRAPH, "rows": []}, "rows are none"),
    "itself": (row("h", operands=[ROWS["h"]]), "operands has 4"),
    "later": (row("h", operands=[ROWS["loss"]]), "allowed: numbers of earlier rows, 0"),
    "negative": (row("h", operands=[-1]), "operands has -1"),
    "true operand": (row("h", operands=[True]), "operands has true"),
    "half": (row("h", operands=[0.5]), "operands has 0.5"),
    "few": (row("h._1", operands=[0]), "operands are 1; allowed: 2 of matmul"),
    "many": (row("h", operands=[3, 3]), "operands are 2; allowed: 1 of relu"),
    "very many": (row("h", operands=[3] * 10_001), "has 10001 elements"),
    "no operands": (row("h", operands=None), "operands is missing"),
    "unknown": (row("h", op="relo"), "op is 'relo'; did you mean 'relu'?"),
    "code": (row("h", op="__import__('os')"), "op is '__import__"),
    "a recipe": (row("h", op="mse_loss"), "op is 'mse_loss'"),
    "two kinds": (row("h", kind="input"), "exactly one of kind, op and opaque"),
    "no kind": (row("x", kind=None), "exactly one of kind, op and opaque"),
    "a kind": (row("x", kind="hidden"), "allowed: input, parameter, constant"),
    "more": (row("h", hook="x"), "has the key 'hook'"),
    "shape": (row("h", shape=[4, 2]), "allowed: what its operation gives: (2, 4)"),
    "leaf shape": (row("x", shape=[3, 2]), "do not fit matmul"),
    "no shape": (row("h", shape=None), "shape is missing"),
    "negative shape": (row("x", shape=[-2, 3]), "allowed: whole numbers, 0 or more"),
    "large": (row("x", shape=[2**40]), "makes 1099511627776 elements; at most"),
    "larger": (row("x", shape=[2**62, 2**62]), "elements; at most"),
    "axes": (row("x", shape=[1] * 33), "has 33 elements; allowed: 32 at most"),
    "name": (row("h", name="W1"), "name is 'W1', as that of an earlier row"),
    "no name": (row("h", name=""), "name is ''; allowed: letters, digits"),
    "blank": (row("h", name="a b"), "name is 'a b'"),
    "escape": (row("h", name="\x1b]0;x\x07"), "name is '\\x1b]0;x\\x07'"),
    "turned": (row("h", name="h\u202e"), "name is 'h\\u202e'"),
    "number": (row("h", name="3"), "name is '3'"),
    "long": (row("h", name="h" * 201), "has 201 characters; allowed: 200"),
    "dots": (row("h", name="a..b"), "name is 'a..b'"),
    "minus": (row("2", name="-x"), "name is '-x'"),
    "literal": (row("2", number="many"), "number is the text 'many'"),
    "attribute": (row("part", attributes={"index": "x"}), "attributes.index is x"),
    "no index": (row("part", attributes={}), "attributes.index is missing"),
    "outside": (row("part", attributes={"index": [9]}), "index 9 is outside axis 0"),
    "a slice": (
        row("part", attributes={"index": [{"slice": [0, 1, 0]}]}),
        "attributes.index",
    ),
    "slot": (row("part", attributes={"index": [{"operand": 7}]}), "do not fit getitem"),
    "other": (row("part", attributes={"index": [{"eval": "1"}]}), "has an object"),
    "beyond": (row("part", attributes={"index": [10**25]}), "is beyond 64 bits"),
    "unknown attribute": (
        row("h", attributes={"slope": 1}),
        "attributes has 'slope'; allowed: those of relu: none",
    ),
    "axis": (row("loss._4", attributes={"axis": 7}), "do not fit sum"),
    "opaque": (row("h", op=None, opaque=""), "opaque is ''"),
    "template": (
        row("h", op=None, opaque="{x.__class__}"),
        "opaque is '{x.__class__}'",
    ),
    "statement": (row("h", at=[99, 1, 1, "x"]), "at has 99"),
    "place": (row("h", at=[0, 0, 1, "x"]), "at has no line and column"),
    "half a place": (row("h", at=[0, 1]), "at is an array"),
    "output": (
        {**GRAPH, "output": 99},
        "output is 99; allowed: a whole number, 0 … 13",
    ),
    "dtype": ({**GRAPH, "dtype": "object"}, "allowed: float64, float32, float16"),
    "source name": (
        {**GRAPH, "sources": {"\x1b[1m": {"text": ""}}, "frames": [], "statements": []},
        "sources has the name",
    ),
    "frame": (changed(GRAPH, ("frames", 1, "parent"), 1), "frames[1].parent is 1"),
    "frame source": (
        changed(GRAPH, ("frames", 1, "source"), "/etc/passwd"),
        "frames[1].source is '/etc/passwd'",
    ),
    "frame range": (changed(GRAPH, ("frames", 1, "stop"), 99), "frames[1].stop is 99"),
    "call": (changed(GRAPH, ("frames", 1, "call"), None), "frames[1].call is missing"),
    "call of itself": (
        changed(GRAPH, ("frames", 1, "call", 0), 1),
        "frames[1].call is not in its parent",
    ),
    "main call": (
        changed(GRAPH, ("frames", 0, "call"), [0, 1, 1, "f()"]),
        "frames[0].call",
    ),
    "line": (changed(GRAPH, ("statements", 0, "line"), 99), "statements[0].line is 99"),
    "statement frame": (
        changed(GRAPH, ("statements", 0, "frame"), 9),
        "statements[0].frame is 9",
    ),
    "alias": ({**GRAPH, "aliases": {"x": 3}}, "aliases.x is the name of a row"),
    "alias number": ({**GRAPH, "aliases": {"q": 99}}, "aliases.q is 99"),
}


@pytest.mark.parametrize("case", GRAPHS)
def test_a_graph_that_is_none_is_refused(case: str, tmp_path: Path) -> None:
    tree, says = GRAPHS[case]
    said = refused(with_json("graph.json", tree), tmp_path)
    assert "run.gradstep, graph.json: " in said
    assert says in said


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        ({}, "about is missing; allowed: an object"),
        ({"about": {}}, "about.framework is missing"),
        (changed(ABOUT, ("about", "step"), 0), "about.step is 0"),
        (changed(ABOUT, ("about", "notes"), [3]), "about.notes has 3"),
        (
            {**ABOUT, "custom": {"9": "x"}},
            "custom.9 is not there; allowed: frames 0 … 1",
        ),
        ({**ABOUT, "custom": {"one": "x"}}, "custom.one is no number"),
        ({**ABOUT, "hooked": {"0": 3}}, "hooked.0 is 3; allowed: a text"),
        ({**ABOUT, "hooked": {"-1": "x"}}, "hooked.-1 is no number"),
    ],
)
def test_what_was_run_is_told_in_texts(tree: Any, says: str, tmp_path: Path) -> None:
    said = refused(with_json("capture.json", tree), tmp_path)
    assert f"run.gradstep, capture.json: {says}" in said


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"nodes": 5}, "has 26 members; at most 5 are allowed; --limit nodes=N"),
        ({"elements": 10}, "at most 10 are allowed; --limit elements=N allows more"),
        ({"elements_per_array": 7}, "makes 12 elements; at most 7 are allowed"),
        ({"work": 5}, "on its way; at most 5 are allowed; --limit work=N"),
        ({"file": 100}, "is too large"),
        ({"text": 100}, "graph.json: has"),
    ],
)
def test_a_limit_is_told_with_the_way_to_raise_it(
    limits: dict[str, int], says: str, tmp_path: Path
) -> None:
    assert says in refused(packed(GOOD), tmp_path, **limits)


@pytest.mark.parametrize(
    ("index", "says"),
    [
        (np.array([0, 7]), "index 7 is out of bounds"),
        (np.array([0, -9]), "index -9 is out of bounds"),
        (np.array([0.0, 1.0]), "must be of integer"),
    ],
)
def test_an_index_that_chooses_nothing_is_refused(
    index: Any, says: str, tmp_path: Path
) -> None:
    build = Builder()
    x = build.leaf("x", "parameter", (3,))
    i = build.leaf("i", "constant", (2,))
    y = build.apply(OPS["getitem"], (x, i), {"index": (Slot(0),)}, "y", shape=(2,))
    loss = build.apply(OPS["sum"], (y,), name="loss")
    subject = Subject("lie", build.finish(loss), {x: np.ones(3), i: index})
    values = {y: np.ones(2), loss: np.float64(2)}
    made = Capture(subject, values, {x: np.ones(3)}, captured().about)
    with pytest.raises(InputError) as caught:
        read(write(tmp_path / "run.gradstep", made))
    told = str(caught.value)
    assert "run.gradstep, values/2.npy: is no result of getitem at y: " in told
    assert says in told


def test_whole_numbers_are_no_result_of_floats(tmp_path: Path) -> None:
    room = io.BytesIO()
    np.save(room, np.ones((2, 4), np.int64))
    said = refused(packed({**GOOD, ARRAY: room.getvalue()}), tmp_path)
    assert "holds no floats, which matmul gives of floats" in said


def test_a_text_of_the_file_is_harmless_where_it_is_shown(tmp_path: Path) -> None:
    tree = changed(GRAPH, ("title",), "\x1b[2J\u202eevil")
    tree = changed(tree, ("sources", "program", "text"), "x = 1 \x1b]0;evil\x07\n" * 6)
    path = tmp_path / "run.gradstep"
    path.write_bytes(with_json("graph.json", tree))
    subject = read(path).subject
    for text in (subject.title, *(one.text for one in subject.graph.sources.values())):
        assert all(one.isprintable() or one == "\n" for one in text)


def test_a_hook_and_a_note_are_one_line_each(tmp_path: Path) -> None:
    capture = in_two_files()
    about = capture.about._replace(notes=("one\ntwo\x1b[1m",), command="a\nb")
    found = read(
        write(
            tmp_path / "a.gradstep", replace(capture, about=about, hooked={3: "x\ny"})
        )
    )
    assert found.about.notes == ("one two\\x1b[1m",)
    assert (found.about.command, found.hooked[3]) == ("a b", "x y")
