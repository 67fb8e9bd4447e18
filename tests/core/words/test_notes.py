"""Notes with numbers in them."""

from __future__ import annotations

import pytest

from gradstep.core.base.errors import ScenarioError
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.scenario import builtin_names, load, parse
from gradstep.core.session.notes import notes_in_time

START = """gradstep = 1
program = '''
z = x * w
y = z * z
'''
[inputs]
x = [3, 4]
[parameters]
w = 2
[seed]
y = [1, 1]
[training]
learning_rate = 0.01
iterations = 3
[notes]
"""


def said(notes: str, *lines: str) -> list[str]:
    debugger = Debugger(parse(f"{START}{notes}", source="n.toml"))
    for line in lines:
        assert debugger.execute(line).ok, line
    return [n.text for n in notes_in_time(debugger.subject, debugger.trace)]


def wrong(notes: str) -> list[tuple[int, int, str]]:
    with pytest.raises(ScenarioError) as caught:
        parse(f"{START}{notes}", source="n.toml")
    return [(p.line, p.column, p.message) for p in caught.value.problems]


def test_an_expression_is_computed_at_its_place() -> None:
    # By hand: z = [6, 8], y = z², z.grad = 2 z.
    assert said('"forward z" = "{z}: {2 * z[0]}, {{x}} {w}"') == ["[6, 8]: 12, {x} 2"]
    assert said('"backward z" = "{z.grad}"') == ["[12, 16]"]
    assert said('"forward z" = "{z[0]} first"', "set w = 5") == ["15 first"]


def test_numbers_that_were_written_by_hand_are_marked_in_another_run() -> None:
    other = " (Its numbers may be those of other values.)"
    assert said('"forward z" = "The first is 6."') == ["The first is 6."]
    marked = said('"forward z" = "The first is 6."', "set w = 5")
    assert marked == [f"The first is 6.{other}"]
    later = said('"forward z" = "The first is 6."', "goto 1:start")
    assert later == [f"The first is 6.{other}"]
    # Names and shapes hold numbers that stay.
    plain = "x1 is (2, 1), and the first is {z[0]}."
    assert said(f'"forward z" = "{plain}"', "set w = 5")[0].endswith("first is 15.")


def test_a_mistake_in_braces_is_one_of_the_file() -> None:
    notes = '"forward z" = "z {y} {w"\n"backward z" = """\nThe gradient\nis {q}"""\n'
    assert wrong(notes) == [
        (16, 19, "y is not there yet where this note is shown"),
        (16, 22, "this brace is not closed"),
        (19, 5, "nothing is called 'q'"),
    ]
    [(_, column, message)] = wrong('"forward z" = "{z.grad}"')
    assert (column, message[:6]) == (17, "z.grad")
    [(_, column, message)] = wrong('"end" = "And { z +* 2 }"')
    assert column == 19  # of the star
    assert message == "' z +* 2 ' is not an expression: invalid syntax"
    [(_, _, message)] = wrong('"end" = "{iteration}"')
    assert "iteration" in message


def test_a_note_is_bounded_as_print_is() -> None:
    [text] = said('"forward z" = "{zeros((100000, 100000))}"')
    assert text.startswith("(")


@pytest.mark.parametrize("name", builtin_names())
def test_the_notes_of_the_lessons_read_as_they_are_written(name: str) -> None:
    subject = load(name).subject
    debugger = Debugger(load(name))
    texts = [n.text for n in notes_in_time(subject, debugger.trace)]
    assert sorted(texts) == sorted(subject.notes.values())
