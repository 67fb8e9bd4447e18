"""Inputs that mean harm, by family: what strangers can send, and what must come of it.

Each case is a command with its files. `python tests/hostile.py FAMILY FOLDER` runs those
of a family, each in a process of its own with little time and memory, and prints a line
of JSON for each: how it ended, and what it said. `tests/test_hostile.py` judges them.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import struct
import sys
import time
import zipfile
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

FINE: Final = 0
HELD: Final = 1  # an assertion or a check does not hold
REFUSED: Final = 2
SECONDS: Final = 2  # of processor time, where a million squares take 50 ms
_SQUARES: Final = 0.05
_HANGS: Final = 10  # times as many seconds, and it never ends
MEBIBYTES: Final = 400
_ROOM: Final = 1536 * 2**20  # bytes that may be reserved, so that nobody else suffers


# fmt: off


TYPED: Final = "typed"  # the file of a case that is its standard input


class Case(NamedTuple):
    """One input, and what has to come of it."""

    name: str
    arguments: tuple[str, ...]
    files: Mapping[str, bytes]
    code: int = REFUSED
    place: str = (
        ""  # has to stand in what is said: the file, and the line if it is known
    )


PROGRAM: Final = "y = w * x\nE = sum(y)\n"
VALUES: Final = "[inputs]\nx = [1.0, 2.0]\n[parameters]\nw = 0.5\n"


def of_program(text: str, values: str = VALUES, head: str = "") -> str:
    """Return a scenario with a program."""
    return f"gradstep = 1\n{head}\nprogram = '''\n{text}\n'''\n{values}"


GOOD: Final = of_program(PROGRAM)


def _scenarios(
    texts: Iterable[str | bytes], code: int = REFUSED, *command: str
) -> Iterator[Case]:
    for number, text in enumerate(texts):
        data = (
            text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        )
        arguments = (*(command or ("show",)), "s.toml")
        yield Case(f"{code}-{number}", arguments, {"s.toml": data}, code, "s.toml")


def _scripts(
    texts: Iterable[str], code: int = REFUSED, scenario: str = GOOD
) -> Iterator[Case]:
    for number, text in enumerate(texts):
        data = text.encode("utf-8", "surrogatepass")
        files = {"s.toml": scenario.encode(), "x.gs": data}
        arguments = ("play", "s.toml", "--script", "x.gs")
        yield Case(f"{code}-{number}", arguments, files, code, "x.gs")


# ------------------------------------------------------------------------------ TOML


def toml() -> Iterator[Case]:
    """Yield files that are no TOML, or no scenario."""
    broken = [
        "", "\0", "=", "[", "[[", "a", "a =", "a = ", "gradstep = 1\ngradstep = 1",
    ]
    broken += [
        'a = "', "a = '''", 'a = """\\', 'a = "\\x"', 'a = "\\uD800"', "[a]\n[a]",
    ]
    broken += ["a.b = 1\na = 2", "a = [1,", "a = {", "a = {b = 1,", "a = 2024-13-40"]
    broken += [
        "a = 0x", "a = 1__0", "a = +-1", "a = tru", '"\\u0000" = 1', "a = 1 b = 2",
    ]
    broken += [
        "[" * 500, "a = " + "[" * 5000, "a = " + "{a = " * 5000, "a." * 5000 + "a=1",
    ]
    yield from _scenarios(broken)
    raw = [
        b"\xff\xfe\x00", b"\x80", b"gradstep = 1\n\xc3\x28", b"\xef\xbb\xbf",
        b"\x00" * 999,
    ]
    raw += [
        b"PK\x03\x04",
        b"\x93NUMPY",
        b"#!/bin/sh\n",
        b"a = 1\r",
        GOOD.encode("utf-16"),
    ]
    yield from _scenarios(raw)
    keys = ("title", "summary", "group", "order", "convention", "output", "dtype")
    keys += ("program", "inputs", "parameters", "constants", "seed", "names", "notes")
    keys += ("training", "expect")
    wrong = ("1979-05-27", "[[[]]]", "{ a = { b = { c = [] } } }", "nan", "-9e999")
    for key, value in itertools.product(keys, wrong):
        if key not in GOOD:
            yield from _named(f"{key}={value}", f"{key} = {value}\n{GOOD}")
    yield from _scenarios([f"{key}{i} = 1\n{GOOD}" for i, key in enumerate(keys)])


def _named(name: str, text: str, code: int = REFUSED) -> Iterator[Case]:
    for case in _scenarios([text], code):
        yield case._replace(name=name)


# ---------------------------------------------------------------------------- values


def npy(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """Return an .npy file with a header that says anything."""
    head = header.encode("utf-8")
    size = struct.pack("<H" if version[0] == 1 else "<I", len(head))
    return b"\x93NUMPY" + version + size + head + data


def _npz(name: str, data: bytes, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        archive.writestr(name, data)
    return file.getvalue()


def _header(descr: str = "'<f8'", shape: str = "(2,)", order: str = "False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


def _of_file(name: str, data: bytes, more: str = "") -> Case:
    values = f'[inputs]\nx = {{ file = "{name}"{more} }}\n[parameters]\nw = 0.5\n'
    text = of_program(PROGRAM, values).encode()
    return Case("", ("show", "s.toml"), {"s.toml": text, name: data}, place=name)


_TWO: Final = struct.pack("<2d", 1, 2)


def values() -> Iterator[Case]:
    """Yield files of numbers that lie, and values that are none."""
    for family in (_npy_files, _npz_files, _csv_files, _paths, _tables):
        yield from family()


def _npy_files() -> Iterator[Case]:
    numbers = _TWO
    shapes = ["(-1,)", "(10**9,)", "(2**70,)", "(1,)*40", "2", "'a'", "(2.0,)", "[2]"]
    shapes += ["(100000, 100000)", "(999999999999,)", "((2,),)", "(None,)", "(True,)"]
    types = ["'|O'", "'<U5'", "'<M8[s]'", "'<c16'", "'V8'", "[('a', '<f8')]", "'<f16'"]
    types += ["''", "5", "'<x9'", "__import__('os')", "'>f4x'", "'<f8' * 2"]
    heads = ["", "{", "[1]", "{}", "print(1)", "(" * 500, "{'descr': '<f8'}", "\0" * 64]
    heads += [" " * 60000, "{'descr'" + ":1" * 400 + "}", _header() + "#" * 9999]
    files = [npy(_header(shape=one), numbers) for one in shapes]
    files += [npy(_header(descr=one), numbers) for one in types]
    files += [npy(one, numbers) for one in heads]
    files += [
        npy(_header(), numbers[:9]),
        npy(_header()),
        npy(_header(order="7"), numbers),
    ]
    files += [
        b"", b"\x93NUMPY", b"\x93NUMPY\x09\x00", b"\x80\x04cos\nsystem\n(S'id'\ntR.",
    ]
    files += [
        npy(_header(), numbers, b"\x02\x00")[:20],
        npy(_header(), numbers + b"more"),
    ]
    for number, data in enumerate(files):
        yield _of_file("w.npy", data)._replace(name=f"npy-{number}")


def _npz_files() -> Iterator[Case]:
    good = npy(_header(), _TWO)
    bomb = npy(_header(shape="(60000000,)"), b"\0" * 2**22)
    packed = [b"PK\x05\x06" + b"\0" * 18, _npz("x.npy", b""), _npz("x.npy", b"no")]
    packed += [
        _npz("x.npy", good, how) for how in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    ]
    packed += [_npz("x.npy", bomb), _npz("x.npy", good)[:-30]]
    packed += [_npz("x.npy", good + b"\0" * 2**20), _npz("x.npy", good)[10:], b"PK"]
    lying = bytearray(_npz("x.npy", b"\0" * 2**20))
    at = lying.rindex(b"PK\x01\x02")
    lying[at + 24 : at + 28] = struct.pack("<I", 16)
    for number, data in enumerate([*packed, bytes(lying)]):
        yield _of_file("w.npz", data)._replace(name=f"npz-{number}")


def _csv_files() -> Iterator[Case]:
    tables = ["", "a,b", "1,2\n3", "1;2", '"1",2', "1e999,1\n", "1,,2", "0x10", "1\0,2"]
    tables += [
        "1," * 5000, "9" * 100_000, "=cmd|' /C calc'!A0", "\x1b[2J", "nan()", "1_0",
    ]
    for number, text in enumerate(tables):
        yield _of_file("w.csv", text.encode())._replace(name=f"csv-{number}")


def _paths() -> Iterator[Case]:
    paths = [
        "../s.toml", "/etc/passwd", "w", "~/x.npy", "a\\\\b.npy", "", ".",
        "nul\\u0000",
    ]
    paths += [
        "x" * 5000 + ".npy", "http://localhost/w.npy", "/dev/zero", "w.npy/../w.npy",
    ]
    for path in paths:
        text = of_program(PROGRAM, f'[inputs]\nx = {{ file = "{path}" }}\nw = 1.0\n')
        yield from _named(f"path {path[:20]}", text)


def _tables() -> Iterator[Case]:
    tables = [
        "{}", "{ zeros = -1 }", "{ random = 'normal' }", "{ eye = 1e9 }", "{ of = 1 }",
    ]
    tables += [
        "[[1], [1, 2]]", "['a']", "[{}]", "{ value = 1, shape = [3] }",
        "[[[true]], 1]",
    ]
    tables += [
        "{ arange = [0, 1, 0] }",
        "{ arange = [0, 1e18] }",
        "{ linspace = [0, 1, -5] }",
    ]
    tables += [
        "{ random = 'choice', of = [], shape = [2], seed = 1 }",
        "{ eye = 70000 }",
    ]
    tables += [
        "{ random = 'normal', shape = [1000000, 1000000], seed = 1 }",
        "2020-01-01",
    ]
    tables += ["{ random = 'integers', low = 5, high = 5, shape = [2], seed = 1 }"]
    tables += ["{ random = 'normal', shape = [2], seed = -1 }", "{ full = [2] }", "'x'"]
    for text in tables:
        yield from _named(text, of_program(PROGRAM, f"[inputs]\nx = {text}\nw = 1.0\n"))


# ----------------------------------------------------------------- programs, and more


_PROGRAM_PYTHON: Final = (
    "import os", "from os import *", "exec('1')", "__import__('os')", "y = x.real",
    "y = x.__class__", "y = (lambda: 1)()", "y = [i for i in x]", "for i in x: y = i",
    "while 1: y = x", "y = x if x else w", "class A: pass", "y = open('a')",
    "y: int = x", "y = f'{x}'", "y = x @@ w", "del x", "global x", "y = yield",
    "y = await x", "y += x", "y = eval", "y = print(x)", "with x: y = 1",
    "try:\n  y = x\nfinally:\n  z = x", "x = 1", "y = z", "y = y", "a, b = x",
    "y = x[...,]", "y = x[w]", "y = {1: 2}", "y = sum(*x)", "y = sum(**x)",
    "y = sum(x, axis=9)", "y = sum()", "y = x <", "@x",
    "def f(x):\n    return f(x)\ny = f(x)", "def f(): pass", "def f(x, x):\n  return x",
    "def f(*a):\n  return a\ny = f(x)", "def g(x):\n    return h(x)\ny = g(x)",
    "return x", "y = 1 if", "y = 'a' * 999999999", "y = b'x'", "y = x := 1",
    "y = not x", "y = ...", "y = x[10**9]", "y = x ** 10 ** 10 ** 10",
    "y = reshape(x, (-5,))", "y\u00b2 = x", "y = broadcast_to(x, (10**9, 2))",
    "y = x\x0c\x0cz", "y = x;;", "\ty = x", "y = x\\", "", "#", "pass", "x", "1",
    "y = (", "y = x)", "y = '", "y = x # \u202e", "\ufeffy = x z",
)
_PROGRAM_FINE: Final = (
    "y = sum(x) * w  # \x07 and \u202e hidden".replace("\x07", "\\u0007"),
    "y = " + "(" * 30 + "w" + ")" * 30, "y = " + " + ".join(["w"] * 60), "δ = w * w",
    "y = x - x\nz = sum(log(y))", "y = sum(x) ** 400 ** 0.5", "y = sum(x / 0)",
)


def programs() -> Iterator[Case]:
    """Yield programs that are no programs of ours."""
    yield from _scenarios([of_program(one) for one in _PROGRAM_PYTHON])
    yield from _scenarios([of_program(one) for one in _PROGRAM_FINE], FINE, "play")


_EXPRESSION_WRONG: Final = (
    "(", ")", "x +", "x..y", "x.real", "x.__class__", "__import__('os')",
    "().__class__", "x[", "x[::0]", "x[9]", "x['a']", "x[1:2:3:4]", "x(1)", "y()",
    "[i for i in x]", "lambda: 1", "x := 1", "x; y", "f'{x}'", "'a' % 1", "x if x",
    "{x}", "1 << 99999", "1e400 * x @ w", "ones((99999, 99999))",
    "broadcast_to(x, (2**40, 2))", "zeros((2**62,))", "pad(x, 10**9)", "outer(x)",
    "ones((3000, 3000)) @ ones((3000, 3000))", "eye(10**6)", "linspace(0, 1, 10**10)",
    "(" * 60 + "x" + ")" * 60, "-" * 900 + "x", "x" * 1900 + "y", "x + " * 600 + "x",
    "x.grad.grad", "E.grad[0]", "nosuch", "nosuch.grad", "`x", "`nosuch`", "@", "$",
    "?", "x @ x @", "sum(x, axis='a')", "sum(x, y, z)", "norm()", "argmax(x, axis=99)",
    "1_", "0x", "1e", "07", "'", '"', "\\", "x\\", "\u202ex", "x\u200b", "print(x)",
    "exec('x')", "arange(10**12)", "sum(" * 41 + "x" + ")" * 41,
    "concatenate([x] * 10**9)", "x or", "[" * 50, "x[" * 45 + "0" + "]" * 45, "max()",
    "True + True + 'a'", "x" + "[0]" * 500,
)
_EXPRESSION_FINE: Final = (
    "x", "x / 0", "x - x", "-x ** 2", "sum(x) % 0", "x[0:0]", "ones((0, 5))",
    "1e308 * 10", "nan == nan", "x[-1]", "any(x > 1)", "9 ** 9 ** 9", "2 ** 99999",
    "x[None]", "x[[[[]]]]", "log(x - x)", "(x,)",
)


def expressions() -> Iterator[Case]:
    """Yield expressions for the prompt that are none, or take much."""
    yield from _scripts([f"print {one}" for one in _EXPRESSION_WRONG])
    yield from _scripts([f"print {one}" for one in _EXPRESSION_FINE], FINE)


_SCRIPT_REACH: Final = (
    "save ../x.gs", "save -f x.gs", "save /tmp/x.gs", "source ../x.gs",
    "source /etc/passwd", "export numpy ../a.py", "export html ~/a.html",
    "source .hidden.gs", "save .bashrc", "export numpy a.sh", "save a.txt",
    "export -f numpy x.gs", "record ../x.gs", "source s.toml",
    "commands 1 save /tmp/x.gs", "source $(id).gs", "export html $HOME/a.html",
    "source |id",
)
_SCRIPT_WRONG: Final = (
    "nonsense", "step -1", "step x", "step 1e9", "goto", "goto nowhere", "break )",
    "break y if", "break y if (", "watch", "watch )", "set", "set x", "set x =",
    "set x = (1", "set x = [[1]]", "set nosuch = 1", "explain", "explain )",
    "explain x[9]", "why", "why )", "delete 99", "ignore 1 x", "commands 99 step",
    "alias", "train x", "catch", "catch x", "goto 5:5", "goto 999999999999999999999",
    "step 99999999999999999999", "check )", "export", "export x", "assert", "assert )",
    "expect", "expect error x", "help nosuch", "step\x00", "\u202estep", "STEP" * 900,
    "print " + "x" * 5000, "goto \x1b[2J", "diff x",
)
_SCRIPT_ENDLESS: Final = (
    "break y\ncommands 1 goto start; continue\ncontinue",
    "break y if y > nosuch\ncontinue",
    "break y\ncommands 1 goto start; continue; continue\ncontinue",
)
_SCRIPT_NOISE: Final = (
    b"\xff\xfe", b"\x00\x01", b"print x\n\x80", b"", b"\n\n", b"# only a remark\n",
)


_SCRIPT_TRAINING: Final = (
    "goto 999999999:end", "train 900000000", "step\ncontinue", "watch w if w > 1e300\nc",
    "break E if iteration > 1000000000\ncontinue", "tbreak 900000000:E\ncontinue",
)


def scripts() -> Iterator[Case]:
    """Yield scripts that reach out, or do not end."""
    yield from _scripts([f"step\n{one}" for one in _SCRIPT_REACH])
    yield from _scripts(_SCRIPT_WRONG)
    for case in _scripts(_SCRIPT_ENDLESS):
        arguments = (*case.arguments, "--limit", "commands=500")
        yield case._replace(name=f"endless {case.name}", arguments=arguments)
    trained = of_program(PROGRAM, f"{VALUES}[training]\niterations = 1000000000\n")
    yield from _scripts(_SCRIPT_TRAINING, scenario=trained)
    yield from _scripts(
        ["assert sum(x) == 1e9", "assert sum(x) == nan", "step\nassert False"], HELD
    )
    yield from _scripts(
        ["quit 0", "step\nreverse-step\ngoto start", "# \x07 note\nstep", "break", "list 0"], FINE
    )
    for number, data in enumerate(_SCRIPT_NOISE):
        files = {"s.toml": GOOD.encode(), "x.gs": data}
        arguments = ("play", "s.toml", "--script", "x.gs")
        yield Case(f"noise-{number}", arguments, files, place="x.gs")


def cycles() -> Iterator[Case]:
    """Yield what leads back to itself."""
    loops = {
        "itself": {"x.gs": "source x.gs"},
        "two": {"x.gs": "source y.gs", "y.gs": "source x.gs"},
        "by a folder": {"x.gs": "source ./x.gs"},
        "twice": {"x.gs": "source y.gs\nsource y.gs", "y.gs": "source x.gs"},
        "with steps": {"x.gs": "step\nsource y.gs", "y.gs": "back\nsource x.gs"},
        "missing": {"x.gs": "source z.gs"},
        "many": {f"{n}.gs": f"source {n + 1}.gs" for n in range(30)}
        | {"x.gs": "source 0.gs"},
        "wide": {
            "x.gs": "source y.gs\n" * 200,
            "y.gs": "source z.gs\n" * 200,
            "z.gs": "step -1",
        },
    }
    for name, texts in loops.items():
        files = {one: text.encode() for one, text in texts.items()}
        files["s.toml"] = GOOD.encode()
        arguments = ("play", "s.toml", "--script", "x.gs")
        yield Case(name, arguments, files, place=".gs")
    calls = ["def f(a):\n    return g(a)\ndef g(a):\n    return f(a)\ny = f(x)"]
    calls += [_chain(200)]
    yield from _scenarios([of_program(one) for one in calls])
    [case] = _scenarios([of_program(_doubling(40))])
    arguments = (*case.arguments, "--limit", "nodes=5000")
    yield case._replace(name="doubling", arguments=arguments)
    numbers = _doubling(40).replace("a * 1", "1 + 1").replace("(f", "(1 + f")
    yield from _scenarios([of_program(numbers.replace("(x)", "(1)"))])
    idle = "def f(a):\n" + "".join(f"    b{n} = a\n" for n in range(2000))
    calls = "".join(f"y{n} = f(x)\n" for n in range(900))
    yield from _scenarios([of_program(f"{idle}    return a * a\n{calls}")])
    for restart in ("goto start", "print y; goto start"):
        lines = f"break y\ncommands 1 {restart}; continue\ncontinue\n"
        yield from _scripts([lines])


def _doubling(levels: int) -> str:
    lines = ["def f0(a):\n    return a * 1"]
    lines += [
        f"def f{n}(a):\n    return f{n - 1}(f{n - 1}(a))" for n in range(1, levels)
    ]
    return "\n".join([*lines, f"y = f{levels - 1}(x)"])


def _chain(levels: int) -> str:
    lines = ["def f0(a):\n    return a * 1"]
    lines += [f"def f{n}(a):\n    return f{n - 1}(a)" for n in range(1, levels)]
    return "\n".join([*lines, f"y = f{levels - 1}(x)"])


# --------------------------------------------------------------- sizes, depth, numbers


_SIZE_SHAPES: Final = (
    "[50000001]", "[10000, 10000]", "[2, 2, 2, 2, 2, 2, 9999999]", "[1e9]", "[-2]",
    "[9223372036854775807]", "[9223372036854775808]", "[3, 9223372036854775807]",
    "[" + "1, " * 40 + "1]", "[65536, 65536, 65536, 65536]", "[0, 99999999999999]",
)
_SIZE_LARGE: Final = (
    "y = broadcast_to(x, (30000, 30000, 2))", "y = outer(x, broadcast_to(w, (10**8,)))",
    "y = pad(x, 10**8)", "y = reshape(x, (10**9, 10**9))", "y = repeat(x, 10**9)",
    "y = tile(x, 10**9)", "y = split(x, 10**6)", "y = stack([x] * 9)",
    "y = x" + "9" * 9999, "y = x[" + "0," * 99 + "]", "y = " + "+".join(["x"] * 6000),
    "#" * 20_000 + "\ny = x )",
    "a = broadcast_to(w, (9000000,))\ny = sum(einsum('i,i,i->i', a, a, a))",
)
_SIZE_FINE: Final = (
    of_program(f"y = sum(stack([{', '.join(['x'] * 300)}]))"),
    of_program("\n".join(f"a{i} = w * {i}" for i in range(200))),
    of_program("y = sum(broadcast_to(x, (400000, 2)))"),
)


def sizes() -> Iterator[Case]:
    """Yield what is too large, before memory is taken for it."""
    for shape in _SIZE_SHAPES:
        table = f"[inputs]\nx = {{ zeros = {shape} }}\nw = 1.0\n"
        yield from _named(f"zeros {shape[:40]}", of_program(PROGRAM, table))
    yield from _scenarios([of_program(one) for one in _SIZE_LARGE])
    square = "[inputs]\nx = { zeros = [7000, 7000] }\n[parameters]\nw = 1.0\n"
    yield from _scenarios([of_program("y = x @ x @ x * w", square)])
    # Many small matrices, and a large one: more of them than their elements tell.
    yield from _scenarios(
        of_program(f"A = broadcast_to(w, ({shape}))\ny = sum({name}(A))")
        for name, shape in [
            ("det", "200000, 5, 5"), ("det", "300000, 6, 6"), ("det", "2000, 2000"),
            ("cholesky", "2000, 2000"), ("inv", "2000, 2000"),
        ]
    )
    yield from _scenarios(["#" * (4 * 2**20 + 1), GOOD + "\n" * 4 * 2**20])
    [case] = _scenarios([of_program("\n".join(f"a{i} = x * {i}" for i in range(9000)))])
    arguments = (*case.arguments, "--limit", "nodes=1000")
    yield case._replace(name="many lines", arguments=arguments)
    row = "+".join(["x"] * 1400)
    lengthy = ["\n".join(f"a{i}=x+x" for i in range(210_000))]
    lengthy += ["y = (" + "\n+".join([row] * 1480) + ")"]
    lengthy += ["\n".join(f"y{i}={row}" for i in range(count)) for count in (1480, 150)]
    lengthy += [f"y = [{many}]" for many in ("1,\n" * 1_300_000, "[],\n" * 1_000_000)]
    yield from _scenarios([of_program(one) for one in lengthy])
    made = ["ones((7000, 7000)) @ ones((7000, 7000))", "ones((7000, 7000))"]
    made += ["ones((4000, 4000)) + ones((4000, 4000))"]
    yield from _scripts([f"print sum({one})" for one in made])
    yield from _scenarios(_SIZE_FINE, FINE)
    yield from _looked_at()
    yield from _infinite()
    huge = ["x" * 3_000_000, "print x\n" * 300_000 + "nonsense", "# " + "a" * 4_300_000]
    yield from (case for case in _scripts(huge) if case.name != "2-1")


# Each element of w goes to 3,000,000 others: what is shown of them is an excerpt.
_SIZE_USES: Final = (
    "y = sum(broadcast_to(w, (3000000,)))",
    "y = sum(broadcast_to(w, (2, 1500000)))",
    "y = sum(take_along_axis(broadcast_to(w, (3000000,)), k))",
)
_SIZE_LOOKS: Final = {
    "uses w": FINE, "explain w.grad": FINE, "why w.grad": FINE, "paths w": REFUSED,
}


def _looked_at() -> Iterator[Case]:
    numbers = "[parameters]\nw = 0.5\n[constants]\nk = [0, 1]\n"
    for text, (line, code) in itertools.product(_SIZE_USES, _SIZE_LOOKS.items()):
        scenario = of_program(text, numbers)
        [case] = _scripts([f"goto end\n{line}"], code, scenario)
        yield case._replace(name=f"{line} in {text}")
        told = (*case.arguments, "--json")
        yield case._replace(name=f"{line} in {text}, as data", arguments=told)


def _infinite() -> Iterator[Case]:
    text = "y = sum(softmax(broadcast_to(w, (400000,))))"
    scenario = of_program(text, "[parameters]\nw = inf\n")
    for case in _scripts(["goto end\nwhy w.grad"], FINE, scenario):
        yield case._replace(name=f"why w.grad in {text}")


def nesting() -> Iterator[Case]:
    """Yield what is deep."""
    deep = [
        "(" * 120 + "x" + ")" * 120, "-" * 3000 + "x", "x" + "[0]" * 2000,
        "x" + ".T" * 4000,
    ]
    deep += [
        "sum(" * 150 + "x" + ")" * 150, "x ** " * 300 + "2", "[" * 3000,
        "not " * 900 + "x",
    ]
    deep += [
        "(" * 9000, "x @ (" * 150 + "x" + ")" * 150, "f(" * 5000 + ")" * 5000,
        "{" * 900,
    ]
    yield from _scenarios([of_program(f"y = {one}") for one in deep])
    tables = ["[" * 150 + "1" + "]" * 150, "{ value = " * 150 + "1" + " }" * 150]
    tables += [
        "[" * 33 + "1.0" + "]" * 33,
        "[" * 60 + "]" * 60,
        "{ a" + ".b" * 300 + " = 1 }",
    ]
    yield from _scenarios(
        [of_program(PROGRAM, f"[inputs]\nx = {one}\nw = 1.0\n") for one in tables]
    )
    lines = [
        "print " + "(" * 1900,
        "print " + "[" * 1900,
        "set x = " + "[" * 300 + "]" * 300,
    ]
    lines += [
        "break y if " + "not " * 400 + "x",
        "print x" + ".grad" * 380,
        "why " + "(" * 99,
    ]
    yield from _scripts(lines)
    heads = "".join(f"[a{'.a' * n}]\n" for n in range(120))
    yield from _scenarios([heads, GOOD + heads, "[[a]]\n" * 2000])


_NUMBER_WRONG: Final = (
    "1" * 5000, "-" + "9" * 4400, "0x" + "f" * 9999, "1e999999999", "-1e400",
    "0b" + "1" * 5000, "[1, 2, 1" + "0" * 400 + "]", "1e400",
    "{ eye = 9223372036854775808 }", "[1e309]", "{ full = [2], value = 1e400 }",
    "{ linspace = [0, 1e400, 3] }", "00", "1.", ".5",
)
_NUMBER_INSIDE: Final = (
    "9" * 1200, "1e400", "1j", "0777", "1__0", "10 ** 400", "0x" + "f" * 999, "1.2.3",
    "1e",
)
_NUMBER_HEADS: Final = (
    "order = 1e3", "order = 9223372036854775808", "order = nan", "order = -0.5",
)
_NUMBER_TRAINING: Final = (
    "iterations = 0", "iterations = -1", "iterations = 1e3", "iterations = 99999999999",
    "learning_rate = nan", "learning_rate = inf", "learning_rate = 'a'", "batch = 1",
    "optimizer = 'x'", "optimizer = 1", "learning_rate = { nosuch = 1 }",
    "momentum = 2",
)
_NUMBER_LINES: Final = (
    "step " + "9" * 3000, "goto " + "9" * 3000, "train 99999999999",
    "goto 1:" + "9" * 400, "set x = 1" + "0" * 400, "ignore 1 " + "9" * 3000,
    "delete -1", "quit 99999999999",
)
_NUMBER_FINE: Final = (
    "[nan, inf]", "[-0.0, 5e-324]", "[1.7976931348623157e308, -1e308]",
    "[9007199254740993, 1]",
)


def numbers() -> Iterator[Case]:
    """Yield numbers that are too long, or no numbers."""
    yield from _scenarios(
        [of_program(PROGRAM, f"[inputs]\nx = {one}\nw = 1.0\n") for one in _NUMBER_WRONG]
    )
    yield from _scenarios([of_program(f"y = x * {one}") for one in _NUMBER_INSIDE])
    yield from _scenarios([of_program(PROGRAM, head=one) for one in _NUMBER_HEADS])
    yield from _scenarios(
        [f"{GOOD}\n[training]\n{one}\n" for one in _NUMBER_TRAINING]
    )
    yield from _scripts(_NUMBER_LINES)
    yield from _scenarios(
        [of_program(PROGRAM, f"[inputs]\nx = {one}\nw = 1.0\n") for one in _NUMBER_FINE],
        FINE,
        "play",
    )


# ------------------------------------------------------------------------ names, texts

# What moves the cursor, sets a title, reorders what is read, or is not there to see.
SIGNS: Final = (
    "\x1b[2J", "\x1b]0;t\x07", "\x9b31m", "\u202e", "\u2066", "\u200b", "\ufeff",
)
SIGNS_MORE: Final = ("\u2028", "\x7f", "\x85", "\u00ad", "\U000e0041", "\r", "\b\b\b")


def names() -> Iterator[Case]:
    """Yield names that are none, or that look like others."""
    bad = [
        "2x", "a-b", "a b", "", "def", "None", "a.b", "ｘ", "x²", "é" * 5000, "E", "y",
        "if",
    ]
    bad += [
        "True", "lambda", "a\\u0000b", "a\\u202eb", "🙂", "class", "a\\n", "x[0]",
        "x.grad",
    ]
    fine = ["sum", "__class__", "grad", "nosuch", "е"]  # the last one is Cyrillic
    for name in fine:
        text = of_program(PROGRAM, f'[constants]\n"{name}" = 1.0\n{VALUES}')
        yield from _named(f"constants {name}", text, FINE)
    for table, name in itertools.product(("inputs", "constants"), bad):
        values = f'[{table}]\n"{name}" = 1.0\n{VALUES}'
        values = values.replace("[inputs]\nx", "x", 1) if table == "inputs" else values
        yield from _named(f"{table} {name[:20]}", of_program(PROGRAM, values))
    for key in (
        "forward nosuch", "back y", "forward", "", "seed E E", "forward \\u001b[2J",
    ):
        yield from _named(f"note {key}", f'{GOOD}[notes]\n"{key}" = "text"\n')
    for one in ("nosuch.grad", "x..grad", "", "(", "x.grad[9]", "__import__('os')"):
        yield from _named(f"name {one}", f'{GOOD}[names]\n"δ" = "{one}"\n')
        yield from _named(f"expect {one}", f'{GOOD}[expect]\n"{one}" = 1.0\n')


def texts() -> Iterator[Case]:
    """Yield texts that act on a terminal: they are shown, and do nothing."""
    for sign in (*SIGNS, *SIGNS_MORE):
        text = "".join(f"\\U{ord(letter):08x}" for letter in f"a{sign}b")
        shown = f'title = "{text}"\nsummary = "{text}"\ngroup = "{text}"'
        notes = f'[notes]\n"start" = "{text}"\n"forward y" = "{text}"\n[names]\n"{text}" = "y.grad"\n'
        scenario = of_program(PROGRAM, VALUES + notes, shown)
        name = sign.encode("unicode_escape").decode()
        for command in ("show", "play"):
            [case] = _scenarios([scenario], FINE, command)
            yield case._replace(name=f"{command} {name}")
        raw = of_program(f"y = x * w  # {sign}\nz = y +").encode(
            "utf-8", "surrogatepass"
        )
        yield Case(
            f"raw {name}", ("show", "s.toml"), {"s.toml": raw}, REFUSED, "s.toml"
        )
        line = f"step\nprint y{sign}\n".encode("utf-8", "surrogatepass")
        files = {"s.toml": GOOD.encode(), "x.gs": line}
        arguments = ("play", "s.toml", "--script", "x.gs")
        code = FINE if sign == "\r" else REFUSED  # it ends a line, with what follows
        yield Case(f"script {name}", arguments, files, code, "x.gs")
        remark = f"step\nprint y # {sign} hidden\n# {sign}\nset w = 2 #{sign}\n"
        files = files | {"x.gs": remark.encode("utf-8", "surrogatepass")}
        yield Case(f"echo {name}", (*arguments, "--echo"), files, FINE)
        if "/" not in sign and "\0" not in sign:
            yield Case(f"file {name}", ("show", f"no{sign}.toml"), {}, REFUSED, ".toml")


# ------------------------------------------------------------ questions, hunts, tours

_QUESTION: Final = '"forward y" = '


_QUESTION_WRONG: Final = (
    "1", "[]", "{}", "{ ask = 1 }", '{ ask = "" }', '{ ask = "nosuch" }',
    '{ ask = "y", answer = [] }', '{ ask = "q", answer = "" }',
    *(f'{{ ask = "y", tolerance = {one} }}' for one in ("nan", "-1", "1", "'a'")),
    *(
        f'{{ ask = "y", answer = "a", choices = {one} }}'
        for one in ("1", "[]", '["a"]', '["a", 1]', '["a", "A"]', '["b", "c"]', "[[]]")
    ),
    '{ ask = "y", answer = "a", choices = [' + '"a", ' * 50 + "] }",
    f'{{ ask = "{"y" * 300}" }}', '{ ask = "y", hint = 1 }',
    '{ ask = "y", after = [1] }', '{ ask = "y", wrong = 1 }',
    '{ ask = "y", wrong = { "nosuch" = "a" } }', '{ ask = "y", wrong = { "x" = 1 } }',
    '{ ask = "y", nosuch = 1 }', f'{{ ask = "{"(" * 150}" }}',
    '{ ask = "y; import os" }', '{ ask = "__import__(\'os\')" }',
    '{ ask = "y.__class__" }', f'{{ ask = "y", wrong = {{ "{"(" * 60}y" = "a" }} }}',
    '{ ask = "y" }\n"forward  y" = { ask = "y" }', f'{{ ask = "{"9" * 190} ** 9" }}',
)
_QUESTION_HEAVY: Final = (
    "sum(ones((7000, 7000)) @ ones((7000, 7000)))", "ones((7000, 7000))", "9 ** 9 ** 9",
    "1 / 0", "x > 1", "(x, x)", "zeros((0,))", "E.grad",
)


def questions() -> Iterator[Case]:
    """Yield questions that are none, and answers that mean harm."""
    yield from _scenarios(
        [f"{GOOD}[questions]\n{_QUESTION}{one}" for one in _QUESTION_WRONG]
    )
    for key in ("back y", "forward nosuch", "", "forward \\u001b[2J"):
        yield from _named(key, f'{GOOD}[questions]\n"{key}" = {{ ask = "y" }}')
    for one in _QUESTION_HEAVY:
        asked = f'{GOOD}[questions]\n{_QUESTION}{{ ask = "{one}" }}'
        yield _asking(asked, "1\nx\n2\n", f"asked {one[:20]}")
        yield _asking(_ASKS, f"{one}\n" * 4, f"typed {one[:20]}")
    typed = ["x" * 5000, "(" * 3000, "9" * 3000, "\0", "__import__('os')", "\x1b[2J", ")"]
    for number, one in enumerate(typed):
        yield _asking(_ASKS, f"{one}\n{one}\n", f"typed {number}")
        yield _asking(_CHOICES, f"{one}\n{one}\n", f"chosen {number}")
    yield _asking(_ASKS, b"\xff\xfe\x00\n\x80\n", "typed bytes")
    yield from _of_signs()


def _of_signs() -> Iterator[Case]:
    for sign in (*SIGNS, *SIGNS_MORE):
        text = "".join(f"\\U{ord(letter):08x}" for letter in f"a{sign}b")
        told = f'answer = "E", hint = "{text}", after = "{text}", wrong = {{ "1" = "{text}" }}'
        chosen = f'choices = ["{text}", "c"], answer = "c", wrong = {{ "{text}" = "{text}" }}'
        asked = (
            f'{GOOD}[questions]\n"forward E" = {{ ask = "{text}", {told} }}\n'
            f'"end" = {{ ask = "{text}", {chosen} }}\n'
        )
        name = sign.encode("unicode_escape").decode()
        yield _asking(asked, f"1\n{sign}\n2\na{sign}b\na\n", f"signs {name}")


_ASKS: Final = f'{GOOD}[questions]\n"forward E" = {{ ask = "E" }}\n'
_CHOICES: Final = (
    f'{GOOD}[questions]\n{_QUESTION}{{ ask = "?", choices = ["p", "q"], answer = "p" }}\n'
)


def _asking(scenario: str, typed: str | bytes, name: str) -> Case:
    data = typed if isinstance(typed, bytes) else typed.encode("utf-8", "surrogatepass")
    files = {"s.toml": scenario.encode(), TYPED: data}
    return Case(name, ("play", "s.toml", "--ask"), files, FINE)


def hunts() -> Iterator[Case]:
    """Yield mistakes that cannot be hidden, and names of hunts that are none."""
    tables = [
        "", 'rule = "y<-w"', 'mistake = "sign"', 'rule = 1\nmistake = "sign"',
        'rule = "y<-w"\nmistake = 1', 'rule = "y<-w"\nmistake = "nosuch"',
        'rule = "y<-w"\nmistake = "sign"\nnosuch = 1',
    ]
    rules = ["nosuch<-w", "y<-nosuch", "<-", "y<-w<-x", "y", "y" * 5000, "y<-w\\u001b[2J"]
    rules += ["y<-w#99999999999999999999", "y<-w[0]", "(y)<-w"]
    tables += [f'rule = "{one}"\nmistake = "sign"' for one in rules]
    texts = [f"{GOOD}[hidden]\n{one}\n" for one in tables]
    texts += [f"hidden = 1\n{GOOD}", f"hidden = []\n{GOOD}", f"{GOOD}[[hidden]]\n"]
    yield from _scenarios(texts)
    yield from _scenarios(texts[:2], REFUSED, "hunt", "--debug")
    files = {"s.toml": GOOD.encode(), "a.zip": _npz("s.toml", GOOD.encode())}
    names = [
        "../s.toml", "/etc/passwd", "/dev/zero", "/dev/stdin", "a/b", "a/b.toml", "..", "/",
        "~", "s.toml/", "s.toml", "gate/../gate", "./gate", "gate.toml", "", "\x1b[2J",
        "x" * 5000, "a\0b", "..toml", "a.zip", "--", "gate ",
    ]
    for name in names:
        yield Case(f"hunt {name[:20]!r}", ("hunt", name, "--debug"), files)
    names = ["../x", "/etc/passwd", "xor", "a/b", "\x1b[2J", "x" * 5000, "", "./apple_orange"]
    for name in names:
        yield Case(f"tour {name[:20]!r}", ("tour", name), files)
    lines = ["accuse", "accuse y", "accuse <-", "accuse y<-w nosuch", "accuse " + "(" * 99]
    lines += ["accuse x[9]", "accuse y<-w " + "x" * 3000, "accuse \u202e", "accuse y <- w <- x"]
    yield from _scripts(lines)


def practice() -> Iterator[Case]:
    """Yield commands that ask and lead, and logs where none can be."""
    wrong = [
        "answer", "answer )", "answer " + "(" * 300, "answer " + "9" * 3000, "answer 1",
        "predict nosuch", "predict )", "predict x[9]", "predict off off", "cost", "cost )",
        "cost nosuch", "cost " + "(" * 99, "limit", "limit )", "limit nosuch", "limit x[9]",
        "limit w " + "9" * 500, "nudge", "nudge )", "nudge nosuch", "nudge x[9]",
        "nudge w by )", "nudge x by 1e999", "words )", "words nosuch", "indices 2",
        "indices x", "indices -1", "wait nosuch", "wait wait step", "wait quit x", "hint",
        "say " + "x" * 3900, "wait " * 700 + "step", "wait " + "print (",
    ]
    yield from _scripts([f"predict on\n{one}\nnonsense" for one in wrong])
    reach = [
        "save /tmp/x.gs", "save ../x.gs", "export html ~/a.html", "source /etc/passwd",
        "source ../x.gs", "commands 1 save /tmp/x.gs", "record ../x.gs", "save -f x.gs",
    ]
    yield from _scripts([f"break y\nwait {one}\ncontinue" for one in reach])
    yield from _scripts([f"break y\ncommands 1 wait {one}; say x\ncontinue" for one in reach[:4]])
    scenario = {"s.toml": GOOD.encode(), TYPED: b"step\n"}
    places = [
        "/dev/null", "/dev/full", "/dev/stdout", ".", "..", "/", "nosuch/x", "", "s.toml",
        "/etc/passwd", "x\0y", "a" * 5000, "\x1b[2J/x", "s.toml/x", "/proc/self/mem",
    ]
    for place in places:
        arguments = ("debug", "s.toml", "--predict", "--log", place)
        yield Case(f"log {place[:20]!r}", arguments, scenario)
    lines = [
        "hunt --seed 1", "hunt --random --seed -1 --debug", "hunt --random --seed x --debug",
        "hunt --random --seed 99999999999 --debug", "hunt --json", "hunt --debug",
        "hunt gate --limit nodes=0 --debug", "hunt gate --script nosuch.gs --debug",
        "tour --debug", "tour apple_orange more", "play s.toml --ask --script x.gs",
        "play s.toml --ask --json", "play s.toml --ask", "debug s.toml --log",
        "debug s.toml --predict=1", "play s.toml --indices 2", "snapshot s.toml --indices -1",
    ]
    for line in lines:
        yield Case(line, tuple(line.split()), scenario)


# ------------------------------------------------------------------- options, and keys


# The beginning of a command line, and what is wrong behind it.
_FLAGS: Final = {
    "show s.toml --limit ": (
        "nodes", "nodes=", "nodes=-1", "nodes=1e99", "x=1", "nodes=0", "nodes=nan", "=",
        "nodes=１x",
    ),
    "play s.toml --": (
        "from", "from nowhere", "to -1", "only nosuch", "width 0", "width -5",
        "width 1e9", "width x", "precision 0", "precision 99", "precision x",
        "delay -1", "delay nan", "delay x", "steps x", "slice x", "slice x[",
        "slice x[9:9,1]", "script", "script nosuch.gs", "script .", "script s.toml x",
    ),
    "check s.toml --": (
        "step 0", "step nan", "rtol -1", "sample 0", "scheme x", "step x", "sample x",
        "rtol x",
    ),
    "export s.toml --": (
        "format x", "format", "output /nosuch/a.html",
    ),
    "export s.toml --format dot --": (
        "at nowhere", "element )", "at (",
    ),
    "snapshot s.toml --": (
        "size 0x0", "size x", "size 1e9x1", "view x", "theme x", "at nowhere",
        "output a.exe",
    ),
}
_OPTION_LINES: Final = (
    "--nosuch", "-x", "nosuch", "sh\x1b[2Jow", "show", "show s.toml s.toml", "show ..",
    "show /dev/zero", "show /dev/null", "show .", "show s.toml --limit",
    *(start + end for start, ends in _FLAGS.items() for end in ends),
    "new", "new s.toml", "new /nosuch/a.toml", "test s.toml --junit /nosuch/a",
    "completion x", "completion", "debug", "debug nosuch", "run nosuch", "grads",
    "grads ''",
)


def options() -> Iterator[Case]:
    """Yield command lines that are wrong."""
    for line in _OPTION_LINES:
        yield Case(line, tuple(line.split()), {"s.toml": GOOD.encode()})
    long = [
        ("show", "x" * 100_000),
        ("x" * 100_000,),
        ("show", "s.toml", "--limit", "n" * 99_999),
    ]
    long += [
        ("show", "a\nb"),
        ("show", "s.toml\0x"),
        ("show", ""),
        ("",),
        ("--",),
        ("show", "--", "-x"),
    ]
    flags = ("play --script", "export -o", "test --junit", "rules --own", "run --log")
    for command, flag in map(str.split, flags):
        long += [(command, "s.toml", flag, "")]
    for number, arguments in enumerate(long):
        yield Case(f"long {number}", arguments, {"s.toml": GOOD.encode()})


KEYS: Final = (
    (":", *"print " + "(" * 200, "enter"),
    (":", *"goto 99999999999999999999", "enter", ":", *"nonsense", "enter"),
    ("/", *"[[[((", "enter", "n", "N", "escape"),
    ("s",) * 60 + ("S",) * 60,
    ("1", "2", "3", "4", "5", "6", "7", "8", "9", "0"),
    ("v", "+", "-", "right", "down", "home", "end", "pageup", "v"),
    ("ctrl+p", *"zzzz", "escape", "ctrl+o", "escape"),
    ("tab",) * 20 + ("shift+tab",) * 20,
    ("?", "escape", "h", "H", "[", "]", "{", "}", "<", ">"),
    ("e", "escape", "w", "escape", "g", "escape", "t", "T", "r"),
    (":", *"set x = [[[", "enter", "ctrl+c", "ctrl+l", "ctrl+u"),
    (":", *"x\x07\u202e", "tab", "tab", "enter", "up", "up", "enter"),
    ("f1", "f2", "f12", "insert", "delete", "backspace", "ctrl+x", "ctrl+a"),
    ("space", "space", ">", ">", "<", "b", "B", "d", "D", "c", "C"),
)


def keys() -> Iterator[Case]:
    """Yield keys that nobody presses."""
    for number, pressed in enumerate(KEYS):
        files = {"s.toml": GOOD.encode(), "keys": json.dumps(pressed).encode()}
        yield Case(f"{number}", ("keys",), files, FINE)
    pasted = [
        "\x1b[2J" * 50, "a" * 20_000, "step\nquit\n" * 9, "\u202e\x9b\x07",
        "print (" * 99,
    ]
    for number, text in enumerate(pasted):
        files = {"s.toml": GOOD.encode(), "paste": text.encode()}
        yield Case(f"paste {number}", ("keys",), files, FINE)


_TABLES: Final = (
    *(toml, values, programs, expressions, scripts, cycles, sizes),
    *(nesting, numbers, names, texts, questions, hunts, practice, options, keys),
)
FAMILIES: Final = {one.__name__: one for one in _TABLES}


# ----------------------------------------------------------------------------- running


def press_keys() -> int:
    """Press the keys of this folder in the application; nothing must break."""
    import asyncio
    from pathlib import Path

    from textual import events

    from gradstep.core.scenario.scenario import load
    from gradstep.tui.app.app import GradstepApp

    here = Path()

    async def press() -> int:
        app = GradstepApp(load("s.toml"))
        async with app.run_test(size=(100, 30)) as pilot:
            if (here / "keys").exists():
                await pilot.press(*json.loads((here / "keys").read_text()))
            else:
                await pilot.press(":")
                app.post_message(events.Paste((here / "paste").read_text()))
            await pilot.pause()
            app.exit(0)
        return app.return_code or 0

    return asyncio.run(press())


def pace() -> float:
    """Return how many times longer than 50 ms a million squares take, 1 at least."""
    start = time.process_time()
    sum(number * number for number in range(1_000_000))
    return max((time.process_time() - start) / _SQUARES, 1.0)


def main() -> None:
    """Run the cases of a family, and print how each ended."""
    # Here, for the tests that read the tables need none of it.
    from pathlib import Path

    import gradstep.tui.cli.tasks  # once, for all that are forked
    from gradstep.tui.cli.main import run

    family, folder = sys.argv[1], Path(sys.argv[2])
    if family == "keys":
        import gradstep.tui.app.app  # noqa: F401
    for number, case in enumerate(FAMILIES[family]()):
        here = folder / f"{number}"
        here.mkdir()
        for name, data in case.files.items():
            (here / name).write_bytes(data)
        child = os.fork()
        if not child:
            _confine(case, here)
            code = 99
            try:
                code = press_keys() if family == "keys" else run(case.arguments)
            finally:
                sys.stdout.flush()
                os._exit(code)
        ended = _ended(case, child)
        for name in ("out", "err"):
            ended[name] = Path(f"{here}.{name}").read_text("utf-8")
        sys.stdout.write(json.dumps(ended) + "\n")
        sys.stdout.flush()


def _confine(case: Case, here: Path) -> None:
    """Let this process have a folder and files of its own, little time and memory."""
    import resource

    os.chdir(here)
    most = _HANGS * SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))
    resource.setrlimit(resource.RLIMIT_AS, (_ROOM, _ROOM))
    for name, stream in (("out", 1), ("err", 2)):
        os.dup2(os.open(f"{here}.{name}", os.O_CREAT | os.O_WRONLY), stream)
    typed = TYPED if TYPED in case.files else os.devnull
    os.dup2(os.open(typed, os.O_RDONLY), 0)
    # As a process of its own has it: the parent's is closed, or a terminal.
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115


def _ended(case: Case, child: int) -> dict[str, object]:
    """Wait for a process, and return how it ended."""
    _, status, used = os.wait4(child, 0)
    seconds = used.ru_utime + used.ru_stime
    return {
        "name": case.name,
        "code": os.waitstatus_to_exitcode(status),
        # Of what is slow it is asked whether all is.
        "seconds": seconds if seconds < SECONDS else seconds / pace(),
        "mebibytes": used.ru_maxrss / 1024,
    }


if __name__ == "__main__":
    main()
