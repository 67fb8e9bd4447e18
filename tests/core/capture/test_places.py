import linecache
import sys
from types import FrameType

import pytest

from gradstep.core.capture.places import Place, Spot, Stack, Texts, chain, short_name

SEEN: list[Place] = []
STACK = Stack(lambda frame: None)


class Told:
    """Something whose operations tell where they are called."""

    def here(self, frame: FrameType) -> "Told":
        SEEN.append(STACK.place(frame))
        return self

    def __mul__(self, other: object) -> "Told":
        return self.here(sys._getframe(1))

    __rmul__ = __add__ = __radd__ = __iadd__ = __neg__ = __mul__

    def __call__(self, *_: object, **__: object) -> "Told":
        return self.here(sys._getframe(1))

    def __getitem__(self, index: object) -> "Told":
        return self.here(sys._getframe(1))

    def __setitem__(self, index: object, value: object) -> None:
        self.here(sys._getframe(1))

    def __iter__(self):
        yield self
        yield self


def ran(code: str, name: str = "snippet.py") -> None:
    """Run a snippet that has its source, as a notebook's cell has."""
    SEEN.clear()
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    known = {"x": Told(), "f": Told(), "g": Told()}
    exec(compile(code, name, "exec"), known)  # noqa: S102  # a snippet of ours


def spots(code: str) -> list[Spot]:
    ran(code)
    texts = Texts()
    return [texts.spot(one.active.code, one.at) for one in SEEN]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("h = x * 2", [("x * 2", ("h",), True)]),
        ("h = f(x * 2)", [("x * 2", ("h",), False), ("f(x * 2)", ("h",), True)]),
        ("x += 1", [("x += 1", ("x",), True)]),
        ("q, k = f(x)", [("f(x)", ("q", "k"), True)]),
        ("q, k = f(x), g(x)", [("f(x)", ("q",), True), ("g(x)", ("k",), True)]),
        ("(q, *k) = f(x)", [("f(x)", ("q", "k"), True)]),
        ("h: object = f(x)", [("f(x)", ("h",), True)]),
        ("h = y = f(x)", [("f(x)", ("h",), True)]),
        ("f.h = g(x)", [("g(x)", ("h",), True)]),
        ("x[0] = 1", [("x[0]", ("x",), True)]),
        ("h = f(x) if x else g(x)", [("f(x)", ("h",), True)]),
        ("h = [f(y) for y in x]", [("f(y)", ("h",), True)] * 2),
        ("(h := f(x))", [("f(x)", ("h",), True)]),
        ("id(f(x))", [("f(x)", (), False)]),
        ("größe = f(x)  # weit", [("f(x)", ("größe",), True)]),
        ("h = f(\n    x\n)", [("f( x )", ("h",), True)]),
        (
            "for y in f(x):\n    h = g(y)",
            [("f(x)", ("y",), True)] + [("g(y)", ("h",), True)] * 2,
        ),
        ("max = f(x)", [("f(x)", ("max",), True)]),
    ],
)
def test_an_expression_is_told_with_what_its_line_assigns(code, told) -> None:
    found = spots(code)
    assert [(one.text, one.targets, one.is_root) for one in found] == told


def test_a_place_has_its_column_in_characters_and_its_comment() -> None:
    (spot,) = spots("größe = f(x)  # weit")
    assert (spot.line, spot.column, spot.note) == (1, 9, "weit")
    assert spot.statement == "größe = f(x)"


def test_what_a_function_or_a_lambda_returns_is_told() -> None:
    made, inner = spots("def h(x):\n    return x * 2\ny = f(h(x) * 3)")[:2]
    assert (made.returns, made.is_root, made.text) == (True, True, "x * 2")
    assert (inner.returns, inner.is_root, inner.targets) == (False, False, ("y",))
    (spot,) = spots("h = lambda x: x * 2\ny = h(x)")
    assert (spot.returns, spot.is_root) == (True, True)


def test_code_without_a_source_has_a_line_alone() -> None:
    SEEN.clear()
    exec(compile("\n\nh = x * 2", "<nowhere>", "exec"), {"x": Told()})  # noqa: S102  # likewise
    spot = Texts().spot(SEEN[0].active.code, SEEN[0].at)
    assert (spot.line, spot.text, spot.targets) == (3, "", ())


def test_each_call_of_a_function_is_another_one_however_often_it_runs() -> None:
    ran("def h(x):\n    y = x * 2\n    return y * 3\nfor _ in range(3):\n    h(x)\n")
    calls = [one.active for one in SEEN]
    assert len({id(one) for one in calls}) == 3  # two places in each
    assert [calls[k] is calls[k + 1] for k in range(5)] == [True, False] * 2 + [True]
    assert {one.parent for one in calls} == {calls[0].parent}


def test_the_way_to_a_place_begins_at_the_outermost_frame() -> None:
    ran("def h(x):\n    return x * 2\ny = h(x)")
    names = [one.active.code.co_name for one in chain(SEEN[0])]
    assert names[-2:] == ["<module>", "h"]


def test_a_frame_is_unmarked_at_the_end() -> None:
    frame = sys._getframe()
    STACK.place(frame)
    assert frame.f_trace is not None
    STACK.clear(frame)
    assert frame.f_trace is None


def test_a_file_is_called_by_no_folder_of_the_machine(tmp_path) -> None:
    inside = tmp_path / "models" / "net.py"
    assert short_name(str(inside), tmp_path) == "models/net.py"
    library = "/usr/lib/python3/site-packages/torch/nn/linear.py"
    assert short_name(library, tmp_path) == "torch/nn/linear.py"
    assert short_name("/home/ada/net.py", tmp_path) == "net.py"
    assert short_name("models/net.py", tmp_path) == "models/net.py"
    assert short_name("../net.py", tmp_path) == "net.py"
