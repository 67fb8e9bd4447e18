"""A capture comes back from its file as it was, and others can read and write it."""

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradstep.core.base.errors import InputError
from gradstep.core.capture.archive import ALIGNED, read, write
from gradstep.core.capture.capture import Capture
from gradstep.core.capture.members import Opened
from gradstep.core.capture.opaque import opaque
from gradstep.core.engine.graph import Builder, Graph
from gradstep.core.engine.patches import Patches
from gradstep.core.engine.subject import Subject
from gradstep.core.ops import OPS
from gradstep.core.scenario.builtin import builtin_names
from gradstep.core.scenario.scenario import load
from made_captures import ABOUT, captured


def rows_of(graph: Graph) -> list[Any]:
    return [(*row[:3], row[3] and row[3].name, *row[4:]) for row in graph.nodes.rows]


def again(capture: Capture, folder: Path) -> Capture:
    return read(write(folder / "run.gradstep", capture))


@pytest.mark.parametrize("name", builtin_names())
def test_a_capture_comes_back_as_it_was(name: str, tmp_path: Path) -> None:
    made = captured(name)
    found = again(made, tmp_path)
    old, new = made.subject, found.subject
    assert rows_of(new.graph) == rows_of(old.graph)
    for column in ("output", "scalar", "frames", "statements", "aliases", "sources"):
        assert getattr(new.graph, column) == getattr(old.graph, column), column
    assert (new.name, new.title, new.dtype) == (old.name, old.title, old.dtype)
    assert (found.about, found.custom) == (ABOUT, made.custom)
    for before, after in (
        (old.leaves, new.leaves),
        (made.values, found.values),
        (made.own, found.own),
    ):
        assert before.keys() == after.keys()
        for node, value in before.items():
            np.testing.assert_array_equal(after[node], value)
            assert np.asarray(after[node]).dtype == np.asarray(value).dtype
            # A literal takes the dtype of what stands beside it.
            plain = before is old.leaves and type(value) in (float, int, bool)
            assert not plain or type(after[node]) is type(value)
    run, expected = new.run(), old.run()
    for node in range(len(new.graph)):
        np.testing.assert_array_equal(run.values[node], expected.values[node])
        one, other = run.gradient(node), expected.gradient(node)
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            np.testing.assert_array_equal(one, other)


def test_numpy_reads_the_file_whose_numbers_are_aligned(tmp_path: Path) -> None:
    made = captured()
    path = write(tmp_path / "run.gradstep", made)
    with np.load(path, allow_pickle=False) as arrays:
        for node, value in made.values.items():
            np.testing.assert_array_equal(arrays[f"values/{node}"], value)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        data = path.read_bytes()
        for info in archive.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            if info.filename.endswith(".npy"):
                start = data.index(b"\x93NUMPY", info.header_offset)
                assert start % ALIGNED == 0, info.filename


def test_how_far_a_file_is_read_is_told(tmp_path: Path) -> None:
    """Of the rows, of where their arrays are, and of what is in these: in thirds."""
    lines = "\n".join(f"v{n} = sum(x * {n})" for n in range(200))
    text = f"gradstep = 1\nprogram = '''\n{lines}\n'''\n[inputs]\nx = [2.0, 3.0]\n"
    path = write(tmp_path / "run.gradstep", captured(text))
    told: list[float] = []
    scenario = load(path, progress=lambda done, of: told.append(done / of))
    rows = len(scenario.subject.graph)
    assert rows == 601  # x, and of each line a number, a product and a sum
    assert told == sorted(told)
    thirds = [sum(n <= 3 * one < n + 1 for one in told) for n in range(3)]
    assert thirds[::2] == [10, 10]  # each 64th of the rows
    assert thirds[1] > 1


def test_how_far_a_file_is_written_is_told_in_bytes(tmp_path: Path) -> None:
    made = captured("three_layer")
    told: list[tuple[int, int]] = []
    path = write(tmp_path / "run.gradstep", made, lambda *one: told.append(one))
    with np.load(path) as stored:
        arrays = [stored[name].nbytes for name in stored.files if "/" in name]
    assert told == [(sum(arrays[:k]), sum(arrays)) for k in range(len(arrays))]


def test_others_write_a_file_with_numpy_and_json_alone(tmp_path: Path) -> None:
    x, y = np.array([1, -2], np.float32), np.array([2, -4], np.float32)
    graph = {
        "format": 1,
        "name": "twice",
        "dtype": "float32",
        "output": 3,
        "rows": [
            {"name": "x", "kind": "input", "shape": [2]},
            {"name": "2", "kind": "constant", "number": 2, "shape": []},
            {"name": "y", "op": "multiply", "operands": [0, 1], "shape": [2]},
            {"name": "loss", "op": "sum", "operands": [2], "shape": []},
        ],
    }
    about = {"framework": "mine 1.0", "command": "mine.py", "step": 1, "python": "3.12"}
    path = tmp_path / "mine.gradstep"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("graph.json", json.dumps(graph))
        archive.writestr("capture.json", json.dumps({"about": about}))
        for name, value in (
            ("leaves/0", x),
            ("values/2", y),
            ("values/3", np.float32(-2)),
        ):
            room = io.BytesIO()
            np.save(room, value)
            archive.writestr(f"{name}.npy", room.getvalue())
    run = read(path).subject.run()
    assert run.values[3] == -2
    assert np.asarray(run.gradients[0]).tolist() == [2, 2]
    assert np.asarray(run.gradients[0]).dtype == np.float32


def test_an_array_is_read_when_it_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "run.gradstep", captured())
    found = read(path)
    looked: list[str] = []
    as_before = Opened.array

    def array(self: Opened, place: Any) -> Any:
        looked.append(place.member)
        return as_before(self, place)

    monkeypatch.setattr(Opened, "array", array)
    first = next(iter(found.values))
    held = found.values[first]
    assert found.values[first] is held
    assert looked == [f"values/{first}.npy"]
    assert isinstance(held, np.ndarray)
    assert not held.flags.writeable


@pytest.mark.parametrize("size", [0, 100, 5000])
def test_a_file_that_shrinks_while_it_is_open_gives_an_error(
    size: int, tmp_path: Path
) -> None:
    path = write(tmp_path / "run.gradstep", captured())
    found = read(path)
    os.truncate(path, size)
    with pytest.raises(InputError, match=r"values/.*has changed since it was opened"):
        found.values[next(iter(found.values))]


def test_a_file_that_is_replaced_while_it_is_open_stays_what_it_was(
    tmp_path: Path,
) -> None:
    made = captured()
    found = again(made, tmp_path)
    write(tmp_path / "run.gradstep", captured("apple_orange"), overwrite=True)
    for node, value in made.values.items():
        np.testing.assert_array_equal(found.values[node], value)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    made = captured()
    path = write(tmp_path / "run.gradstep", made)
    before = path.read_bytes()
    with pytest.raises(InputError, match="is there already"):
        write(path, made)

    class Broken(dict[int, Any]):
        def items(self) -> Any:
            raise RuntimeError("the recorder fails")

    broken = Capture(made.subject, Broken(), {}, ABOUT)
    with pytest.raises(RuntimeError, match="recorder"):
        write(path, broken, overwrite=True)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["run.gradstep"]


def test_an_opaque_operation_shows_its_result_and_lets_no_gradient_through(
    tmp_path: Path,
) -> None:
    build = Builder()
    x = build.leaf("x", "input", (2,))
    y = build.apply(opaque("roi_align", 1), (x,), name="y", shape=(3,))
    w = build.leaf("w", "parameter", (3,))
    z = build.apply(OPS["multiply"], (y, w), name="z")
    loss = build.apply(OPS["sum"], (z,), name="loss")
    subject = Subject("kernel", build.finish(loss), {x: np.ones(2), w: np.full(3, 2.0)})
    values = {
        y: np.array([1, 2, 3], np.float64),
        z: np.array([2, 4, 6], np.float64),
        loss: np.float64(12),
    }
    found = again(Capture(subject, values, {x: np.zeros(2)}, ABOUT), tmp_path)
    op = found.subject.graph.nodes[y].op
    assert op is not None
    assert (op.name, op.recorded) == ("roi_align", True)
    run = found.subject.run()
    assert np.asarray(run.gradients[w]).tolist() == [1, 2, 3]
    assert np.asarray(run.gradients[y]).tolist() == [2, 2, 2]
    assert run.gradients[x] is None
    with pytest.raises(InputError, match=r"roi_align at y: .*gradstep has no rule"):
        run.patched(Patches(values={x: np.zeros(2)}))
    assert run.patched(Patches(values={w: np.zeros(3)})).values[loss] == 0
